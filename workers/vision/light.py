"""Dark pictures made bright before a detector or an embedding looks at them.

Every value is multiplied by one factor, so that the brightest hundredth of the pixels becomes light. Measured on 76
photos of 53 persons made darker, with a noise of one grey level, as the share that is found and known again by w600k
(gamma and CLAHE are the usual other ways; "smoothed" is a bilateral filter behind the factor):

    light left      as it is   factor   smoothed   gamma   CLAHE
    1/4                  96%     100%       100%     96%     99%
    1/10                 69%     100%       100%     83%     94%
    1/20                 11%      96%        98%     71%     66%
    3/100                 0%      85%        89%     62%     34%

A picture with a light part in it is left as it is: a lamp, or a window behind a face. There the face alone is judged
and made bright (`lit` with its box).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray
    from workers.vision.decode import Image

# Grey values. In 270 photos as people take them the brightest hundredth begins at 178 and more.
DARK = 120
# The same of the pixels of a face's box: 130 and more, the darker skins among them.
DARK_FACE = 90
LIGHT = 220
# Of the sensor's noise more than of the face is seen at a larger factor.
MOST_GAIN = 40.0
# From this factor on noise is seen, and is smoothed.
NOISY_GAIN = 8.0
STEP = 8  # every eighth pixel of every eighth row tells as much, at 1/64 of the price


def lit(image: Image, box: FloatArray | None = None) -> Image:
    """Return the picture made bright, or itself where it is bright enough.

    With `box`, float32[4] as x1 y1 x2 y2, the light in it decides. `Image.gain` is the factor, for who judges light.
    """
    factor = _factor(image.pixels, DARK) if box is None else _factor(_inside(image.pixels, box), DARK_FACE)
    if factor <= 1:
        return image
    pixels = cv2.convertScaleAbs(image.pixels, alpha=factor)
    if factor > NOISY_GAIN:
        pixels = cv2.bilateralFilter(pixels, 5, 30, 3)
    return replace(image, pixels=cast("NDArray[np.uint8]", pixels), gain=image.gain * factor)


def _factor(pixels: NDArray[np.uint8], dark: float) -> float:
    if not pixels.size:  # a box that the picture's edge cuts to nothing
        return 1.0
    step = max(1, min(STEP, min(pixels.shape[:2]) // 16))
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[::step, ::step]), cv2.COLOR_BGR2GRAY)
    # Counting takes a tenth of the time that a percentile does, and is enough for the pictures that are bright.
    if np.count_nonzero(grey >= dark) > grey.size / 100:
        return 1.0
    brightest = float(np.percentile(grey, 99))
    # A picture without any light in it is black, and nothing is hidden in it.
    return 1.0 if brightest < 1 else min(LIGHT / brightest, MOST_GAIN)


def _inside(pixels: NDArray[np.uint8], box: FloatArray) -> NDArray[np.uint8]:
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    return pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
