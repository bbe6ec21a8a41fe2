"""Is the card a photocopy in shades of grey?

The light tints a whole picture, a grey copy too; what a copy lacks is one colour beside another. A tint scales the
channels everywhere alike, so it leaves chromaticities (a channel's share of all three) together: what is measured is
how far they are from the card's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray

# For the measurement: noise and the colour fringes of JPEG are smaller than a pixel then.
WIDTH = 160
# Of the three channels together, 0 to 765: a share of less is noise.
LEAST_LIGHT = 120
# Measured on 96 specimens: grey copies, under light of any tint, 0.000 to 0.003, cards 0.008 and more.
MOST_GREY = 0.005


def is_greyscale(card: NDArray[np.uint8]) -> bool:
    """Has `card`, BGR uint8[height, width, 3], no colours but its tint?"""
    return colourfulness(card) < MOST_GREY


def colourfulness(card: NDArray[np.uint8]) -> float:
    """The 95th percentile of the distance of chromaticities, blue's and green's share, from the median one."""
    size = WIDTH, max(1, round(WIDTH * card.shape[0] / card.shape[1]))
    pixels = cv2.resize(card, size, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    pixels = pixels[pixels.sum(axis=1) > LEAST_LIGHT]
    if not len(pixels):
        return 0.0
    shares = (pixels / pixels.sum(axis=1, keepdims=True))[:, :2]
    far = cast("FloatArray", np.linalg.norm(shares - np.median(shares, axis=0), axis=1))
    return float(np.percentile(far, 95))
