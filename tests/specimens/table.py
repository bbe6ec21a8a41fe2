"""What a card lies on: wood, stone, cloth, plain paper. Drawn small and enlarged, for twelve megapixels take long."""

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
    if rng.random() < 0.3:
        _strew(rng, picture)
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def _strew(rng: Random, picture: NDArray[np.uint8]) -> None:
    """A sheet of paper, a pen or another card lies there, too, reaching in from an edge, in place."""
    height, width = picture.shape[:2]
    for _ in range(rng.randint(1, 2)):
        sides, colour = rng.choice(
            (((1.0, 0.7), (238, 240, 240)), ((0.5, 0.03), (60, 40, 40)), ((0.35, 0.22), (70, 90, 190)))
        )
        edge, along = rng.randrange(4), rng.random()
        at = ((along, 0.0), (1.0, along), (along, 1.0), (0.0, along))[edge]
        centre = (at[0] * width, at[1] * height)
        box = cv2.boxPoints(
            (centre, (sides[0] * max(width, height), sides[1] * max(width, height)), rng.uniform(0, 180))
        )
        shadow = np.round(box + 5).astype(np.int32)
        cv2.fillPoly(picture, [shadow], tuple(int(value) for value in picture.mean(axis=(0, 1)) * 0.6), cv2.LINE_AA)
        cv2.fillPoly(picture, [np.round(box).astype(np.int32)], colour, cv2.LINE_AA)


def open_book(rng: Random, ground: NDArray[np.uint8], homography: NDArray[np.float64], width: int, height: int) -> None:
    """The rest of an open passport around its data page, in place: the cover's rim, and above the fold another page."""
    rim = 22

    def fill(left: float, top: float, right: float, bottom: float, colour: tuple[int, int, int]) -> None:
        corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float64)
        outline = np.round(cv2.perspectiveTransform(corners, homography)).astype(np.int32)
        cv2.fillPoly(ground, [outline], colour, cv2.LINE_AA)

    fill(-rim, -height - rim, width + rim, height + rim, rng.choice(((78, 42, 28), (52, 66, 34))))
    pale = rng.choice(((236, 228, 222), (226, 232, 236)))
    fill(0, -height, width, -2, pale)
    xs = np.linspace(0, width, 80)
    shade = tuple(tint - 22 for tint in pale)
    for y in np.arange(-height + 30, -30, 34):
        wave = np.stack([xs, y + 12 * np.sin(xs / rng.uniform(60, 66))], axis=1)[None]
        cv2.polylines(ground, [np.round(cv2.perspectiveTransform(wave, homography)).astype(np.int32)], False, shade, 2)
    fill(0, -14, width, 0, tuple(tint - 60 for tint in pale))
