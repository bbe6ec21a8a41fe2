"""From the bytes of an image file to upright pixels, or to the reason why not.

The header is read first (Pillow, which decodes nothing then), so that a bomb is refused before it takes memory. OpenCV
decodes and applies the EXIF orientation. A large JPEG is decoded at a half, a quarter or an eighth of its size, which
libjpeg does in a fraction of the time: a detector looks at 640 pixels, an embedding at 112 pixels of a face.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

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

_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
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
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    scale: float


def decode(data: bytes, *, max_pixels: int, keep_side: int = KEEP_SIDE) -> Image:
    """Decode a JPEG, PNG or WebP file.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels` or MAX_SIDE.
    """
    # Before the header, because Pillow takes seconds over a file of a million empty segments.
    if not _is_whole(data):
        raise ImageError(Failure.BAD_IMAGE, "the file is truncated")
    kind, width, height = _header(data)
    if width * height > max_pixels:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {max_pixels // 1_000_000} megapixels")
    factor, flag = 1, cv2.IMREAD_COLOR
    if kind == "JPEG":
        for divisor, reduced in _REDUCED:
            if max(width, height) >= divisor * keep_side:
                factor, flag = divisor, reduced
                break
    if max(width, height) > MAX_SIDE * factor:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {MAX_SIDE:,} pixels in a row or column")
    try:
        pixels = cast("NDArray[np.uint8] | None", cv2.imdecode(np.frombuffer(data, np.uint8), flag))
    except cv2.error:
        pixels = None
    if pixels is None or pixels.ndim != 3 or not pixels.size:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    # libjpeg rounds a reduced size up. Where the sides do not fit as they are, the orientation has swapped them.
    if pixels.shape[:2] != (-(-height // factor), -(-width // factor)):
        width, height = height, width
    return Image(pixels, width, height, 1 / factor)


def _header(data: bytes) -> tuple[str, int, int]:
    """Format, width and height as stored, without decoding anything."""
    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            return kind, image.width, image.height
    except Exception:  # noqa: BLE001 — a hostile header may make Pillow raise almost anything: SyntaxError, struct.error …
        raise ImageError(Failure.BAD_IMAGE, "the file is not a readable JPEG, PNG or WebP") from None


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
