"""Decoding: what is a picture becomes upright pixels, and what is not becomes a failure."""

import contextlib
import io
import time

import numpy as np
import PIL.Image
import pytest

from shared.contracts import Failure
from tests.conftest import SHARED, need
from workers.vision.decode import ImageError, decode
from workers.vision.detection import DetectOptions

MAX = 50_000_000
TRAILER = b"SEFHk" + bytes(40) + b"SEFT"  # Samsung's


def gradient(width: int, height: int) -> PIL.Image.Image:
    """Dark on the left, light on the right, so that a turn can be seen."""
    row = np.linspace(0, 255, width, dtype=np.uint8)
    return PIL.Image.fromarray(np.repeat(np.tile(row, (height, 1))[..., None], 3, axis=2))


def encoded(picture: PIL.Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_each_format_becomes_bgr_pixels(kind):
    image = decode(encoded(gradient(60, 40), kind), max_pixels=MAX)
    assert image.pixels.shape == (40, 60, 3)
    assert (image.width, image.height, image.scale) == (60, 40, 1)
    assert image.pixels[20, 5].mean() < 60
    assert image.pixels[20, 55].mean() > 200


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1", "CMYK", "I;16"])
def test_other_colour_models_become_bgr_too(mode):
    picture = gradient(64, 64)
    picture = PIL.Image.fromarray(np.full((64, 64), 40000, np.uint16)) if mode == "I;16" else picture.convert(mode)
    image = decode(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"), max_pixels=MAX)
    assert image.pixels.shape == (64, 64, 3)
    assert image.pixels.dtype == np.uint8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(gradient(80, 40), "JPEG", exif=exif, quality=95), max_pixels=MAX)
    swapped = orientation >= 5
    assert (image.width, image.height) == ((40, 80) if swapped else (80, 40)) == image.pixels.shape[1::-1]
    dark = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}[orientation]
    edges = {
        "left": image.pixels[:, :5],
        "right": image.pixels[:, -5:],
        "top": image.pixels[:5],
        "bottom": image.pixels[-5:],
    }
    assert min(edges, key=lambda edge: edges[edge].mean()) == dark


def test_a_large_jpeg_is_decoded_at_reduced_scale_and_keeps_its_size():
    data = encoded(gradient(3601, 2401), "JPEG")
    image = decode(data, max_pixels=MAX)
    assert image.scale == 0.5
    assert (image.width, image.height) == (3601, 2401)
    assert image.pixels.shape == (1201, 1801, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_a_bad_image(photo, kind, share):
    with PIL.Image.open(io.BytesIO(photo("obama/obama.jpg"))) as picture:
        data = encoded(picture, kind)
    with pytest.raises(ImageError) as caught:
        decode(data[: int(len(data) * share)], max_pixels=MAX)
    assert caught.value.failure is Failure.BAD_IMAGE


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_bytes_behind_the_end_are_no_harm(kind):
    assert decode(encoded(gradient(60, 40), kind) + bytes(1000), max_pixels=MAX).width == 60


def test_a_film_behind_a_photo_is_no_harm_whatever_markers_are_in_it():
    film = np.random.default_rng(2).integers(0, 256, 5000, dtype=np.uint8).tobytes() + b"\xff\xda" + bytes(50)
    assert decode(encoded(gradient(60, 40), "JPEG", progressive=True) + film, max_pixels=MAX).width == 60


def test_the_end_of_a_thumbnail_is_not_the_end_of_its_photo(photo):
    thumbnail = encoded(gradient(16, 16), "JPEG")
    data = photo("obama/obama.jpg")
    segment = b"\xff\xef" + (len(thumbnail) + 2).to_bytes(2) + thumbnail
    with_thumbnail = data[:2] + segment + data[2:]
    assert decode(with_thumbnail, max_pixels=MAX).width == decode(data, max_pixels=MAX).width
    with pytest.raises(ImageError):
        decode(with_thumbnail[: len(with_thumbnail) // 2], max_pixels=MAX)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0" + bytes(100) + b"\xff\xd9",
        b"\x89PNG\r\n\x1a\n" + bytes(100) + b"IEND",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"GIF89a" + bytes(100),
        b"%PDF-1.4",
        b"<svg/>",
        bytes(range(256)) * 40,
    ],
)
def test_garbage_is_a_bad_image(data):
    with pytest.raises(ImageError) as caught:
        decode(data, max_pixels=MAX)
    assert caught.value.failure is Failure.BAD_IMAGE


def test_a_picture_with_damage_in_the_middle_raises_nothing_else(photo):
    data = bytearray(photo("obama/obama.jpg"))
    rng = np.random.default_rng(1)
    for _ in range(30):
        broken = data.copy()
        for position in rng.integers(0, len(data), 50):
            broken[position] = int(rng.integers(0, 256))
        with contextlib.suppress(ImageError):
            decode(bytes(broken), max_pixels=MAX)


def test_a_jpeg_of_a_million_empty_segments_takes_no_time():
    data = encoded(gradient(60, 40), "JPEG")
    began = time.process_time()
    with pytest.raises(ImageError):
        decode(data[:2] + b"\xff\xfe\0\2" * 1_000_000 + data[2:], max_pixels=MAX)
    assert time.process_time() - began < 0.2


def test_a_bomb_is_refused_by_its_header():
    bomb = encoded(PIL.Image.new("1", (20000, 20000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(ImageError) as caught:
        decode(bomb, max_pixels=MAX)
    assert caught.value.failure is Failure.IMAGE_TOO_LARGE


def test_one_pixel_is_a_picture():
    assert decode(encoded(PIL.Image.new("RGB", (1, 1)), "PNG"), max_pixels=MAX).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("size", [(32_767, 2), (2, 40_000)])
def test_a_side_that_no_warp_takes_is_too_large(size):
    with pytest.raises(ImageError) as caught:
        decode(encoded(PIL.Image.new("RGB", size), "PNG"), max_pixels=MAX)
    assert caught.value.failure is Failure.IMAGE_TOO_LARGE
    assert decode(encoded(PIL.Image.new("RGB", (32_766, 2)), "PNG"), max_pixels=MAX).width == 32_766


# --- a JPEG whose end-of-image marker is missing


def test_a_whole_jpeg_without_its_end_is_read(photo):
    data = photo("obama/obama.jpg")
    assert data.endswith(b"\xff\xd9")
    assert (decode(data[:-2], max_pixels=MAX).pixels == decode(data, max_pixels=MAX).pixels).all()


@pytest.mark.parametrize("name", ["samsung_noeoi_trailer.jpg"])
def test_what_a_phone_appended_in_the_place_of_the_end_is_no_harm(engine, name):
    image = decode(need(SHARED / "cases" / name).read_bytes(), max_pixels=MAX)
    assert len(engine.detect(image, DetectOptions()).faces) == 1


# A trailer is taken for the few bytes that lack before it.
@pytest.mark.parametrize(("missing", "trailer"), [(10, b""), (300, b""), (300, TRAILER), (5000, TRAILER)])
def test_one_that_lacks_a_part_of_its_picture_is_refused_still(photo, missing, trailer):
    data = photo("obama/obama.jpg")[:-2][:-missing] + trailer
    with pytest.raises(ImageError) as caught:
        decode(data, max_pixels=MAX)
    assert caught.value.detail == "the file is truncated"


@pytest.mark.parametrize("options", [{"progressive": True}, {"progressive": True, "restart_marker_rows": 1}])
def test_a_progressive_one_without_its_end_may_lack_whole_scans_and_is_refused(options):
    with pytest.raises(ImageError):
        decode(encoded(gradient(300, 200), "JPEG", **options)[:-2], max_pixels=MAX)


def test_the_pixels_of_a_picture_are_those_that_a_viewer_sees(engine):
    """Erased by an editor: every colour of a portrait is still there, under an alpha of 0."""
    image = decode(need(SHARED / "cases" / "all_transparent.png").read_bytes(), max_pixels=MAX)
    assert image.pixels.min() == 255
    assert engine.detect(image, DetectOptions()).faces == ()


def test_a_transparent_grey_is_white_too():
    grey = gradient(64, 40).convert("L")
    value = grey.getpixel((20, 20))
    image = decode(encoded(grey, "PNG", transparency=value), max_pixels=MAX)
    assert image.pixels[20, 20].tolist() == [255, 255, 255]
    assert image.pixels[20, 40].tolist() == [grey.getpixel((40, 20))] * 3
