"""What a card lies on: wood, stone, cloth, plain paper. Drawn small and enlarged, so that 12 megapixels take no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

COLOURS = {
    "wood": ((60, 95, 140), (90, 135, 180), (40, 60, 90), (120, 160, 200)),
    "stone": ((170, 172, 176), (90, 92, 96), (205, 208, 212)),
    "cloth": ((80, 60, 50), (60, 60, 120), (110, 120, 90), (45, 45, 48)),
    "plain": ((225, 228, 230), (60, 60, 62), (140, 160, 170), (90, 110, 80)),
}


def surface(rng: Random, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture uint8[height, width, 3] of a table in BGR; `size` is width, height."""
    kind = rng.choice(list(COLOURS))
    colour = np.array(rng.choice(COLOURS[kind]), np.float32)
    numbers = np.random.default_rng(rng.getrandbits(32))
    long_side = 800
    width, height = (max(round(side * long_side / max(size)), 8) for side in size)
    if kind == "wood":
        grain = cv2.resize(
            numbers.normal(0, 1, (height, 12)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        fine = cv2.resize(numbers.normal(0, 1, (height, 60)).astype(np.float32), (width, height))
        light = 0.10 * cv2.GaussianBlur(grain, (0, 0), 3) * 3 + 0.05 * fine
        if rng.random() < 0.5:
            light = cv2.resize(np.ascontiguousarray(light.T), (width, height))
    elif kind == "stone":
        light = sum(
            0.05
            * cv2.resize(
                numbers.normal(0, 1, (n, n)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
            )
            for n in (6, 24, 96)
        )
    elif kind == "cloth":
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        step = rng.uniform(1.2, 2.2)
        light = 0.09 * np.sin(xs * step) * np.sin(ys * step) + numbers.normal(0, 0.05, (height, width))
    else:
        light = numbers.normal(0, 0.015, (height, width))
    picture = np.clip(colour * (1 + np.asarray(light, np.float32)[:, :, None]), 0, 255).astype(np.uint8)
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
