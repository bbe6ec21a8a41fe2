"""A face with a part of what is around it, or the middle of the picture, in the size that a network takes.

Where a crop reaches over the picture's edge there are three ways, and networks differ in which they were trained with:

    repeat   the outermost pixels go on
    move     the crop is moved into the picture, and made smaller where it is larger than the picture
    black    there is nothing there

Silent-Face-Anti-Spoofing, whose networks the photo check runs, moves. docs/liveness.md has what each way finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.weights.forms import Edge
    from workers.inference.network import FloatArray

    Place = tuple[NDArray[np.float64], NDArray[np.float64]]


def around(
    pixels: NDArray[np.uint8], box: FloatArray, scale: float, side: int, *, square: bool = False, edge: Edge = "repeat"
) -> NDArray[np.uint8]:
    """Return the box, scaled about its centre by `scale`, as uint8[side, side, 3].

    The box is stretched to the square, as the networks were trained; with `square` its longer side is taken both ways.
    """
    corner, size = _place(box, scale, square=square)
    limit = np.array(pixels.shape[1::-1])
    if edge == "move":
        smaller = size * min(1.0, float((limit / size).min()))
        corner, size = np.clip(corner + (size - smaller) / 2, 0, limit - smaller), smaller
    # Only what is seen is handed on: OpenCV's warp takes no picture of 32,767 pixels or more in a row.
    first = np.clip(np.floor(corner).astype(int) - 1, 0, limit - 1)
    last = np.clip(np.ceil(corner + size).astype(int) + 1, first + 1, limit)
    seen = pixels[first[1] : last[1], first[0] : last[0]]
    # Centre of a pixel to centre of a pixel, as cv2.resize does it; a warp needs no copy with the border around it.
    step = size / side
    shift = corner - first + step / 2 - 0.5
    matrix = np.array([[step[0], 0, shift[0]], [0, step[1], shift[1]]])
    return cast(
        "NDArray[np.uint8]",
        cv2.warpAffine(
            seen,
            matrix,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT if edge == "black" else cv2.BORDER_REPLICATE,
        ),
    )


def leaves(pixels: NDArray[np.uint8], box: FloatArray, scale: float, *, square: bool = False) -> bool:
    """Does this crop reach over the picture's edge?"""
    corner, size = _place(box, scale, square=square)
    return bool((corner < 0).any() or (corner + size > np.array(pixels.shape[1::-1])).any())


def middle(pixels: NDArray[np.uint8], resize: int, side: int) -> NDArray[np.uint8]:
    """Return the middle of the picture, whose shorter side counts `resize` pixels, as uint8[side, side, 3]."""
    height, width = pixels.shape[:2]
    taken = max(1, round(min(height, width) * side / resize))
    top, left = (height - taken) // 2, (width - taken) // 2
    part = pixels[top : top + taken, left : left + taken]
    # Without averaging over what a pixel covers a smaller picture has patterns that look like a generator's.
    way = cv2.INTER_AREA if taken > side else cv2.INTER_LINEAR
    return cast("NDArray[np.uint8]", cv2.resize(part, (side, side), interpolation=way))


def _place(box: FloatArray, scale: float, *, square: bool) -> Place:
    """Return the upper left corner and the size of a crop, float64[2] each, in pixels of the picture."""
    centre = (box[:2] + box[2:]).astype(np.float64) / 2
    size = np.maximum((box[2:] - box[:2]).astype(np.float64), 1)
    size = scale * (np.repeat(size.max(), 2) if square else size)
    return centre - size / 2, size
