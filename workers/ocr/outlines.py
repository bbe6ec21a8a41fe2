"""Where a field stands in the caller's picture: one outline for all of its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from workers.inference.network import FloatArray
    from workers.ocr.cards import Value
    from workers.ocr.lines import Line
    from workers.ocr.quad import Straightened

Polygon = tuple[tuple[float, float], ...]


def of_value(value: Value, card: Straightened, scale: float) -> Polygon:
    """Its corners, x y clockwise from the top left of the text, in pixels of the upright picture.

    `scale` is the size of the pixels that the card was cut from over the picture's. A field of several lines has the
    smallest rectangle, level on the card, that has them all in it.
    """
    outlines = [part(line, value.span if len(value.lines) == 1 else (0.0, 1.0)) for line in value.lines]
    outline = outlines[0] if len(outlines) == 1 else _around(np.concatenate(outlines))
    return in_upright_picture(outline, card, scale)


def part(line: Line, span: tuple[float, float]) -> FloatArray:
    """The outline, float32[4, 2], of a part of a line, `span` in shares of its width."""
    top_left, top_right, bottom_right, bottom_left = line.polygon
    first, last = span
    top, bottom = top_right - top_left, bottom_right - bottom_left
    return np.array(
        [top_left + first * top, top_left + last * top, bottom_left + last * bottom, bottom_left + first * bottom],
        np.float32,
    )


def in_upright_picture(points: FloatArray, card: Straightened, scale: float) -> Polygon:
    """Points of the card, float32[n, 2], in pixels of the upright picture, to a tenth of one."""
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in card.in_picture(points) / scale)


def _around(points: FloatArray) -> FloatArray:
    left, top, width, height = cv2.boundingRect(points)
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float32)
