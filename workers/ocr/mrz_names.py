"""The names of a machine-readable zone, where fillers were read as letters: held against what the page prints.

    P<CZESPECIMEN<CVZORCA<C<CC<CCCC<<AC<<C     as read
    P<CZESPECIMEN<<VZOR<<<<<<<<<<<<<<<<<<<     the page has SPECIMEN and VZOR

No check digit covers the names, so that a zone may be valid and they be wrong. C and K are what a filler is read as,
and letters of many names; which of them they are only the page can say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workers.ocr.mrz import FILLER, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.ocr.mrz import Zone

_LIKE_FILLER = frozenset("<CK")
# In the fillers at the end of a line a letter may stand that is like none; of a name most are.
_FILLER_WORTH, _LETTER_WORTH = 1, -2
_MOST_MISREAD = 6
# A name this short stands on every page by chance.
_LEAST = 2


def held_against_page(zone: Zone, stands: Callable[[str], bool]) -> Zone:
    """The zone with the names of the page, where fillers explain the difference. `stands` says what the page prints."""
    if zone.surname and stands(zone.surname) and (not zone.given_names or stands(zone.given_names)):
        return zone
    place = zone.format.fields["names"]
    text = zone.lines[place.line][place.start : place.stop]
    for end in _ends(text):
        for surname, given in _splits(text[:end]):
            if len(surname) >= _LEAST and stands(surname) and (not given or stands(given.replace(FILLER, " "))):
                return _with_names(zone, f"{surname}<<{given}" if given else surname)
    return zone


def _ends(text: str) -> list[int]:
    """Where the names may end: at the fillers, or a few letters before those, which may be fillers as well."""
    worth, best, start = 0, 0, len(text)
    for at in range(len(text) - 1, -1, -1):
        worth += _FILLER_WORTH if text[at] in _LIKE_FILLER else _LETTER_WORTH
        if worth >= best:
            best, start = worth, at
    # The first of them may be letters of the name: C and K are both.
    start = next((at for at in range(start, len(text)) if text[at] == FILLER), len(text))
    return list(range(start, max(0, start - _MOST_MISREAD), -1))


def _splits(names: str) -> list[tuple[str, str]]:
    """The surname and the given names that a text may be, by each two characters of it that may be two fillers."""
    pairs = [
        (names[:at], names[at + 2 :]) for at in range(1, len(names) - 1) if set(names[at : at + 2]) <= _LIKE_FILLER
    ]
    return [(surname.strip(FILLER), given.strip(FILLER)) for surname, given in [*pairs, (names, "")]]


def _with_names(zone: Zone, names: str) -> Zone:
    place = zone.format.fields["names"]
    lines = list(zone.lines)
    lines[place.line] = lines[place.line][: place.start] + names.ljust(place.stop - place.start, FILLER)
    return replace(parse(lines, zone.format), lines_at=zone.lines_at)
