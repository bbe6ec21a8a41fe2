"""What the reader gives the parsers: lines of text and where they stand on the straightened card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Text(NamedTuple):
    """What a recogniser makes of a line: the text, its confidence, and that of each character, all 0..1.

    `sure` is empty where the recogniser does not tell.
    """

    text: str
    confidence: float
    sure: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line, as one recogniser or the other read it.

    `text` is the reading that was chosen by what the line mostly holds, `confidence` its probability in 0..1. `latin`
    is the Latin recogniser's reading of the same line, which has the punctuation and digits that the small Korean
    dictionary lacks, with `latin_confidence`; the two are the same where the line has no Hangul. `polygon` is
    float32[4, 2], x y of the corners clockwise from the text's top left, in pixels of the straightened card.

    `sure` and `latin_sure` are the probabilities, 0..1, of each character of `text` and `latin`; empty where only the
    line's own is known. `is_cut` says of its left and its right end whether it reaches the edge of the card or of the
    picture, so that more may have stood there.
    """

    text: str
    confidence: float
    latin: str
    latin_confidence: float
    polygon: NDArray[np.float32]
    sure: tuple[float, ...] = ()
    latin_sure: tuple[float, ...] = ()
    is_cut: tuple[bool, bool] = (False, False)

    @property
    def left(self) -> float:
        """Of its bounding box, as the others, in pixels of the straightened card."""
        return float(self.polygon[:, 0].min())

    @property
    def right(self) -> float:
        """The largest x."""
        return float(self.polygon[:, 0].max())

    @property
    def top(self) -> float:
        """The smallest y."""
        return float(self.polygon[:, 1].min())

    @property
    def bottom(self) -> float:
        """The largest y."""
        return float(self.polygon[:, 1].max())

    @property
    def height(self) -> float:
        """Of the bounding box."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read off one straightened card of `width` x `height` pixels, from top to bottom."""

    lines: tuple[Line, ...]
    width: int
    height: int
