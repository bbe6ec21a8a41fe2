"""What goes out after masking: the picture as it was seen, in the format asked for, and nothing besides."""

import io

import cv2
import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps
import PIL.PngImagePlugin
import pytest

from shared.contracts import Failure, ImageFormat, MaskFaces
from tests.conftest import SHARED, need
from workers.face.anonymous import mask_once
from workers.vision import encode
from workers.vision.decode import Image, ImageError, decode, decode_whole, read_header
from workers.vision.detection import DetectOptions

MAX = 50_000_000
SECRET = b"37.5665N-126.9780E"
KINDS = {ImageFormat.JPEG: "JPEG", ImageFormat.PNG: "PNG", ImageFormat.WEBP: "WEBP"}


def gradient(width: int = 64, height: int = 40) -> PIL.Image.Image:
    """Red grows to the right and green to the bottom, so that every turn can be seen."""
    y, x = np.mgrid[0:height, 0:width]
    colours = np.stack((x * 255 // width, y * 255 // height, np.full_like(x, 90)), axis=2)
    return PIL.Image.fromarray(colours.astype(np.uint8))


def transparent(width: int = 64, height: int = 40) -> PIL.Image.Image:
    picture = gradient(width, height).convert("RGBA")
    picture.putalpha(PIL.Image.fromarray(np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1))))
    return picture


def encoded(picture: PIL.Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def opened(data: bytes) -> PIL.Image.Image:
    picture = PIL.Image.open(io.BytesIO(data))
    picture.load()
    return picture


def pixels_of(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(opened(data).convert(mode))


def viewed(data: bytes) -> np.ndarray:
    """What a viewer sees of it, on white."""
    picture = opened(data).convert("RGBA")
    white = PIL.Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return np.asarray(white.convert("RGB"))


@pytest.fixture(scope="module")
def out(engine):
    """A picture through the operation: out(data, ImageFormat.PNG) is the file that comes back."""

    def mask(data: bytes, image_format: ImageFormat = ImageFormat.PNG, **operation) -> bytes:
        return mask_once(engine, data, MaskFaces(format=image_format, **operation), max_pixels=MAX).image

    return mask


# --- formats


@pytest.mark.parametrize("image_format", ImageFormat)
def test_the_file_is_of_the_format_that_was_asked_for(out, image_format):
    result = opened(out(encoded(gradient(), "JPEG"), image_format))
    assert (result.format, result.size) == (KINDS[image_format], (64, 40))


@pytest.mark.parametrize("image_format", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_less_quality_is_a_smaller_file_and_100_is_near_the_picture(out, photo, image_format):
    data = photo("obama/obama2.jpg")
    best, good, poor = (out(data, image_format, quality=quality) for quality in (100, 80, 1))
    assert len(best) > len(good) > 2 * len(poor)
    assert np.abs(pixels_of(best).astype(int) - pixels_of(out(data))).mean() < 3


def test_without_a_face_the_picture_comes_back_as_it_was(out):
    assert (pixels_of(out(encoded(gradient(), "PNG"))) == np.asarray(gradient())).all()


# --- what stays behind


def with_metadata(kind: str) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x010E] = SECRET.decode()  # ImageDescription
    exif.get_ifd(0x8825)[0x001D] = SECRET.decode()  # GPSDateStamp
    options = {"exif": exif, "icc_profile": PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()}
    if kind == "PNG":
        text = PIL.PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        options["pnginfo"] = text
    else:
        options["xmp"] = SECRET
    if kind == "JPEG":
        options["comment"] = SECRET
    return encoded(gradient(), kind, **options)


@pytest.mark.parametrize("image_format", ImageFormat)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_metadata_goes_out(out, kind, image_format):
    data = with_metadata(kind)
    assert SECRET in data
    result = out(data, image_format)
    assert SECRET not in result
    assert not opened(result).getexif()
    # What Pillow says of every JPEG, and of every WebP as if it moved.
    of_any_file = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "background", "duration", "timestamp"}
    assert set(opened(result).info) <= of_any_file


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_bytes_behind_the_end_do_not_go_out(out, kind):
    data = encoded(gradient(), kind) + SECRET
    assert all(SECRET not in out(data, image_format) for image_format in ImageFormat)


def test_of_several_pictures_in_a_file_the_first_one_goes_out(out):
    red, blue = (PIL.Image.new("RGB", (64, 40), colour) for colour in ("red", "blue"))
    for kind in ("MPO", "PNG", "WEBP", "TRANSPARENT"):
        first, second = (picture.convert("RGBA") if kind == "TRANSPARENT" else picture for picture in (red, blue))
        if kind == "TRANSPARENT":
            first.putalpha(200)
        name = "PNG" if kind == "TRANSPARENT" else kind
        result = opened(out(encoded(first, name, save_all=True, append_images=[second], quality=95)))
        assert getattr(result, "n_frames", 1) == 1
        assert np.abs(np.asarray(result.convert("RGB")).astype(int) - (255, 0, 0)).max() < 6, kind


# --- orientation, colour, alpha


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "RGBA PNG", "RGBA WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_goes_out_upright(out, kind, orientation):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    picture = gradient().convert("RGBA") if kind.startswith("RGBA") else gradient()
    if kind.startswith("RGBA"):
        picture.putalpha(250)
    data = encoded(picture, kind.removeprefix("RGBA "), exif=exif, quality=100, lossless=True)
    upright = np.asarray(PIL.ImageOps.exif_transpose(opened(data)).convert("RGB"))
    result = pixels_of(out(data))
    assert result.shape == upright.shape
    assert np.abs(result.astype(int) - upright).mean() < 1


def test_an_orientation_behind_the_pixels_counts_for_both_the_colours_and_the_alpha(out):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = encoded(transparent(), "PNG", exif=exif)
    start = data.index(b"eXIf") - 4
    block = data[start : start + 12 + int.from_bytes(data[start : start + 4])]
    late = data.replace(block, b"")
    late = late[:-12] + block + late[-12:]
    assert pixels_of(out(late), "RGBA").shape == (*decode(late, max_pixels=MAX).pixels.shape[:2], 4) == (64, 40, 4)


def test_a_broken_exif_block_is_no_reason_to_refuse(out):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = bytearray(encoded(transparent(), "WEBP", exif=exif, lossless=True))
    at = data.index(b"EXIF") + 8
    data[at : at + 20] = b"\xff" * 20
    assert opened(out(bytes(data))).size in {(64, 40), (40, 64)}


PALETTE = gradient().quantize(16)
GREY = gradient().convert("L")
CHANNELS = {
    "grey": (encoded(GREY, "JPEG"), 1),
    "one bit": (encoded(GREY.convert("1"), "PNG"), 1),
    "16 bit grey": (png(np.full((40, 64), 40_000, np.uint16)), 1),
    "grey and alpha": (encoded(transparent().convert("LA"), "PNG"), 2),
    "a transparent grey": (encoded(GREY, "PNG", transparency=90), 2),
    "colour": (encoded(gradient(), "JPEG"), 3),
    "palette": (encoded(PALETTE, "PNG"), 3),
    "16 bit colour": (png(np.full((40, 64, 3), 40_000, np.uint16)), 3),
    "webp": (encoded(gradient(), "WEBP"), 3),
    "colour and alpha": (encoded(transparent(), "PNG"), 4),
    "a transparent colour": (encoded(gradient(), "PNG", transparency=(0, 0, 90)), 4),
    "palette and alpha": (encoded(PALETTE, "PNG", transparency=bytes(range(0, 256, 16))), 4),
    "webp with alpha": (encoded(transparent(), "WEBP"), 4),
    "16 bit colour and alpha": (png(np.full((40, 64, 4), 40_000, np.uint16)), 4),
    "cmyk": (encoded(gradient().convert("CMYK"), "JPEG"), 4),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_channels_are_those_of_the_file(name):
    data, channels = CHANNELS[name]
    assert decode(data, max_pixels=MAX).channels == channels


@pytest.mark.parametrize("name", CHANNELS)
def test_every_kind_of_file_comes_back_with_its_colours(out, name):
    data, _ = CHANNELS[name]
    seen = cv2.cvtColor(decode(data, max_pixels=MAX).pixels, cv2.COLOR_BGR2RGB)
    assert np.abs(viewed(out(data)).astype(int) - seen).max() <= 1
    assert np.abs(pixels_of(out(encoded(gradient().convert("CMYK"), "JPEG"))).astype(int) - gradient()).mean() < 4


@pytest.mark.parametrize(
    "name", ["grey and alpha", "colour and alpha", "a transparent colour", "palette and alpha", "webp with alpha"]
)
def test_alpha_goes_out_where_the_format_has_it(out, name):
    data, _ = CHANNELS[name]
    alpha = np.asarray(opened(data).convert("RGBA"))[..., 3]
    assert alpha.min() < 10
    assert (pixels_of(out(data), "RGBA")[..., 3] == alpha).all()
    assert (pixels_of(out(data, ImageFormat.WEBP), "RGBA")[..., 3] == alpha).all()


def test_a_jpeg_has_what_was_transparent_on_white(out):
    data = encoded(transparent(), "PNG")
    white = PIL.Image.new("RGBA", (64, 40), "white")
    white.alpha_composite(transparent())
    result = pixels_of(out(data, ImageFormat.JPEG, quality=100))
    assert np.abs(result.astype(int) - np.asarray(white.convert("RGB"))).mean() < 2
    assert result[:, 0].min() > 245


def test_16_bits_of_colour_and_alpha_become_8(out):
    deep = np.random.default_rng(3).integers(0, 65536, (40, 64, 4), dtype=np.uint16)
    result = pixels_of(out(png(deep)), "RGBA")
    seen = result[..., 3] > 0
    assert (result == (deep >> 8)[..., [2, 1, 0, 3]])[seen].all()
    assert (result[~seen] == (255, 255, 255, 0)).all()


@pytest.mark.parametrize("alpha", [0, 255])
def test_what_is_detected_on_is_what_a_viewer_sees(photo, alpha):
    picture = opened(photo("obama/obama.jpg")).convert("RGBA")
    picture.putalpha(alpha)
    data = encoded(picture, "PNG")
    whole = decode_whole(data, read_header(data, max_pixels=MAX), keep_alpha=True)
    seen = decode(data, max_pixels=MAX).pixels
    assert (whole.seen.pixels == seen).all()
    assert (cv2.cvtColor(seen, cv2.COLOR_BGR2RGB) == viewed(data)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_is_detected_on_is_reduced_where_the_picture_is_large(kind):
    data = encoded(gradient(3201, 7), kind)
    whole = decode_whole(data, read_header(data, max_pixels=MAX), keep_alpha=False)
    assert whole.pixels.shape == (7, 3201, 3)
    assert (whole.seen.pixels.shape, whole.seen.scale) == ((4, 1601, 3), 0.5)
    assert (whole.seen.width, whole.seen.height) == (3201, 7)


@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.WEBP])
def test_what_nobody_sees_does_not_go_out(engine, photo, image_format):
    erased = opened(photo("obama/obama.jpg")).convert("RGBA")
    erased.putalpha(0)
    outcome = mask_once(engine, encoded(erased, "PNG"), MaskFaces(format=image_format), max_pixels=MAX)
    assert outcome.faces == ()
    result = pixels_of(outcome.image, "RGBA")
    assert (result[..., 3] == 0).all()
    assert result[..., :3].std() == 0


@pytest.mark.parametrize("image_format", ImageFormat)
def test_what_an_editor_erased_leaves_no_trace_in_the_file_that_goes_out(out, image_format):
    data = need(SHARED / "cases" / "erased_under_alpha.png").read_bytes()
    pixels = pixels_of(data, "RGBA").copy()
    erased = pixels[..., 3] == 0
    assert pixels[erased][:, :3].std() > 10
    pixels[erased] = 0
    other = encoded(PIL.Image.fromarray(pixels), "PNG")
    assert out(data, image_format) == out(other, image_format)
    if image_format is ImageFormat.PNG:
        assert (pixels_of(out(data), "RGBA")[erased] == (255, 255, 255, 0)).all()


def test_a_face_under_a_veil_is_masked_although_a_viewer_hardly_sees_it(engine, photo):
    veiled = opened(photo("obama/obama.jpg")).convert("RGBA")
    veiled.putalpha(3)
    outcome = mask_once(engine, encoded(veiled, "PNG"), MaskFaces(format=ImageFormat.PNG), max_pixels=MAX)
    assert len(outcome.faces) == 1
    colours = cv2.cvtColor(pixels_of(outcome.image, "RGBA"), cv2.COLOR_RGBA2BGR)
    assert engine.detect(Image.of(colours), DetectOptions()).faces == ()


# --- limits


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_no_detection_takes_no_masking_takes(out, photo, kind):
    data = encoded(opened(photo("obama/obama.jpg")), kind)
    for share in (0.1, 0.5, 0.99):
        with pytest.raises(ImageError) as caught:
            out(data[: int(len(data) * share)])
        assert caught.value.failure is Failure.BAD_IMAGE


@pytest.mark.parametrize("size", [(8000, 8000), (32_767, 2), (2, 40_000)])
def test_bombs_and_long_sides_are_refused(out, size):
    with pytest.raises(ImageError) as caught:
        out(encoded(PIL.Image.new("1", size), "PNG"))
    assert caught.value.failure is Failure.IMAGE_TOO_LARGE


@pytest.mark.parametrize("data", [b"", b"x", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(90) + b"IEND", b"GIF89a"])
def test_garbage_is_a_bad_image(out, data):
    with pytest.raises(ImageError) as caught:
        out(data)
    assert caught.value.failure is Failure.BAD_IMAGE


def test_a_side_that_webp_cannot_have_is_refused_before_it_is_decoded(out, monkeypatch):
    data = encoded(PIL.Image.new("RGB", (16_384, 2)), "PNG")
    assert opened(out(data, ImageFormat.PNG)).size == (16_384, 2)
    monkeypatch.setattr("workers.face.anonymous.decode_whole", lambda *_, **__: pytest.fail("it was decoded"))
    with pytest.raises(ImageError) as caught:
        out(data, ImageFormat.WEBP)
    assert caught.value.failure is Failure.IMAGE_TOO_LARGE
    assert "another format" in caught.value.detail


@pytest.mark.parametrize("size", [(16_383, 2), (2, 16_383)])
def test_the_longest_side_that_webp_has_is_written(out, size):
    assert opened(out(encoded(PIL.Image.new("RGB", size), "PNG"), ImageFormat.WEBP)).size == size


def test_a_file_that_would_be_too_large_is_refused(out, monkeypatch):
    monkeypatch.setattr(encode, "MAX_BYTES", 100)
    with pytest.raises(ImageError) as caught:
        out(encoded(gradient(), "PNG"))
    assert caught.value.failure is Failure.IMAGE_TOO_LARGE


# --- colour profiles


def p3(rgb: np.ndarray) -> np.ndarray:
    """sRGB as Display P3 has it, by both matrices of CSS Color 4: uint8[..., 3]."""
    linear = np.where(rgb <= 0.04045 * 255, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])
    mixed = np.clip(linear @ matrix.T, 0, 1)
    return np.rint(255 * np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)).astype(
        np.uint8
    )


@pytest.fixture(scope="module")
def display_p3() -> bytes:
    with PIL.Image.open(need(SHARED / "cases" / "icc_DisplayP3.jpg")) as picture:
        return picture.info["icc_profile"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "RGBA PNG", "WEBP"])
def test_display_p3_goes_out_in_the_colours_of_srgb(out, display_p3, kind):
    colours = np.asarray(gradient())
    picture = PIL.Image.fromarray(p3(colours))
    if kind == "RGBA PNG":
        picture = picture.convert("RGBA")
        picture.putalpha(200)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    data = encoded(picture, kind.removeprefix("RGBA "), icc_profile=display_p3, **options)
    result = opened(out(data))
    assert "icc_profile" not in result.info
    assert np.abs(np.asarray(result.convert("RGB")).astype(int) - colours).mean() < 2
    assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - colours).mean() > 5


def test_srgb_and_what_is_no_profile_of_a_display_change_nothing(out, display_p3):
    plain = pixels_of(out(encoded(gradient(), "PNG")))
    srgb = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    hostile = np.random.default_rng(0).integers(0, 256, len(display_p3), dtype=np.uint8).tobytes()
    broken = [
        srgb,
        b"",
        b"no profile",
        hostile,
        display_p3[:200],
        display_p3[:12] + b"link" + display_p3[16:],
        display_p3[:16] + b"CMYK" + display_p3[20:],
        display_p3[:132] + hostile[132:],
        display_p3[:128] + b"\xff\xff\xff\xff" + display_p3[132:],
    ]
    for profile in broken:
        data = encoded(gradient(), "PNG", icc_profile=profile) if profile else encoded(gradient(), "PNG")
        assert np.abs(pixels_of(out(data)).astype(int) - plain).max() <= 1, profile[:20]
