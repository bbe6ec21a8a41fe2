"""From the bytes of an image file to upright pixels, or to the reason why not.

The header is read first (Pillow, which decodes nothing then), so that a bomb is refused before it takes memory. OpenCV
decodes and applies the EXIF orientation. A large JPEG is decoded at a half, a quarter or an eighth of its size, which
libjpeg does in a fraction of the time: a detector looks at 640 pixels, an embedding at 112 pixels of a face.

What goes out again, masked, is decoded whole: see whole.py, which begins with the same header and the same refusals.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np
import PIL.Image

from shared.contracts import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A face of 7% of the longer side still has the 112 pixels that an embedding takes.
KEEP_SIDE = 1600
# OpenCV's warps take no picture of more pixels in a row or a column (SHRT_MAX).
MAX_SIDE = 32_766
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
# What ends a run of entropy-coded data: in it an FF is followed by 00 or by a restart marker; 01 has no segment either.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_END_OF_IMAGE = b"\xd9"
_MAX_SEGMENTS = 4096  # 83 photos have 6 to 24; 10 MB of a colour profile and notes have 160


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
    `channels` are the file's, see `Header`.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    scale: float
    channels: int = 3


class Header(NamedTuple):
    """What a file says of its picture: JPEG, PNG or WEBP, and its size in pixels as stored, before the orientation.

    `channels`: 1 grey, 2 grey with alpha, 3 colour (a palette, too), 4 colour with alpha, or CMYK. A transparent colour
    (PNG's tRNS) counts as alpha.
    """

    kind: str
    width: int
    height: int
    channels: int
    has_alpha: bool


def decode(data: bytes, *, max_pixels: int, keep_side: int = KEEP_SIDE) -> Image:
    """Decode a JPEG, PNG or WebP file.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels` or MAX_SIDE.
    """
    header = read_header(data, max_pixels=max_pixels)
    divisor = divisor_of(header.width, header.height, keep_side) if header.kind == "JPEG" else 1
    check_side(header, divisor)
    pixels = decoded(data, _FLAGS[divisor])
    width, height = header.width, header.height
    # libjpeg rounds a reduced size up. Where the sides do not fit as they are, the orientation has swapped them.
    if pixels.shape[:2] != (-(-height // divisor), -(-width // divisor)):
        width, height = height, width
    return Image(pixels, width, height, 1 / divisor, header.channels)


def read_header(data: bytes, *, max_pixels: int) -> Header:
    """The header of a file that reaches its end, without decoding anything.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels`.
    """
    # Before the header, because Pillow takes seconds over a file of a million empty segments.
    if not _is_whole(data):
        raise ImageError(Failure.BAD_IMAGE, "the file is truncated")
    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            has_alpha = image.has_transparency_data
            channels = 4 if image.mode == "CMYK" else (1 if image.mode in _GREY_MODES else 3) + has_alpha
            header = Header(kind, image.width, image.height, channels, has_alpha)
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
        pixels = cast("NDArray[np.uint8] | None", cv2.imdecode(np.frombuffer(data, np.uint8), flag))
    except cv2.error:
        pixels = None
    if pixels is None or pixels.ndim != 3 or not pixels.size:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    return pixels


def _is_whole(data: bytes) -> bool:
    """Does the file reach its end? OpenCV returns half a picture without a word. What is no picture passes.

    JPEG: see `_jpeg_ends`. PNG (ISO/IEC 15948, 5.6): an IEND chunk. WebP: RIFF's own length. Bytes behind the end are
    no harm: phones append previews and videos.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg_ends(data)
    if data.startswith(b"\x89PNG"):
        return b"IEND" in data
    return not data.startswith(b"RIFF") or len(data) >= int.from_bytes(data[4:8], "little") + 8


def _jpeg_ends(data: bytes) -> bool:
    """Does the picture's own last scan reach its end-of-image marker (ITU-T T.81, annex B)?

    Walks from segment to segment, since neither the first nor the last such marker in the file is the picture's: an
    EXIF thumbnail inside a segment has one, and among the bytes of an appended film any two may be met, in any order.
    """
    position = 2
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None:
            return False
        position = marker.end()
        if marker[1] == _END_OF_IMAGE:
            return True
        position += int.from_bytes(data[position : position + 2])
    return False
