"""The reader itself: ICAO's specimens, what bounds it, and the geometry between card and picture."""

import cv2
import numpy as np
import pytest

from shared.contracts import IdType
from shared.settings import Inference, Weights
from shared.weights import WeightStore
from shared.weights.ocr import of_reader
from workers.ocr import mrz
from workers.ocr.quad import find_quad, straighten, transformed, whole
from workers.ocr.reader import MOST_LINES, CardReader
from workers.ocr.tasks import KEEP_SIDE
from workers.vision.decode import decode

PRINTED = {
    "passporteye_25_pass-uto.jpg": (
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    "passporteye_100_visa-usa.jpg": (
        "VIUSATRAVELER<<HAPPYPERSON<<<<<<<<<<<<<<<<<<",
        "555123ABC6GBR6502056F0412236IFLND00AMS803085",
    ),
}


@pytest.fixture(scope="module")
def reader(korean, tmp_path_factory):
    found = of_reader(WeightStore(Weights(cache=str(tmp_path_factory.mktemp("cache")))))
    assert not isinstance(found, list), found
    made = CardReader(found, Inference(), threads=1)
    made.warm_up()
    return made


@pytest.mark.parametrize("name", PRINTED)
def test_every_line_of_the_zones_of_icaos_specimens_is_right(reader, mrz_samples, name):
    pixels = decode((mrz_samples / name).read_bytes(), max_pixels=10**8, keep_side=KEEP_SIDE).pixels
    zone = mrz.find([line.latin for line in reader.read(pixels).reading.lines])
    assert zone is not None
    assert zone.lines == PRINTED[name]
    assert zone.valid


def test_a_page_full_of_text_costs_a_bounded_number_of_lines(reader):
    page = np.full((2400, 1700, 3), 255, np.uint8)
    for row in range(100):
        for column in range(3):
            cv2.putText(page, f"word {row} {column}", (40 + 550 * column, 30 + 23 * row), 0, 0.7, (0, 0, 0), 2)
    assert 0 < len(reader.read(page).reading.lines) <= MOST_LINES


def test_a_picture_of_50_megapixels_is_decoded_smaller_and_read(reader, specimens):
    one = cv2.imdecode(np.frombuffer(specimens(0, IdType.FOREIGN).jpeg, np.uint8), cv2.IMREAD_COLOR)
    huge = cv2.imencode(".jpg", cv2.resize(one, (8600, 5800)))[1].tobytes()
    image = decode(huge, max_pixels=50_000_000, keep_side=KEEP_SIDE)
    assert image.scale == 0.5
    found = reader.read(image.pixels)
    assert max(found.card.width, found.card.height) <= 1600
    assert any("REGISTRATION" in line.latin.upper() or "외국인" in line.text for line in found.reading.lines)


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (2, 32_000)])
def test_a_picture_of_any_shape_has_a_reading(reader, shape):
    assert reader.read(np.zeros((*shape, 3), np.uint8)).reading.lines == ()


def test_lines_are_given_from_top_to_bottom_and_along_a_row_from_left_to_right(reader):
    page = np.full((400, 1000, 3), 255, np.uint8)
    for text, place in (("SECOND", (600, 104)), ("FIRST", (60, 100)), ("FOURTH", (60, 320)), ("THIRD", (300, 200))):
        cv2.putText(page, text, place, 0, 1.6, (0, 0, 0), 4)
    assert [line.latin for line in reader.read(page).reading.lines] == ["FIRST", "SECOND", "THIRD", "FOURTH"]


def test_the_card_of_a_photo_is_found_to_a_few_pixels(specimens):
    found = 0
    for seed in range(0, 12, 2):
        one = specimens(seed, IdType.FOREIGN, "photo")
        image = decode(one.jpeg, max_pixels=10**8, keep_side=KEEP_SIDE)
        quad = find_quad(image.pixels)
        printed = np.array(one.truth.card, np.float32) * np.float32(image.scale)
        if quad is not None:
            both, _ = cv2.intersectConvexConvex(quad, printed)
            assert both / cv2.contourArea(printed) > 0.95
            found += 1
    assert found >= 5


def test_an_empty_picture_has_no_card():
    assert find_quad(np.full((480, 640, 3), 128, np.uint8)) is None
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    assert find_quad(noise) is None


@pytest.mark.parametrize("quarters", range(4))
def test_points_of_a_turned_card_go_back_to_where_they_were(quarters):
    pixels = np.zeros((600, 800, 3), np.uint8)
    pixels[200:210, 300:320] = 255
    card = whole(pixels, 400).turned(quarters)
    rows, columns = np.nonzero(card.pixels[:, :, 0] > 128)
    middle = np.array([[columns.mean() + 0.5, rows.mean() + 0.5]], np.float32)
    assert card.in_picture(middle)[0] == pytest.approx((310, 205), abs=2)


def test_a_straightened_card_and_its_homography_say_the_same():
    pixels = np.zeros((900, 1200, 3), np.uint8)
    cv2.circle(pixels, (600, 450), 12, (255, 255, 255), -1)
    quad = np.array([[200, 250], [1000, 200], [1030, 700], [180, 740]], np.float32)
    card = straighten(pixels, quad)
    rows, columns = np.nonzero(card.pixels[:, :, 0] > 128)
    middle = np.array([[columns.mean(), rows.mean()]], np.float32)
    assert transformed(middle, card.to_picture)[0] == pytest.approx((600, 450), abs=2)
