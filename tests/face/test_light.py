"""Dark pictures are made bright before anything looks at them; all others are left alone."""

import cv2
import numpy as np
import pytest

from workers.face.analysis import Want, analyse
from workers.face.quality import Fault
from workers.vision.detection import DetectOptions
from workers.vision.light import lit

MAX = 50_000_000


def darkened(pixels: np.ndarray, share: float) -> np.ndarray:
    """With what light a share of it leaves, and a sensor's noise of one grey level."""
    noise = np.random.default_rng(0).normal(0, 1, pixels.shape)
    return np.clip(pixels * share + noise, 0, 255).astype(np.uint8)


def as_png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


@pytest.fixture(scope="module")
def seen(engine, judges):
    return lambda data, want: analyse(engine, data, DetectOptions(), want, max_pixels=MAX, judges=judges)


def test_no_ordinary_photo_is_touched(image, people):
    paths = [path for folder in people.iterdir() for path in folder.iterdir()]
    pictures = [image(path.relative_to(people)) for path in paths]
    assert all(lit(picture) is picture for picture in pictures)


@pytest.mark.parametrize("share", [0.1, 0.05])
@pytest.mark.parametrize("name", ["obama/obama.jpg", "rose_leslie/img1.jpg", "kit_harington/john1.jpeg"])
def test_a_face_in_the_dark_is_found_and_known_again(seen, image, photo, name, share):
    dark = seen(as_png(darkened(image(name).pixels, share)), Want.EMBEDDING)
    assert float(dark.embedding @ seen(photo(name), Want.EMBEDDING).embedding) > 0.6
    assert dark.unfit == ()


def test_a_dark_face_before_a_window_is_made_bright_by_itself(seen, image, photo):
    pixels = darkened(image("obama/obama.jpg").pixels, 0.08)
    pixels[:, :40] = 255
    assert lit(image("obama/obama.jpg")).gain == 1
    found = seen(as_png(pixels), Want.EMBEDDING)
    assert float(found.embedding @ seen(photo("obama/obama.jpg"), Want.EMBEDDING).embedding) > 0.6


def test_register_still_says_that_the_light_is_bad(seen, image):
    found = seen(as_png(darkened(image("obama/obama.jpg").pixels, 0.12)), Want.TEMPLATE)
    assert Fault.LIGHT in found.faults
    assert "light" in found.faults[0].advice


def test_a_black_picture_stays_black(image):
    black = image("obama/obama.jpg")
    black.pixels[:] = 0
    assert lit(black) is black
