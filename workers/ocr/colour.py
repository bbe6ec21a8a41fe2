"""Is the card a photocopy in shades of grey?

The light tints a whole picture, a grey copy too; what a copy lacks is one colour beside another. So what is measured is
how far colours are from the card's own mean tint: the chroma (CIE 1976 a*, b*) of its most colourful twentieth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.runtime.onnx import FloatArray

# For the measurement: noise and the colour fringes of JPEG are smaller than a pixel then.
WIDTH = 160
MOST_GREY = 6.0


def is_greyscale(card: NDArray[np.uint8]) -> bool:
    """Has `card`, BGR uint8[height, width, 3], no colours but its tint?"""
    return colourfulness(card) < MOST_GREY


def colourfulness(card: NDArray[np.uint8]) -> float:
    """The 95th percentile of the distance in a*, b* from the median tint."""
    size = WIDTH, max(1, round(WIDTH * card.shape[0] / card.shape[1]))
    small = cv2.resize(card, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    chroma = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)[:, :, 1:].reshape(-1, 2)
    far = cast("FloatArray", np.linalg.norm(chroma - np.median(chroma, axis=0), axis=1))
    return float(np.percentile(far, 95))
