"""Which face in a picture is the one that is printed on the card: where its text stands tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.inference.network import FloatArray

# How far beside the text the middle of the portrait may be, of the text's width: a licence's is 0.3 left of it. How far
# above and below, of its height.
_BESIDE, _ABOVE = 0.45, 0.12
# The face's height, of the text's: on the four documents 0.25 to 0.5. Whoever holds a card up has a larger one.
_TALLEST = 0.75


def is_printed(box: FloatArray, text: FloatArray) -> bool:
    """Whether a face, float32[4] x1 y1 x2 y2, is where a card's portrait is.

    `text` is float32[n, 2], corners of the card's lines. Both are of the card the right way up. A face that covers the
    text is nobody's portrait either.
    """
    x1, y1, x2, y2 = (float(edge) for edge in box)
    left, top = text.min(axis=0)
    right, bottom = text.max(axis=0)
    width, height = right - left, bottom - top
    across, down = (x1 + x2) / 2, (y1 + y2) / 2
    return bool(
        left - _BESIDE * width <= across <= right + _BESIDE * width
        and top - _ABOVE * height <= down <= bottom + _ABOVE * height
        and y2 - y1 <= _TALLEST * height
    )
