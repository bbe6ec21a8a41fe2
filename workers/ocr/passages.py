"""Rows of lines, and stretches of their text that know which lines they came from.

The detector splits one printed line into several, and two printed lines never into one: so lines that stand beside one
another are a row, read from left to right, and a pattern is sought in rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from workers.ocr.cards import Value
from workers.ocr.corrections import SURE
from workers.ocr.merging import merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workers.ocr.lines import Line

# Full-width forms, which the Latin recogniser gives for some of these marks; it knows Chinese as well.
_MARKS = str.maketrans("，．：；（）－～", ",.:;()-~")  # noqa: RUF001
# What a value is trusted less by that ends at an edge.
CUT = 0.4
# How much of the lower one of two lines the other must overlap in height to stand in its row.
_BESIDE = 0.5


class Reader(Enum):
    """Whose reading of a line is meant."""

    SUITED = "suited"  # the recogniser's that suits the line
    LATIN = "latin"
    BOTH = "both"  # see `merging`


@dataclass(frozen=True, slots=True)
class Passage:
    """Text, and of which line each of its characters is and where in that line, 0..1 of its width (None: a space)."""

    text: str
    origins: tuple[tuple[Line, float, float] | None, ...]
    reading: Reader

    @property
    def lines(self) -> tuple[Line, ...]:
        """Those that the text is of, in its order."""
        return tuple(dict.fromkeys(origin[0] for origin in self.origins if origin))

    @property
    def confidence(self) -> float:
        """The least of its lines', by the recogniser whose reading this mostly is; 0 for no text."""
        by_latin = self.reading is Reader.LATIN
        return min((line.latin_confidence if by_latin else line.confidence for line in self.lines), default=0.0)

    @property
    def sure(self) -> tuple[float, ...]:
        """How sure the recogniser was of each letter and digit of the text, 0..1; nothing of spaces and punctuation.

        Of what was merged the line's confidence, where its own recogniser's is not known.
        """
        pairs = zip(self.text, self.origins, strict=True)
        return tuple(self._sure_of(origin) for character, origin in pairs if character.isalnum())

    def _sure_of(self, origin: tuple[Line, float, float] | None) -> float:
        if origin is None:
            return 0.0
        line, start, stop = origin
        latin = self.reading is Reader.LATIN
        sure, text = (line.latin_sure, line.latin) if latin else (line.sure, line.text)
        at = round((start + stop) / 2 * len(sure) - 0.5)
        if self.reading is Reader.BOTH or at >= len(sure) or len(text) != len(sure):
            return line.latin_confidence if latin else line.confidence
        return sure[at]

    @property
    def span(self) -> tuple[float, float]:
        """The part of its one line that it is, as shares of the width; (0, 1) where it is of several."""
        known = [origin for origin in self.origins if origin]
        if len(self.lines) != 1:
            return 0.0, 1.0
        return known[0][1], known[-1][2]

    def cut(self, start: int, stop: int | None = None) -> Passage:
        """Its characters from `start` up to `stop`, without the spaces around them."""
        stop = len(self.text) if stop is None else stop
        part = self.text[start:stop]
        start += len(part) - len(part.lstrip())
        stop = max(start, start + len(part.strip()))
        return Passage(self.text[start:stop], self.origins[start:stop], self.reading)

    @property
    def is_cut(self) -> bool:
        """Whether it begins or ends where its line reaches an edge, so that more of it may have stood there."""
        known = [origin for origin in self.origins if origin]
        return any((line.is_cut[0] and start == 0.0) or (line.is_cut[1] and stop == 1.0) for line, start, stop in known)

    def value(self, value: str, factor: float = 1.0) -> Value:
        """A field that was read here, as sure as the recogniser was times `factor`; less where it may be cut off."""
        factor *= CUT if self.is_cut else 1.0
        return Value(value, min(1.0, max(0.0, self.confidence * factor)), self.lines, self.span)


@dataclass(frozen=True, slots=True)
class Row:
    """Lines beside one another, from left to right."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> Passage:
        """As the recogniser read them that suits each line."""
        return passage(self.lines)

    @property
    def latin(self) -> Passage:
        """As the Latin recogniser read them."""
        return passage(self.lines, Reader.LATIN)

    @property
    def merged(self) -> Passage:
        """Both of these made one."""
        return passage(self.lines, Reader.BOTH)

    @property
    def readings(self) -> tuple[Passage, ...]:
        """Both recognisers', the Latin one's first, or the one, where they are the same."""
        text, latin = self.text, self.latin
        return (text,) if text.text == latin.text else (latin, text)

    @property
    def top(self) -> float:
        """Of the uppermost line."""
        return min(line.top for line in self.lines)

    @property
    def bottom(self) -> float:
        """Of the lowest line."""
        return max(line.bottom for line in self.lines)

    @property
    def left(self) -> float:
        """Of the first line."""
        return min(line.left for line in self.lines)


def passage(lines: Sequence[Line], reader: Reader = Reader.SUITED) -> Passage:
    """The text of lines one after another, with a space between two."""
    characters: list[str] = []
    origins: list[tuple[Line, float, float] | None] = []
    for line in lines:
        text = _read(line, reader)
        if characters and text:
            characters.append(" ")
            origins.append(None)
        characters += text
        origins += [(line, i / len(text), (i + 1) / len(text)) for i in range(len(text))]
    return Passage("".join(characters), tuple(origins), reader)


def _read(line: Line, reader: Reader) -> str:
    text, latin = line.text.translate(_MARKS), line.latin.translate(_MARKS)
    if reader is Reader.BOTH:
        return merged(text, latin, is_sure=min(line.sure, default=0.0) >= SURE)
    return latin if reader is Reader.LATIN else text


def rows(lines: Iterable[Line]) -> list[Row]:
    """Lines by the row that they stand in, from top to bottom."""
    found: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        if found and all(_beside(other, line) for other in found[-1]):
            found[-1].append(line)
        else:
            found.append([line])
    return [Row(tuple(sorted(row, key=lambda line: line.left))) for row in found]


def _beside(one: Line, other: Line) -> bool:
    lower = max(1.0, min(one.height, other.height))
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    apart = max(one.left, other.left) - min(one.right, other.right)
    return shared >= _BESIDE * lower and apart > -lower
