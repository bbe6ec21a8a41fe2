"""Two readings of one line made one: Hangul from the Korean recogniser, digits and punctuation from the Latin one.

    Korean   충남대로288103동1405호
    Latin    吞台283, 103号1405      of Hangul it makes other letters, or nothing
    merged   충남대로283, 103동1405호

The readings are aligned as sequences, at the least cost (Needleman and Wunsch 1970). What costs how much is chosen so
that digits fall on digits: they are what both can read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTER, _DIGIT, _MARK, _SPACE = range(4)
# Of a Korean character (row) on a Latin one (column); equal ones cost nothing. A letter on a letter is Hangul on what
# the Latin recogniser makes of it.
_ON = (
    (0.3, 1.0, 0.9, 0.9),
    (0.9, 0.6, 0.7, 1.5),
    (0.6, 0.8, 0.5, 0.9),
    (0.9, 1.5, 0.9, 0.0),
)
_KOREAN_ALONE = (0.35, 1.0, 0.5, 0.1)
_LATIN_ALONE = (0.35, 1.0, 0.2, 0.15)


# No line of a card is longer, and what an alignment takes grows with the square.
_LONGEST = 80
# What stands between numbers, and is not one of their digits misread.
_UNITS = frozenset("동호층번길로")
_UNIT_ON_DIGIT = 1.5
# Few streets have a number of more digits, and few lots.
_MOST_DIGITS = 3


class _Pair(NamedTuple):
    """A character of each reading, or of one of them."""

    korean: str
    latin: str

    @property
    def is_digits(self) -> bool:
        return self.korean.isdigit() and self.latin.isdigit()


@lru_cache(maxsize=512)
def merged(korean: str, latin: str, *, is_sure: bool = False) -> str:
    """One reading of both. Where digits differ the Latin recogniser's stand: it knows no letter to take them for.

    Where the Korean one `is_sure` of every character it has missed no digit, and none is added.
    """
    if korean == latin or not re.search(r"[0-9,()]", latin) or max(len(korean), len(latin)) > _LONGEST:
        return korean
    pairs = [pair for pair in _aligned(korean, latin) if pair.korean or not (is_sure and pair.latin.isdigit())]
    made = ""
    for at, pair in enumerate(pairs):
        made += _chosen(pair, made, pairs[at - 1] if at else _Pair("", ""), pairs[at + 1 :])
    # Between brackets there is nothing that both can read, so that they are known by standing at the ends.
    if latin.startswith("(") and "(" not in made:
        made = f"({made}"
    return f"{made})" if latin.endswith(")") and ")" not in made else made


def digits_differ(korean: str, latin: str) -> bool:
    """Whether two readings have other digits in one place."""
    if korean == latin or max(len(korean), len(latin)) > _LONGEST:
        return False
    return any(pair.is_digits and pair.korean != pair.latin for pair in _aligned(korean, latin))


def _chosen(pair: _Pair, made: str, before: _Pair, after: Sequence[_Pair]) -> str:
    korean, latin = pair
    precedes_digits = bool(after) and after[0].is_digits
    if latin.isdigit():
        # A stroke of a syllable is now and then read as a digit, but seldom beside digits.
        beside = made[-1:].isdigit() or precedes_digits
        return latin if korean.isdigit() or beside else korean
    if latin == korean or latin not in {",", "-"} or korean.isalpha():
        return korean
    following = next((each.korean for each in after if each.korean), "")
    anchored = before.is_digits or precedes_digits
    # What follows a mark is another number: a syllable there is the unit of the one before.
    if following.isalpha() or not anchored or (latin == "-" and not (after and after[0].latin.isdigit())):
        return korean
    if not korean.isdigit():
        return latin if made[-1:].isdigit() else korean
    is_misread = len(re.findall(r"\d*$", made)[0]) >= _MOST_DIGITS and following != "0"
    return latin if is_misread and before.is_digits and precedes_digits else f"{korean}{latin}"


def _aligned(korean: str, latin: str) -> list[_Pair]:
    rows, columns = len(korean), len(latin)
    costs = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i, one in enumerate(korean):
        costs[i + 1][0] = costs[i][0] + _KOREAN_ALONE[_kind(one)]
    for j, other in enumerate(latin):
        costs[0][j + 1] = costs[0][j] + _LATIN_ALONE[_kind(other)]
    for i, one in enumerate(korean):
        for j, other in enumerate(latin):
            costs[i + 1][j + 1] = min(
                costs[i][j] + _cost(one, other),
                costs[i][j + 1] + _KOREAN_ALONE[_kind(one)],
                costs[i + 1][j] + _LATIN_ALONE[_kind(other)],
            )
    pairs: list[_Pair] = []
    i, j = rows, columns
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + _cost(korean[i - 1], latin[j - 1]):
            i, j = i - 1, j - 1
            pairs.append(_Pair(korean[i], latin[j]))
        elif i and costs[i][j] == costs[i - 1][j] + _KOREAN_ALONE[_kind(korean[i - 1])]:
            i -= 1
            pairs.append(_Pair(korean[i], ""))
        else:
            j -= 1
            pairs.append(_Pair("", latin[j]))
    return pairs[::-1]


def _cost(one: str, other: str) -> float:
    if one in _UNITS and other.isdigit():
        return _UNIT_ON_DIGIT
    return 0.0 if one == other else _ON[_kind(one)][_kind(other)]


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    if character.isdigit():
        return _DIGIT
    return _LETTER if character.isalpha() else _MARK
