"""How alike two texts are, for words of closed lists: titles, labels, provinces, kinds of licence.

Hangul is compared by its letters (jamo), not by its syllables: a recogniser that reads 정 for 청 has one letter of
three wrong. Case, spaces and punctuation do not count; the recognisers drop and invent them.

The distance is Levenshtein's, computed bit-parallel: Myers 1999, "A Fast Bit-Vector Algorithm for Approximate String
Matching", in the form of Hyyrö 2003.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HANGUL, HANJA = "가-힣", "\u3400-\u9fff\uf900-\ufaff"
# What stands for a digit where only a digit can stand.
_DIGITS = str.maketrans("OoQDUIl|i!LZzSsBGbqgTA", "0000011111122558669974")


def as_digits(text: str) -> str:
    """The text with the letters that are mistaken for digits as those digits."""
    return text.translate(_DIGITS)


def digits_of(text: str) -> str:
    """Only its digits, letters that look like one included."""
    return re.sub(r"\D", "", as_digits(text))


def bare(text: str) -> str:
    """Without spaces and punctuation, in capitals."""
    return "".join(character for character in text.upper() if character.isalnum())


def hangul_share(text: str) -> float:
    """How much of what is no space or punctuation is Hangul, 0..1; 0 for nothing."""
    letters = bare(text)
    return len(re.findall(f"[{HANGUL}]", letters)) / len(letters) if letters else 0.0


@lru_cache(maxsize=8192)
def letters_of(text: str) -> str:
    """The bare text with its Hangul syllables taken apart."""
    return unicodedata.normalize("NFD", bare(text))


def likeness(one: str, other: str) -> float:
    """1 for the same letters, 0 for nothing in common."""
    a, b = letters_of(one), letters_of(other)
    return 1 - _distance(a, b) / max(len(a), len(b)) if a and b else 0.0


def closest(text: str, words: Iterable[str], least: float = 0.75) -> tuple[str, float] | None:
    """The most alike of the words and how alike it is; None where none is as alike as `least`."""
    letters = letters_of(text)
    found, best = None, least
    for word in words if letters else ():
        other = letters_of(word)
        longer = max(len(letters), len(other))
        # They differ by their lengths at least.
        if 1 - abs(len(letters) - len(other)) / longer < best:
            continue
        alike = 1 - _distance(letters, other) / longer
        if alike > best or (found is None and alike == best):
            found, best = word, alike
    return (found, best) if found is not None else None


def find(word: str, text: str) -> tuple[float, int]:
    """How alike the part of the text that is most like the word is, and where in the text that part ends."""
    sought = letters_of(word)
    letters, ends = _with_ends(text)
    if not sought or not letters:
        return 0.0, 0
    distance, at = min((d, -i) for i, d in enumerate(_distances(sought, letters, anywhere=True)))
    return max(0.0, 1 - distance / len(sought)), ends[-at]


def begins(word: str, text: str, least: float = 0.75) -> int | None:
    """Where in the text the rest begins, if it begins with something like the word, or None."""
    sought = letters_of(word)
    letters, ends = _with_ends(text[: 2 * len(word) + 2])
    if not sought or not letters:
        return None
    # The nearest length first: of 서울시 both 서울 and 서울시 are one edit from a word between them.
    distance, _, at = min(
        (d, abs(i + 1 - len(sought)), i) for i, d in enumerate(_distances(sought, letters, anywhere=False))
    )
    return ends[at] if 1 - distance / len(sought) >= least else None


@lru_cache(maxsize=2048)
def _with_ends(text: str) -> tuple[str, tuple[int, ...]]:
    """The letters of a text, and for each where the character that it is of ends."""
    parts = [letters_of(character) for character in text]
    return "".join(parts), tuple(at for at, part in enumerate(parts, 1) for _ in part)


@lru_cache(maxsize=2048)
def _masks(pattern: str) -> dict[str, int]:
    """Of each letter the places where the pattern has it, as bits."""
    masks: dict[str, int] = {}
    for i, letter in enumerate(pattern):
        masks[letter] = masks.get(letter, 0) | 1 << i
    return masks


def _distance(pattern: str, text: str) -> int:
    """Of the whole of both."""
    *_, distance = _distances(pattern, text, anywhere=False)
    return distance


def _distances(pattern: str, text: str, *, anywhere: bool) -> list[int]:
    """After each letter of the text: the distance of the whole pattern to the text so far, or to any end of that."""
    mask, last, first = (1 << len(pattern)) - 1, 1 << (len(pattern) - 1), int(not anywhere)
    equal = _masks(pattern).get
    up, down, distance = mask, 0, len(pattern)
    found: list[int] = []
    for letter in text:
        same = equal(letter, 0)
        diagonal = same | down
        across = (((same & up) + up) ^ up) | same
        plus, minus = down | ~(across | up) & mask, up & across
        if plus & last:
            distance += 1
        elif minus & last:
            distance -= 1
        plus, minus = plus << 1 | first, minus << 1
        up, down = (minus | ~(diagonal | plus)) & mask, plus & diagonal & mask
        found.append(distance)
    return found


# Caches of texts that were read, which are personal: to be cleared once a card is parsed.
REMEMBERING = (letters_of, _with_ends, _masks)
