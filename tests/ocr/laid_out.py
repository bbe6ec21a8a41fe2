"""Readings without a reader: lines of text laid out as a card has them."""

from __future__ import annotations

import re

import numpy as np

from workers.ocr.lines import Line, Reading

WIDTH, HEIGHT = 1280, 807


def line(
    text: str,
    left: float = 80,
    top: float = 0,
    *,
    height: float = 40,
    width: float | None = None,
    latin: str | None = None,
    confidence: float = 0.97,
    latin_confidence: float | None = None,
) -> Line:
    """One line, by default as wide as its text, and with an H for each Hangul syllable in its Latin reading."""
    if width is None:
        width = sum(height if "가" <= character <= "힣" else height / 2 for character in text)
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    return Line(
        text,
        confidence,
        re.sub("[가-힣]", "H", text) if latin is None else latin,
        confidence if latin_confidence is None else latin_confidence,
        np.array(corners, np.float32),
    )


def reading(*lines: Line) -> Reading:
    """A card of those lines."""
    return Reading(tuple(sorted(lines, key=lambda line: line.top)), WIDTH, HEIGHT)


def column(*texts: str, left: float = 80, top: float = 80, leading: float = 60) -> list[Line]:
    """Lines under one another."""
    return [line(text, left, top + i * leading) for i, text in enumerate(texts)]


def small_dictionary(text: str) -> str:
    """As the small Korean recogniser gives it: no `. , ( )` and no spaces."""
    return re.sub(r"[.,()\s]", "", text)
