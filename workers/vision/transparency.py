"""Transparent pictures: what a viewer sees of them is what is looked at, and what nobody sees does not go out.

An editor that erases leaves the colours under an alpha of 0. A detector must not find there what no viewer sees, and a
masked picture must not carry it on: such pixels become white.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXIF_ORIENTATION = 0x0112
# From EXIF's orientation (JEITA CP-3451, 4.6.4 A) to upright: is it transposed, and how is it flipped after that?
# OpenCV's flips: 1 left and right, 0 top and bottom, -1 both. 1, and any value that EXIF does not have, stays as it is.
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}
# PNG's IHDR (ISO/IEC 15948, 11.2.2): the bits of a sample stand at this byte of the file.
_DEPTH_AT = 24
# The pixels of the smallest face that may be hidden under a veil.
LEAST_VEILED = 20 * 20
# What lets so much through hides nothing.
_OPAQUE = 250


def with_alpha(data: bytes) -> NDArray[np.uint8] | None:
    """Return the file's first picture as upright BGRA uint8[height, width, 4]; None where it cannot be decoded."""
    # OpenCV has no 8-bit alpha of a 16-bit PNG, which would be held twice over; it does not know a transparent grey.
    if data.startswith(b"\x89PNG") and data[_DEPTH_AT : _DEPTH_AT + 1] == b"\x10":
        return _by_pillow(data)
    try:
        # With the metadata that OpenCV itself goes by in the other flags; in this one it leaves the orientation alone.
        read = cast("Any", cv2.imdecodeWithMetadata)(np.frombuffer(data, np.uint8), None, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    pixels, kinds, metadata = cast("tuple[NDArray[Any] | None, tuple[int, ...], tuple[NDArray[np.uint8], ...]]", read)
    if pixels is None or not pixels.size:
        return None
    if pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.dtype != np.uint8:
        return _by_pillow(data)
    exif = next((block for kind, block in zip(kinds, metadata, strict=True) if kind == cv2.IMAGE_METADATA_EXIF), None)
    return _upright(cast("NDArray[np.uint8]", pixels), 1 if exif is None else _orientation(exif))


def on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return BGRA pixels as they look on white, BGR: 255 - (255 - colour) * alpha / 255."""
    colours = cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR)
    alpha = cv2.extractChannel(pixels, 3)
    if int(alpha.min()) == 255:
        return cast("NDArray[np.uint8]", colours)
    ink = cv2.multiply(cv2.bitwise_not(colours), cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), scale=1 / 255)
    return cast("NDArray[np.uint8]", cv2.bitwise_not(ink))


def erase_unseen(pixels: NDArray[np.uint8]) -> None:
    """Make the colours of all fully transparent BGRA pixels white, in place."""
    pixels[pixels[..., 3] == 0, :3] = 255


def is_veiled(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether a face may lie under a part of BGRA pixels that hardly lets it through, but keeps its colours."""
    alpha = cv2.extractChannel(pixels, 3)
    return int(cv2.countNonZero(cv2.inRange(alpha, 1, _OPAQUE - 1))) >= LEAST_VEILED  # type: ignore[arg-type]


def _by_pillow(data: bytes) -> NDArray[np.uint8] | None:
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            upright = PIL.ImageOps.exif_transpose(image)
            return cv2.cvtColor(np.asarray(upright.convert("RGBA")), cv2.COLOR_RGBA2BGRA)  # type: ignore[return-value]
    except Exception:  # noqa: BLE001 — a hostile file may make Pillow raise almost anything
        return None


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
