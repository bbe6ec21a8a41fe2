"""A face with a part of what is around it, in the size that a network takes.

Where the box reaches over the picture's edge the edge's pixels are repeated. Silent-Face-Anti-Spoofing, whose networks
the photo check runs, moves and shrinks the box into the picture instead; on a tight crop, of which many uploads are,
that shows the network a face far too large, and it took 14 of 44 real photos for spoofs. Repeated edges: 1 of 44, with
the spoofs lower, too. Black or mirrored edges were worse than either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray


def around(
    pixels: NDArray[np.uint8], box: FloatArray, scale: float, side: int, *, square: bool = False
) -> NDArray[np.uint8]:
    """The box, scaled about its centre by `scale`, as uint8[side, side, 3].

    The box is stretched to the square, as the networks were trained; with `square` its longer side is taken both ways.
    """
    centre = (box[:2] + box[2:]).astype(np.float64) / 2
    size = np.maximum((box[2:] - box[:2]).astype(np.float64), 1)
    size = scale * (np.repeat(size.max(), 2) if square else size)
    corner = centre - size / 2
    # Only what is seen is handed on: OpenCV's warp takes no picture of 32,767 pixels or more in a row.
    limit = np.array(pixels.shape[1::-1])
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
            borderMode=cv2.BORDER_REPLICATE,
        ),
    )
