"""Small faces in large pictures: found by detect and count, masked by mask, at a price that is bounded."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from shared.contracts import DetectFaces, ImageFormat, MaskFaces, MaskMethod
from tests.conftest import SHARED, need
from workers.face.anonymous import detect_once, mask_once
from workers.vision import close_look
from workers.vision.decode import Image, decode
from workers.vision.detection import DetectOptions

MAX = 50_000_000


@pytest.fixture(scope="module")
def detect(engine):
    return lambda data, **more: detect_once(engine, data, DetectFaces(**more), max_pixels=MAX)


@pytest.fixture(scope="module")
def mask(engine):
    return lambda data, **more: mask_once(engine, data, MaskFaces(**more), max_pixels=MAX)


def every_look(finder, picture: Image, first, *, always: bool) -> close_look.Closer:
    search = close_look.Search(finder, picture, first, DetectOptions(), lambda: picture, always=always)
    assert search.advance(math.inf)
    return search.closer()


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.fixture(scope="module")
def in_large(image, engine):
    """A portrait whose face is so many pixels high, somewhere in a picture of a size: (its bytes, the face's box)."""

    def make(name: str, height: int, size: tuple[int, int], at: tuple[float, float]) -> tuple[bytes, np.ndarray]:
        pixels = image(name).pixels
        box = engine.detect(image(name), DetectOptions()).faces[0].box
        scale = height / float(box[3] - box[1])
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = np.full((size[1], size[0], 3), (90, 110, 130), np.uint8)
        left, top = (
            round(share * (side - there)) for share, side, there in zip(at, size, small.shape[1::-1], strict=True)
        )
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        return jpeg(canvas), box * scale + np.array([left, top, left, top])

    return make


LARGE = [
    ((4000, 3000), (0.37, 0.81)),
    ((3000, 4000), (0.9, 0.05)),
    ((1920, 1080), (0.5, 0.5)),
    ((8000, 6000), (0.6, 0.3)),
]


@pytest.mark.parametrize(("size", "at"), LARGE, ids=["12 MP", "12 MP upright", "Full HD", "48 MP"])
def test_a_face_of_40_pixels_is_found_and_masked_in_a_photo_of_any_size(detect, mask, in_large, size, at):
    data, box = in_large("obama/obama2.jpg", 40, size, at)
    (found,) = detect(data).faces
    assert np.abs(np.array([found.x, found.y, found.x + found.width, found.y + found.height]) - box).max() < 8
    outcome = mask(data, method=MaskMethod.SOLID)
    assert len(outcome.faces) == 1
    assert outcome.profile.smallest_face_px <= (41 if max(size) <= 4000 else 45)
    x1, y1, x2, y2 = box.astype(int)
    assert decode(outcome.image, max_pixels=MAX, keep_side=10_000).pixels[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4].max() < 40


def test_the_crowd_in_a_large_photo_is_masked(mask, engine):
    data = need(SHARED / "cases" / "mask_crowd_in_12MP.jpg").read_bytes()
    outcome = mask(data, format=ImageFormat.PNG)
    # 13 by the crowd's picture alone, at its own size.
    assert len(outcome.faces) >= 13
    assert mask(outcome.image).faces == () or len(mask(outcome.image).faces) < 3


def test_one_face_of_90_pixels_in_12_megapixels_is_masked(mask):
    outcome = mask(need(SHARED / "cases" / "mask_small_face_4000x3000_90px.jpg").read_bytes())
    assert len(outcome.faces) == 1


def test_a_face_in_a_long_panorama_is_found(detect, in_large):
    data, box = in_large("obama/obama.jpg", 270, (16_000, 910), (0.7, 0.6))
    (face,) = detect(data).faces
    assert abs(face.x - box[0]) < 20


def test_what_was_found_before_stays_and_is_not_found_twice(detect, mask, photo):
    for name in ("_groups/obama_and_biden.jpg", "_groups/kit_with_rose.jpg"):
        assert mask(photo(name)).faces == detect(photo(name)).faces


def test_a_selfie_costs_detect_and_count_one_look_and_mask_looks_at_all_of_it(engine, image):
    looks = []

    class Counting:
        def detect(self, picture, options):
            looks.append(picture.pixels.shape)
            return engine.detect(picture, options)

    pixels = cv2.resize(image("obama/obama2.jpg").pixels, (3000, 4000))
    picture = Image.of(pixels)
    first = engine.detect(picture, DetectOptions())
    for always, most in ((False, 0), (True, 24)):
        looks.clear()
        closer = every_look(Counting(), picture, first, always=always)
        assert (len(looks) > 0) == always
        assert len(looks) <= most
        assert len(closer.detections.faces) == 1


@pytest.mark.parametrize("size", [(8000, 6000), (16_000, 3_000), (30_000, 1_600), (2_500, 20_000)])
def test_the_price_is_bounded_whatever_the_picture_is(engine, size):
    looks = []

    class Blind:
        """Sees nothing, at no cost: what is counted are the looks."""

        def detect(self, picture, _options):
            looks.append(picture.pixels.shape[:2])
            return first

    empty = Image.of(np.zeros((size[1], size[0], 3), np.uint8))
    first = replace(engine.detect(Image.of(np.zeros((64, 64, 3), np.uint8)), DetectOptions()), scale=640 / max(size))
    closer = every_look(Blind(), empty, first, always=True)
    assert 0 < len(looks) <= close_look.MOST_TILES
    assert all(max(shape) <= 640 for shape in looks)
    assert closer.smallest_px <= 50


def test_with_a_limit_of_faces_the_largest_are_given(detect):
    data = need(SHARED / "testdata" / "crowds" / "crowd_0.jpg").read_bytes()
    every = detect(data).faces
    assert len(every) > 60
    assert detect(data, max_faces=5).faces == every[:5]
    areas = [face.width * face.height for face in every]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("code", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE])
@pytest.mark.parametrize("name", ["obama/obama.jpg", "rose_leslie/img2.jpg"])
def test_a_face_in_a_turned_picture_is_masked(mask, engine, image, name, code):
    back = {0: 2, 1: 1, 2: 0}[code]
    outcome = mask(jpeg(cv2.rotate(image(name).pixels, code)), method=MaskMethod.SOLID)
    assert outcome.faces
    upright = cv2.rotate(decode(outcome.image, max_pixels=MAX).pixels, back)
    assert engine.detect(Image.of(upright), DetectOptions()).faces == ()
