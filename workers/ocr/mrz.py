"""The machine-readable zone: found among lines, repaired by position, proven by its check digits (ICAO 9303-3, 4.9).

    TD3    2 x 44   passports            9303-4
    TD1    3 x 30   cards                9303-5
    MRV-A  2 x 44   visas of full size   9303-7
    MRV-B  2 x 36   small visas          9303-7

A position tells whether a letter, a digit or a filler can stand there; what cannot is replaced by what it is mistaken
for. Check digits then prove the fields. Nothing is ever changed because a check digit would then fit, but for the
letter O in a document number, which is nought in most: that is tried where the check fails as read, and so is an O for
a nought that the number begins with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILLER = "<"
_VALUES = {FILLER: 0} | {letter: value for value, letter in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_WEIGHTS = 7, 3, 1
_TO_DIGIT = str.maketrans("OQDUILZSGBTA", "000011256874")
_TO_LETTER = str.maketrans("012568", "OIZSGB")
# What a filler is read as; K and C are letters, too, and only count where nothing but a filler can stand.
_MARKS = str.maketrans(dict.fromkeys("«‹＜〈《(（[{￠¢Λ∧ハへくㄑ", FILLER))  # noqa: RUF001
_MARKED = "KC"
# A recogniser that knows Greek and Cyrillic gives their letters for the same ones of ours.
_SAME = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХ", "ABEZHIKMNOPTYXABEKMHOPCTYX")  # noqa: RUF001
# How far a line may be from its length and still be one of a zone: fillers are lost and doubled.
_SLACK = 6
_LEAST_LIKE = 0.75


class _Kind(NamedTuple):
    """What can stand at a position: a pattern, and what is replaced by what."""

    pattern: str
    table: dict[int, int] | dict[int, str] | None = None


_LETTER = _Kind("[A-Z<]", _TO_LETTER)
_DIGIT = _Kind("[0-9]", _TO_DIGIT)
_ANY = _Kind("[A-Z0-9<]")
_SEX = _Kind("[MFX<]")
_CHECK = _Kind("[0-9<]", _TO_DIGIT)


class _Field(NamedTuple):
    """Where a field stands; `check` is the position in the same line of its check digit."""

    line: int
    start: int
    stop: int
    kind: _Kind
    check: int | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One layout. `composite` is where the digit over several fields stands, `covers` what it is over, in order."""

    name: str
    lines: int
    length: int
    fields: dict[str, _Field]
    composite: tuple[int, int] | None = None
    covers: tuple[tuple[int, int, int], ...] = ()

    @property
    def is_visa(self) -> bool:
        """Of a visa: its first letter is V."""
        return self.name.startswith("MRV")


def _two_lines(name: str, length: int, *, optional: _Field, composite: tuple[int, int] | None = None) -> Format:
    return Format(
        name,
        2,
        length,
        {
            "code": _Field(0, 0, 2, _ANY),
            "issuer": _Field(0, 2, 5, _LETTER),
            "names": _Field(0, 5, length, _LETTER),
            "number": _Field(1, 0, 9, _ANY, 9),
            "nationality": _Field(1, 10, 13, _LETTER),
            "birth": _Field(1, 13, 19, _DIGIT, 19),
            "sex": _Field(1, 20, 21, _SEX),
            "expiry": _Field(1, 21, 27, _DIGIT, 27),
            "optional": optional,
        },
        composite,
        ((1, 0, 10), (1, 13, 20), (1, 21, 43)) if composite else (),
    )


TD3 = _two_lines("TD3", 44, optional=_Field(1, 28, 42, _ANY, 42), composite=(1, 43))
MRV_A = _two_lines("MRV-A", 44, optional=_Field(1, 28, 44, _ANY))
MRV_B = _two_lines("MRV-B", 36, optional=_Field(1, 28, 36, _ANY))
TD1 = Format(
    "TD1",
    3,
    30,
    {
        "code": _Field(0, 0, 2, _ANY),
        "issuer": _Field(0, 2, 5, _LETTER),
        "number": _Field(0, 5, 14, _ANY, 14),
        "optional": _Field(0, 15, 30, _ANY),
        "birth": _Field(1, 0, 6, _DIGIT, 6),
        "sex": _Field(1, 7, 8, _SEX),
        "expiry": _Field(1, 8, 14, _DIGIT, 14),
        "nationality": _Field(1, 15, 18, _LETTER),
        "more": _Field(1, 18, 29, _ANY),
        "names": _Field(2, 0, 30, _LETTER),
    },
    (1, 29),
    ((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)),
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that was read: its corrected lines, its fields as they stand there without fillers, and what is proven.

    `birth` and `expiry` are `YYMMDD`. `proven` says of each field that has a check digit whether that holds, and of
    "composite"; `lines_at` are the positions of the lines among those that it was sought in.
    """

    format: Format
    lines: tuple[str, ...]
    fields: dict[str, str]
    proven: dict[str, bool]
    lines_at: tuple[int, ...] = field(default=())

    @property
    def valid(self) -> bool:
        """Every check digit holds, and everything stands where it may."""
        return all(self.proven.values())

    @property
    def surname(self) -> str:
        """The primary identifier."""
        return self.fields["names"].partition("  ")[0].strip()

    @property
    def given_names(self) -> str:
        """The secondary identifier."""
        return " ".join(self.fields["names"].partition("  ")[2].split())


def check_digit(text: str) -> int:
    """Of digits, capitals and fillers: the sum of their values weighed 7 3 1, modulo 10 (ICAO 9303-3, 4.9)."""
    return sum(_VALUES[letter] * _WEIGHTS[i % 3] for i, letter in enumerate(text)) % 10


def find(texts: Sequence[str]) -> Zone | None:
    """The zone among lines of text from top to bottom, the one with the most proven; None where there is none."""
    cleaned = [_cleaned(text) for text in texts]
    found: list[Zone] = []
    for at, (upper, lower) in enumerate(pairwise(cleaned)):
        found += [
            _at(parse((upper, lower), layout), at) for layout in (TD3, MRV_A, MRV_B) if _fits(upper, lower, layout)
        ]
        last = cleaned[at + 2] if at + 2 < len(cleaned) else ""
        if _is_td1(upper, lower, last):
            found.append(_at(parse((upper, lower, last), TD1), at))
    return max(found, key=_worth, default=None)


def parse(lines: Sequence[str], layout: Format) -> Zone:
    """Lines as read, of about the right length, as a zone of a layout; whatever is wrong with them is in `proven`."""
    fitted = [_of_length(line, layout, i) for i, line in enumerate(lines)]
    rows = [list(line) for line in fitted]
    for name, place in layout.fields.items():
        row = rows[place.line]
        row[place.start : place.stop] = _mended("".join(row[place.start : place.stop]), name, place.kind)
        if place.check is not None:
            row[place.check] = row[place.check].translate(_TO_DIGIT)
    if layout.composite:
        row, column = layout.composite
        rows[row][column] = rows[row][column].translate(_TO_DIGIT)
    number = layout.fields["number"]
    row = rows[number.line]
    row[number.start : number.stop] = _number(
        "".join(row[number.start : number.stop]), row[number.check or number.stop], _issuer(rows, layout)
    )
    corrected = tuple("".join(row) for row in rows)
    return Zone(layout, corrected, _fields(corrected, layout), _proofs(corrected, layout))


def with_number(zone: Zone, number: str) -> Zone:
    """The zone with a document number that was read elsewhere, if its check digit proves that."""
    place = zone.format.fields["number"]
    lines = list(zone.lines)
    line = lines[place.line]
    lines[place.line] = line[: place.start] + number.ljust(place.stop - place.start, FILLER) + line[place.stop :]
    if {len(line) for line in lines} != {zone.format.length}:
        return zone
    other = replace(parse(lines, zone.format), lines_at=zone.lines_at)
    return other if other.proven["number"] else zone


def layout_of(lines: Sequence[str]) -> Format | None:
    """The layout that lines have the number and the lengths of, and the first letter; None where there is none."""
    is_visa = lines[0][:1] == "V"
    for layout in (TD3, MRV_A, MRV_B, TD1):
        fits = len(lines) == layout.lines and {len(line) for line in lines} == {layout.length}
        if fits and layout.is_visa == is_visa:
            return layout
    return None


def _at(zone: Zone, at: int) -> Zone:
    return replace(zone, lines_at=tuple(range(at, at + len(zone.lines))))


def _worth(zone: Zone) -> tuple[float, int]:
    return sum(zone.proven.values()) / len(zone.proven), len(zone.lines[0])


def _cleaned(text: str) -> str:
    return re.sub("[^A-Z0-9<]", "", text.upper().translate(_MARKS).translate(_SAME))


def _fits(upper: str, lower: str, layout: Format) -> bool:
    """Whether two lines can be the two of a passport or visa: the second has its dates where they must be."""
    if (upper[:1] == "V") != layout.is_visa or not _about(lower, layout.length) or FILLER not in upper:
        return False
    # The upper line ends in fillers, which are often not read at all.
    if not 12 <= len(upper) <= layout.length + _SLACK:
        return False
    places = [place for place in layout.fields.values() if place.kind is _DIGIT]
    there = "".join(_of_length(lower, layout, 1)[place.start : place.stop] for place in places)
    return sum(letter.isdigit() for letter in there.translate(_TO_DIGIT)) >= _LEAST_LIKE * len(there)


def _is_td1(*lines: str) -> bool:
    upper, middle, _ = lines
    dates = (middle[:6] + middle[8:14]).translate(_TO_DIGIT)
    return (
        all(_about(line, TD1.length) for line in lines[:2])
        and upper[:1] in {"A", "C", "I"}
        and FILLER in lines[2]
        and sum(letter.isdigit() for letter in dates) >= _LEAST_LIKE * len(dates)
    )


def _about(line: str, length: int) -> bool:
    return abs(len(line) - length) <= _SLACK


def _of_length(line: str, layout: Format, index: int) -> str:
    """The line with the length of the layout: what is missing or too much is fillers, of its longest run of those.

    Of a line that ends in fillers it is the end. A lower line ends in check digits, so there it is within.
    """
    names = layout.fields["names"].line == index
    if names:
        line = _end_filled(line)
        return (line[: layout.length]).ljust(layout.length, FILLER)
    excess = len(line) - layout.length
    runs = list(re.finditer("<+", line))
    if excess and runs:
        run = max(runs, key=lambda run: len(run[0]))
        kept = max(0, len(run[0]) - excess)
        line = line[: run.start()] + FILLER * kept + line[run.end() :]
    return line[: layout.length].ljust(layout.length, FILLER)


def _end_filled(line: str) -> str:
    """The line of the names with everything after them a filler: nothing else ends a line of two fillers and more."""
    after = re.search(f"(?<=[A-Z0-9])<+[{_MARKED}]?<[<{_MARKED}]*$", line)
    return line[: after.start()] + FILLER * (len(line) - after.start()) if after else line


def _mended(text: str, name: str, kind: _Kind) -> str:
    if name in {"optional", "more"}:
        return re.sub(f"(^|<)[<{_MARKED}]*$", lambda tail: FILLER * len(tail[0]), text)
    if name == "code":
        return text[0] + (FILLER if text[0] in "PV" and text[1] in _MARKED else text[1].translate(_TO_LETTER))
    return text.translate(kind.table) if kind.table else text


def _issuer(rows: Iterable[list[str]], layout: Format) -> str:
    place = layout.fields["issuer"]
    return "".join(list(rows)[place.line][place.start : place.stop])


def _number(text: str, check: str, issuer: str) -> str:
    """A document number with letters and digits where they must be, if that is known, and else as it proves true."""
    if issuer == "KOR" and FILLER not in text:
        # M12345678 or M123A4567: the letter within is known by no look-alike, so that one is left as it is.
        digits = text.translate(_TO_DIGIT)
        return text[0].translate(_TO_LETTER) + digits[1:4] + text[4] + digits[5:]
    # Not I as 1 as well: what was read as I may be an L, and 1 and L weigh the same.
    if str(check_digit(text)) == check:
        return text
    tried = text.replace("O", "0"), f"O{text[1:]}" if text[0] == "0" else text
    return next((one for one in tried if str(check_digit(one)) == check), text)


def _fields(lines: tuple[str, ...], layout: Format) -> dict[str, str]:
    return {
        name: lines[place.line][place.start : place.stop].rstrip(FILLER).replace(FILLER, " ")
        for name, place in layout.fields.items()
    }


def _proofs(lines: tuple[str, ...], layout: Format) -> dict[str, bool]:
    proven: dict[str, bool] = {}
    for name, place in layout.fields.items():
        text = lines[place.line][place.start : place.stop]
        proven[name] = re.fullmatch(f"{place.kind.pattern}*", text) is not None
        if place.check is not None:
            check = lines[place.line][place.check]
            # The only digit that may be left out: of optional data that there are none of (9303-4, 4.2.2.2).
            empty = name == "optional" and not text.strip(FILLER) and check == FILLER
            proven[name] &= empty or check == str(check_digit(text))
    if layout.composite:
        row, column = layout.composite
        covered = "".join(lines[line][start:stop] for line, start, stop in layout.covers)
        proven["composite"] = lines[row][column] == str(check_digit(covered))
    return proven
