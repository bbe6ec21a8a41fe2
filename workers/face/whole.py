"""A picture that goes out again: every pixel of its file, upright and with its transparency, and a view for a detector.

    JPEG, CMYK or MPO ─ its first picture in colour ─┐                     ┌─ pixels, for whoever paints on them
    PNG, WebP, grey, palette, 16 bit ─ in 8 bit ─────┼─ EXIF orientation ──┤
    the same with transparency ─ in four channels ───┘                     └─ seen, reduced, for a detector

What moves (APNG, animated WebP) goes out as its first frame: it is what is looked at, too. A detector sees the colours
without the transparency, so that a face which an editor only hid is masked as well. OpenCV does not know a transparent
grey (tRNS of a grey PNG), and such a picture goes out opaque.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import PIL.Image

from shared.contracts import Failure
from workers.face.images import KEEP_SIDE, Image, ImageError, check_side, decoded, divisor_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.face.images import Header

EXIF_ORIENTATION = 0x0112
# From EXIF's orientation (JEITA CP-3451, 4.6.4 A) to upright: is it transposed, and how is it flipped after that?
# OpenCV's flips: 1 left and right, 0 top and bottom, -1 both. 1, and whatever is none, stays as it is.
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """`pixels` is BGR or BGRA uint8[height, width, 3 or 4], to paint on; `seen` may share its memory."""

    pixels: NDArray[np.uint8]
    seen: Image


def decode_whole(data: bytes, header: Header, *, keep_alpha: bool, keep_side: int = KEEP_SIDE) -> Whole:
    """Every pixel of the file that `header` is of. Without `keep_alpha` what is transparent lies on white.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over MAX_SIDE.
    """
    check_side(header)
    pixels = _with_alpha(data) if header.has_alpha else decoded(data, cv2.IMREAD_COLOR)
    if pixels.shape[2] == 3:
        return Whole(pixels, reduced(pixels, header.channels, keep_side))
    colours = cast("NDArray[np.uint8]", cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR))
    seen = reduced(colours, header.channels, keep_side)
    return Whole(pixels if keep_alpha else _on_white(colours, pixels), seen)


def reduced(pixels: NDArray[np.uint8], channels: int, keep_side: int = KEEP_SIDE) -> Image:
    """As large as a detector needs it, whatever the format: what `images.decode` does to a JPEG on the way.

    By areas, which is nearest to what libjpeg does.
    """
    height, width = pixels.shape[:2]
    divisor = divisor_of(width, height, keep_side)
    if divisor > 1:
        size = -(-width // divisor), -(-height // divisor)
        pixels = cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return Image(pixels, width, height, 1 / divisor, channels)


def _with_alpha(data: bytes) -> NDArray[np.uint8]:
    """BGRA, or BGR where OpenCV sees no alpha. Raises ImageError, BAD_IMAGE."""
    try:
        # With the metadata that OpenCV itself goes by in the other flags; in this one it leaves the orientation alone.
        read = cast("Any", cv2.imdecodeWithMetadata)(np.frombuffer(data, np.uint8), None, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        read = None, (), ()
    pixels, kinds, metadata = cast("tuple[NDArray[Any] | None, tuple[int, ...], tuple[NDArray[np.uint8], ...]]", read)
    if pixels is None or not pixels.size:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        return decoded(data, cv2.IMREAD_COLOR)
    if pixels.dtype == np.uint16:
        # The upper half, as OpenCV does for colours; a detector sees the same pixels in either way.
        pixels = pixels >> 8
    exif = next((block for kind, block in zip(kinds, metadata, strict=True) if kind == cv2.IMAGE_METADATA_EXIF), None)
    return _upright(pixels.astype(np.uint8, copy=False), 1 if exif is None else _orientation(exif))


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    transposed, flip = _UPRIGHT.get(orientation, (False, None))
    turned = cv2.transpose(pixels) if transposed else pixels
    return cast("NDArray[np.uint8]", turned if flip is None else cv2.flip(turned, flip))


def _orientation(exif: NDArray[np.uint8]) -> int:
    """1 for what cannot be read: a picture with a broken EXIF block is a picture."""
    read = PIL.Image.Exif()
    try:
        read.load(b"Exif\0\0" + exif.tobytes())
        return int(read.get(EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 — as for a hostile header
        return 1


def _on_white(colours: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`colours` with the alpha of `pixels` over white: 255 - (255 - colour) * alpha / 255."""
    alpha = cv2.cvtColor(cv2.extractChannel(pixels, 3), cv2.COLOR_GRAY2BGR)
    ink = cv2.multiply(cv2.bitwise_not(colours), alpha, scale=1 / 255)
    return cast("NDArray[np.uint8]", cv2.bitwise_not(ink))
