"""What the worker answers: the document's type and fields, where they stand, and what it shows of them."""

import io

import cv2
import numpy as np
import PIL.Image
import pytest

from shared.contracts import CardField, CardRead, Failure, IdType
from tests.support.ocr import plain, wrong_fields

NUMBERS = {IdType.RESIDENT: CardField.ID_NUMBER, IdType.PASSPORT: CardField.MRZ}
TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def pixels_of(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def encoded(pixels: np.ndarray, kind: str = ".jpg") -> bytes:
    return cv2.imencode(kind, pixels)[1].tobytes()


def overlap(polygon, quad) -> float:
    """Intersection over union of two convex outlines."""
    one, other = (np.array(points, np.float32) for points in (polygon, quad))
    both, _ = cv2.intersectConvexConvex(one, other)
    return both / (cv2.contourArea(one) + cv2.contourArea(other) - both)


def box(face) -> list[tuple[float, float]]:
    right, bottom = face.x + face.width, face.y + face.height
    return [(face.x, face.y), (right, face.y), (right, bottom), (face.x, bottom)]


@pytest.mark.parametrize("kind", ["flat", "photo"])
def test_of_held_out_specimens_every_type_is_told_and_nearly_every_field_is_right(read_all, specimens, kind):
    asked = [specimens(seed, id_type, kind) for id_type in IdType for seed in (1, 3)]
    outcomes = read_all([one.jpeg for one in asked], reveal=True)
    assert [outcome.id_type for outcome in outcomes] == [one.truth.id_type for one in asked]
    wrong = sum(len(wrong_fields(outcome, one.truth)) for outcome, one in zip(outcomes, asked, strict=True))
    assert wrong <= 0.15 * sum(len(one.truth.fields) for one in asked)


@pytest.mark.parametrize("degrees", TURNS)
def test_a_card_is_read_whichever_way_up_it_lies(read, specimens, degrees):
    upright = specimens(0, IdType.FOREIGN)
    turned = cv2.rotate(pixels_of(upright.jpeg), TURNS[degrees])
    outcome = read(encoded(turned), reveal=True)
    assert wrong_fields(outcome, upright.truth) == {}


def test_a_field_stands_where_its_polygon_says(read, specimens):
    one = specimens(0, IdType.FOREIGN, "photo")
    fields = read(one.jpeg).fields
    for name in (CardField.ID_NUMBER, CardField.NAME, CardField.ISSUE_DATE):
        (printed,) = one.truth.polygons[name]
        assert overlap(fields[name].polygon, printed) > 0.4, name


def test_a_polygon_begins_at_the_top_left_of_the_text_as_it_is_read(read, specimens):
    one = specimens(0, IdType.RESIDENT)
    turned = cv2.rotate(pixels_of(one.jpeg), cv2.ROTATE_180)
    height, width = turned.shape[:2]
    (x, y), *_ = read(encoded(turned)).fields[CardField.ID_NUMBER].polygon
    left, top = one.truth.polygons[CardField.ID_NUMBER][0][0]
    assert (x, y) == pytest.approx((width - left, height - top), abs=0.03 * width)


@pytest.mark.parametrize("id_type", list(IdType))
def test_the_portrait_is_the_face_on_the_card(read, specimens, id_type):
    one = specimens(0, id_type, "photo")
    portrait = read(one.jpeg).portrait
    centre = portrait.x + portrait.width / 2, portrait.y + portrait.height / 2
    assert cv2.pointPolygonTest(np.array(one.truth.portrait, np.float32), centre, False) > 0
    assert cv2.contourArea(np.array(box(portrait), np.float32)) > 0.15 * cv2.contourArea(
        np.array(one.truth.portrait, np.float32)
    )


@pytest.mark.parametrize("id_type", NUMBERS)
def test_numbers_leave_the_worker_masked_and_whole_only_where_that_is_asked(read, specimens, id_type):
    one, name = specimens(0, id_type), NUMBERS[id_type]
    shown, hidden = read(one.jpeg, reveal=True).fields[name].value, read(one.jpeg).fields[name].value
    assert plain(shown) == plain(one.truth.fields[name])
    assert "*" in hidden
    assert len(hidden) == len(shown)
    if name is CardField.ID_NUMBER:
        assert hidden == "******-*******"


def test_the_confidence_is_the_least_of_the_fields(read, specimens):
    outcome = read(specimens(0, IdType.FOREIGN).jpeg)
    assert outcome.confidence == min(field.confidence for field in outcome.fields.values())
    assert 0 < outcome.confidence <= 1


def test_a_passport_says_whether_every_check_digit_holds(read, specimens):
    assert read(specimens(0, IdType.PASSPORT).jpeg).mrz_valid is True
    assert read(specimens(0, IdType.FOREIGN).jpeg).mrz_valid is None


@pytest.mark.parametrize("asked", [IdType.DRIVER, IdType.PASSPORT, IdType.RESIDENT])
def test_another_document_than_the_caller_says_is_named(read, specimens, asked):
    outcome = read(specimens(0, IdType.FOREIGN).jpeg, id_type=asked)
    assert outcome.failure is Failure.WRONG_DOCUMENT
    assert "FOREIGN" in outcome.detail


def test_the_document_that_the_caller_says_is_read_as_without_saying(read, specimens):
    one = specimens(0, IdType.FOREIGN)
    assert read(one.jpeg, id_type=IdType.FOREIGN).fields == read(one.jpeg).fields


def test_a_photocopy_is_told_from_a_card(read, specimens):
    colours = pixels_of(specimens(0, IdType.DRIVER, "photo").jpeg)
    grey = cv2.cvtColor(cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    yellowish = np.clip(grey * np.array([0.8, 0.95, 1.0]), 0, 255).astype(np.uint8)
    assert [read(encoded(picture)).is_greyscale for picture in (colours, grey, yellowish)] == [False, True, True]


@pytest.mark.parametrize("id_type", list(IdType))
def test_the_redacted_copy_shows_neither_number_nor_zone_nor_address(read, specimens, id_type):
    one = specimens(0, id_type, "photo")
    copy = read(one.jpeg, redact=True).redacted
    picture = PIL.Image.open(io.BytesIO(copy))
    assert picture.format == "JPEG"
    assert not picture.getexif()
    pixels = pixels_of(copy)
    scale = pixels.shape[1] / one.truth.width
    for name in (CardField.ID_NUMBER, CardField.MRZ, CardField.ADDRESS):
        for quad in one.truth.polygons.get(name, ()):
            middle = np.mean(np.array(quad), axis=0) * scale
            x, y = np.rint(middle).astype(int)
            assert pixels[y - 2 : y + 3, x - 2 : x + 3].max() < 24, name


def test_what_is_left_to_read_on_the_redacted_copy_is_not_what_was_hidden(read, specimens):
    one = specimens(0, IdType.RESIDENT)
    copy = read(one.jpeg, redact=True).redacted
    left = read(copy, reveal=True)
    values = {plain(field.value) for field in left.fields.values()} if isinstance(left, CardRead) else set()
    assert plain(one.truth.fields[CardField.ID_NUMBER]) not in values
    assert plain(one.truth.fields[CardField.ADDRESS]) not in values


def test_a_copy_is_made_only_where_it_is_asked_for(read, specimens):
    assert read(specimens(0, IdType.FOREIGN).jpeg).redacted is None


def test_exif_orientation_is_obeyed_and_polygons_are_of_the_upright_picture(read, specimens):
    one = specimens(0, IdType.FOREIGN)
    buffer = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise
    with PIL.Image.open(io.BytesIO(one.jpeg)) as picture:
        picture.transpose(PIL.Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=95, exif=exif)
    outcome = read(buffer.getvalue(), reveal=True)
    assert wrong_fields(outcome, one.truth) == {}
    (printed,) = one.truth.polygons[CardField.ID_NUMBER]
    assert overlap(outcome.fields[CardField.ID_NUMBER].polygon, printed) > 0.4


def test_nothing_card_like_is_no_document(read, people):
    grey = encoded(np.full((600, 900, 3), 120, np.uint8))
    page = np.full((1400, 1000, 3), 255, np.uint8)
    for row in range(40):
        cv2.putText(page, f"line {row} of a page about nothing", (40, 60 + 32 * row), 0, 0.8, (0, 0, 0), 2)
    selfie = (people / "obama" / "obama.jpg").read_bytes()
    for data in (grey, encoded(page), selfie):
        assert read(data).failure is Failure.NO_DOCUMENT


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"", Failure.BAD_IMAGE),
        (b"no picture", Failure.BAD_IMAGE),
        (encoded(np.zeros((7100, 7100, 3), np.uint8), ".png"), Failure.IMAGE_TOO_LARGE),
    ],
    ids=["empty", "text", "bomb"],
)
def test_a_bad_image_fails_as_in_the_face_operations(read, data, failure):
    assert read(data).failure is failure


def test_where_the_time_went_is_told(read, specimens):
    one = specimens(0, IdType.FOREIGN, "photo")
    outcome = read(one.jpeg)
    profile = outcome.profile
    assert (profile.image_size, profile.input_bytes) == ((one.truth.width, one.truth.height), len(one.jpeg))
    assert 0 < profile.decode_ms + profile.preprocess_ms + profile.inference_ms < profile.total_ms
    assert outcome.engine == "paddleocr"
    assert profile.detector in outcome.model
