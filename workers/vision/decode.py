"""From the bytes of an image file to upright pixels, or to the reason why not: reduced, or every pixel of it.

The header is read first (Pillow, which decodes nothing then), so that a bomb is refused before it takes memory. OpenCV
decodes and applies the EXIF orientation.

`decode` is for what is only looked at. A large JPEG comes at a half, a quarter or an eighth of its size, which libjpeg
does in a fraction of the time: a detector looks at 640 pixels, an embedding at 112 pixels of a face.

`decode_whole` is for what goes out again: every pixel, upright and with its transparency, and a view for a detector.

    JPEG, CMYK or MPO ─ its first picture in colour ─┐                     ┌─ pixels, for whoever paints on them
    PNG, WebP, grey, palette, 16 bit ─ in 8 bit ─────┼─ upright ─ sRGB ────┤
    the same with transparency ─ in four channels ───┘                     └─ seen, reduced, for a detector

What moves (APNG, animated WebP) goes out as its first frame: it is what is looked at, too. A detector sees what a
viewer sees: transparent pixels lie on white, and what is fully transparent is erased from what goes out
(`transparency`). Where a half transparent part still carries its colours, mask looks at these, too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np
import PIL.Image

from shared.contracts import Failure
from workers.vision.colour_profile import to_srgb
from workers.vision.transparency import erase_unseen, is_veiled, on_white, with_alpha
from workers.vision.wholeness import ended, is_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A face of 7% of the longer side still has the 112 pixels that an embedding takes.
KEEP_SIDE = 1600
# OpenCV's warps take no picture of more pixels in a row or a column (SHRT_MAX).
MAX_SIDE = 32_766
# As `keep_side`: a JPEG comes as it is, or reduced as far as MAX_SIDE asks.
EVERY_PIXEL = MAX_SIDE // 2
FORMATS = ("JPEG", "PNG", "WEBP")
# The bound on pixels is the setting's, and is looked at before anything is decoded; Pillow's own would only warn.
PIL.Image.MAX_IMAGE_PIXELS = None

# What else Pillow calls its modes has three colours: RGB, P (a palette), and what is made of YCbCr.
_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B")

# By what a picture is reduced, the most first.
_FLAGS = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


class ImageError(Exception):
    """An input that cannot be worked on; `tasks` answers it as a Failed."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """`pixels` is BGR uint8[height, width, 3], upright; `width` and `height` are the file's, upright, too.

    `scale` is the size of `pixels` over the file's: 1, 1/2, 1/4 or 1/8. Coordinates go back by dividing by it.
    `channels` are the file's, see `Header`. `gain` is by what the pixels were made brighter than the file's (`light`).
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    scale: float
    channels: int = 3
    gain: float = 1.0

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Image:
        """Pixels that are no file's, as a picture of their own size."""
        return cls(pixels, pixels.shape[1], pixels.shape[0], 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """`pixels` is BGR or BGRA uint8[height, width, 3 or 4], to paint on; `seen` may share its memory.

    `seen` is what a viewer sees, reduced; `veiled` the colours without their transparency, where that hides something
    and lets it out all the same.
    """

    pixels: NDArray[np.uint8]
    seen: Image
    veiled: Image | None = None

    def opaque(self) -> Image:
        """Return every pixel as a viewer sees it."""
        return Image.of(self.pixels if self.pixels.shape[2] == 3 else on_white(self.pixels))


class Header(NamedTuple):
    """What a file says of its picture: JPEG, PNG or WEBP, and its size in pixels as stored, before the orientation.

    `channels`: 1 grey, 2 grey with alpha, 3 colour (a palette, too), 4 colour with alpha, or CMYK. A transparent colour
    (PNG's tRNS) counts as alpha. `profile` is the ICC profile of its colours, empty where it has none.
    """

    kind: str
    width: int
    height: int
    channels: int
    has_alpha: bool
    profile: bytes = b""


def decode(data: bytes, *, max_pixels: int, keep_side: int = KEEP_SIDE) -> Image:
    """Decode a JPEG, PNG or WebP file.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels` or MAX_SIDE.
    """
    header = read_header(data, max_pixels=max_pixels)
    divisor = divisor_of(header.width, header.height, keep_side) if header.kind == "JPEG" else 1
    check_side(header, divisor)
    pixels = on_white(_with_alpha(data)) if header.has_alpha else decoded(data, _FLAGS[divisor])
    width, height = header.width, header.height
    # libjpeg rounds a reduced size up. Where the sides do not fit as they are, the orientation has swapped them.
    if pixels.shape[:2] != (-(-height // divisor), -(-width // divisor)):
        width, height = height, width
    return Image(pixels, width, height, 1 / divisor, header.channels)


def decode_whole(data: bytes, header: Header, *, keep_alpha: bool, keep_side: int = KEEP_SIDE) -> Whole:
    """Every pixel of the file that `header` is of, in sRGB. Without `keep_alpha` what is transparent lies on white.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over MAX_SIDE.
    """
    check_side(header)
    pixels = _with_alpha(data) if header.has_alpha else decoded(data, cv2.IMREAD_COLOR)
    if header.profile:
        to_srgb(pixels, header.profile)
    if pixels.shape[2] == 4 and not keep_alpha:
        pixels = on_white(pixels)
    if pixels.shape[2] == 3:
        return Whole(pixels, reduced(pixels, header.channels, keep_side))
    erase_unseen(pixels)
    veiled = None
    if is_veiled(pixels):
        colours = cast("NDArray[np.uint8]", cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR))
        veiled = reduced(colours, header.channels, keep_side)
    return Whole(pixels, reduced(on_white(pixels), header.channels, keep_side), veiled)


def reduced(pixels: NDArray[np.uint8], channels: int, keep_side: int = KEEP_SIDE) -> Image:
    """As large as a detector needs it, whatever the format: what `decode` does to a JPEG on the way.

    By areas, which is nearest to what libjpeg does.
    """
    height, width = pixels.shape[:2]
    divisor = divisor_of(width, height, keep_side)
    if divisor > 1:
        size = -(-width // divisor), -(-height // divisor)
        pixels = cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return Image(pixels, width, height, 1 / divisor, channels)


def read_header(data: bytes, *, max_pixels: int) -> Header:
    """The header of a file that reaches its end, without decoding anything.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels`.
    """
    # Before the header, because Pillow takes seconds over a file of a million empty segments.
    if not is_whole(data):
        raise ImageError(Failure.BAD_IMAGE, "the file is truncated")
    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            has_alpha = image.has_transparency_data
            channels = 4 if image.mode == "CMYK" else (1 if image.mode in _GREY_MODES else 3) + has_alpha
            profile = image.info.get("icc_profile") or b""
            header = Header(kind, image.width, image.height, channels, has_alpha, profile)
    except Exception:  # noqa: BLE001 — a hostile header may make Pillow raise almost anything: SyntaxError, struct.error …
        raise ImageError(Failure.BAD_IMAGE, "the file is not a readable JPEG, PNG or WebP") from None
    if header.width * header.height > max_pixels:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {max_pixels // 1_000_000} megapixels")
    return header


def divisor_of(width: int, height: int, keep_side: int) -> int:
    """By how much a picture is reduced so that its longer side keeps `keep_side` pixels: 8, 4, 2 or 1."""
    return next((divisor for divisor in _FLAGS if max(width, height) >= divisor * keep_side), 1)


def check_side(header: Header, divisor: int = 1) -> None:
    """Raises ImageError, IMAGE_TOO_LARGE, for a picture that is over MAX_SIDE once it is reduced."""
    if max(header.width, header.height) > MAX_SIDE * divisor:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {MAX_SIDE:,} pixels in a row or column")


def decoded(data: bytes, flag: int) -> NDArray[np.uint8]:
    """OpenCV's BGR pixels, upright. Raises ImageError, BAD_IMAGE."""
    try:
        pixels = cast("NDArray[np.uint8] | None", cv2.imdecode(np.frombuffer(ended(data), np.uint8), flag))
    except cv2.error:
        pixels = None
    if pixels is None or pixels.ndim != 3 or not pixels.size:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    return pixels


def _with_alpha(data: bytes) -> NDArray[np.uint8]:
    """BGRA pixels. Raises ImageError, BAD_IMAGE."""
    pixels = with_alpha(data)
    if pixels is None:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    return pixels
