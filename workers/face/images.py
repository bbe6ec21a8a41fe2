"""From the bytes of an image file to upright pixels, or to the reason why not.

The header is read first (Pillow, which decodes nothing then), so that a bomb is refused before it takes memory. OpenCV
decodes and applies the EXIF orientation. A large JPEG is decoded at a half, a quarter or an eighth of its size, which
libjpeg does in a fraction of the time: a detector looks at 640 pixels, an embedding at 112 pixels of a face.
"""

from __future__ import annotations

import io
import warnings
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
FORMATS = ("JPEG", "PNG", "WEBP")

_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


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
    """Decode a JPEG, PNG or WebP file. Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels`."""
    kind, width, height = _header(data)
    if width * height > max_pixels:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {max_pixels // 1_000_000} megapixels")
    if not _is_whole(kind, data):
        raise ImageError(Failure.BAD_IMAGE, "the file is truncated")
    factor, flag = 1, cv2.IMREAD_COLOR
    if kind == "JPEG":
        for divisor, reduced in _REDUCED:
            if max(width, height) >= divisor * keep_side:
                factor, flag = divisor, reduced
                break
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
        with warnings.catch_warnings():
            # The bound on pixels is ours, and is looked at right after this.
            warnings.simplefilter("ignore")
            with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
                kind = "JPEG" if image.format == "MPO" else str(image.format)
                return kind, image.width, image.height
    except PIL.Image.DecompressionBombError:
        raise ImageError(Failure.IMAGE_TOO_LARGE, "the picture has far too many pixels") from None
    except Exception:  # noqa: BLE001 — a hostile header may make Pillow raise almost anything: SyntaxError, struct.error …
        raise ImageError(Failure.BAD_IMAGE, "the file is not a readable JPEG, PNG or WebP") from None


def _is_whole(kind: str, data: bytes) -> bool:
    """Does the file reach its end? OpenCV returns half a picture without a word.

    JPEG (ITU-T T.81, B.1.1): the last end-of-image marker comes after the last start of a scan; neither can occur
    inside entropy-coded data. PNG (ISO/IEC 15948, 5.6): an IEND chunk. WebP: RIFF's own length. Bytes behind the end
    are no harm: phones append previews and videos.
    """
    if kind == "JPEG":
        return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
    if kind == "PNG":
        return b"IEND" in data
    return len(data) >= int.from_bytes(data[4:8], "little") + 8
