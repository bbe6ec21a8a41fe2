"""A picture that was sent sideways or on its head: its face is found, set upright, and known again."""

import cv2
import numpy as np
import pytest

from shared.contracts import Failure
from tests.conftest import SHARED, need
from workers.face.analysis import Want, analyse
from workers.vision.decode import Image, ImageError, decode
from workers.vision.detection import Detection, Detections, DetectionTimes, DetectOptions
from workers.vision.upright import Turn, find_face, turned

MAX = 50_000_000
OPTIONS = DetectOptions()
PHOTOS = ("obama/obama.jpg", "biden/biden2.jpg", "rose_leslie/img1.jpg", "kit_harington/john2.jpeg")
# The cosine from which two faces are one person's for w600k is 0.37; strangers reach 0.3.
SAME = 0.8


def as_png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


@pytest.fixture(scope="module")
def seen(engine, judges):
    return lambda data, want=Want.EMBEDDING: analyse(engine, data, OPTIONS, want, max_pixels=MAX, judges=judges)


def small(data: bytes, longer: int = 700) -> np.ndarray:
    pixels = decode(data, max_pixels=MAX).pixels
    scale = longer / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", PHOTOS)
def test_a_turned_face_has_the_embedding_of_the_upright_one_and_its_place_in_the_file(seen, photo, name, quarters):
    upright = Image.of(small(photo(name)))
    height, width = upright.pixels.shape[:2]
    first = seen(as_png(upright.pixels))
    second = seen(as_png(turned(upright, quarters).pixels))
    assert float(first.embedding @ second.embedding) > SAME
    # Where the face lies in the file that was sent: the upright box, turned as the picture was.
    box = np.array([second.chosen.x, second.chosen.y, second.chosen.width, second.chosen.height])
    x, y, w, h = first.chosen.x, first.chosen.y, first.chosen.width, first.chosen.height
    expected = {
        1: (height - y - h, x, h, w),
        2: (width - x - w, height - y - h, w, h),
        3: (y, width - x - w, h, w),
    }[quarters]
    assert np.abs(box - expected).max() < 0.12 * max(w, h)


def test_an_upright_photo_costs_one_look(engine, judges, image):
    looks = []

    class Counting:
        def detect(self, picture, options):
            looks.append(1)
            return engine.detect(picture, options)

    for name in PHOTOS:
        sighting = find_face(Counting(), image(name), OPTIONS, judges.how_clear)
        assert (sighting.turn.quarters, sighting.looked_round) == (0, False)
    assert len(looks) == len(PHOTOS)


def test_register_takes_a_picture_on_its_head_as_it_takes_the_upright_one(seen, photo):
    pixels = small(photo("obama/obama.jpg"))
    first, second = seen(as_png(pixels), Want.TEMPLATE), seen(as_png(cv2.rotate(pixels, cv2.ROTATE_180)), Want.TEMPLATE)
    assert first.faults == second.faults == ()
    assert float(first.embedding @ second.embedding) > SAME


def test_without_the_judges_turned_pictures_are_set_upright_too(engine, photo):
    pixels = small(photo("obama/obama2.jpg"))
    first = analyse(engine, as_png(pixels), OPTIONS, Want.EMBEDDING, max_pixels=MAX)
    second = analyse(engine, as_png(cv2.rotate(pixels, 0)), OPTIONS, Want.EMBEDDING, max_pixels=MAX)
    assert float(first.embedding @ second.embedding) > SAME


@pytest.mark.parametrize(
    ("case", "other"),
    [
        ("upside_down_selfie.jpg", "obama/obama2.jpg"),
        ("id_card_upside_down.jpg", "obama/obama2.jpg"),
    ],
)
def test_who_was_somebody_else_on_their_head_is_known_again(engine, seen, photo, case, other):
    found = seen(need(SHARED / "cases" / case).read_bytes())
    assert engine.calibration.score(float(found.embedding @ seen(photo(other)).embedding)) >= 0.7


def test_a_face_that_lies_on_its_side_is_the_one_that_it_is_upright(seen):
    data = need(SHARED / "cases" / "face-rotated-90.jpg").read_bytes()
    lying = decode(data, max_pixels=MAX)
    others = [seen(as_png(turned(lying, quarters).pixels)) for quarters in (1, 2, 3)]
    found = seen(data)
    assert all(float(found.embedding @ other.embedding) > SAME for other in others)


def test_without_a_face_in_any_turn_there_is_none(seen, grey_jpeg):
    with pytest.raises(ImageError) as caught:
        seen(grey_jpeg)
    assert caught.value.failure is Failure.NO_FACE


def test_two_people_in_a_turned_picture_are_two(engine, judges, photo):
    pixels = cv2.rotate(small(photo("_groups/kit_with_rose.jpg")), cv2.ROTATE_90_CLOCKWISE)

    class Upright:
        """A detector that sees nothing lying, as YuNet does."""

        def detect(self, picture, options):
            found = engine.detect(picture, options)
            return found if picture.pixels.shape[0] > picture.pixels.shape[1] else nothing(found)

    with pytest.raises(ImageError) as caught:
        find_face(Upright(), Image.of(pixels), OPTIONS, judges.how_clear)
    assert caught.value.failure is Failure.MULTIPLE_FACES


def nothing(found: Detections) -> Detections:
    return Detections((), found.detector, 0, 0, found.input_size, found.scale, DetectionTimes())


@pytest.mark.parametrize("quarters", range(4))
def test_what_is_found_in_a_turned_picture_goes_back_to_its_place(quarters):
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[10:20, 70:90] = 255
    there = turned(Image.of(pixels), quarters).pixels if quarters else pixels
    rows, columns = np.nonzero(there[..., 0])
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
    landmarks = np.tile(box[:2], (5, 1))
    back = Turn(quarters, 100, 60).back(Detection(box, 0.9, landmarks))
    assert back.box.tolist() == [70, 10, 90, 20]
    assert {tuple(point) for point in back.landmarks.tolist()} <= {(70, 10), (70, 20), (90, 10), (90, 20)}
