"""운전면허증, the driver's licence.

licence type   title (the type may stand on up to three lines)
licence number
name
portrait       YYMMDD-SNNNNNC
               address, 1-3 lines
               적성검사 or 갱신 기간  from ~ to
serial         조건
               issue date      chief of the police office
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from workers.ocr import numbers
from workers.ocr.cards import Parsed
from workers.ocr.cards.layout import (
    DISAGREEMENT,
    IMPLAUSIBLE,
    address_block,
    dates_of,
    hangul_name,
    label_end,
    legible,
    office,
    person,
    titled,
    together,
)
from workers.ocr.dates import find_dates
from workers.ocr.places import POLICE
from workers.ocr.text import as_digits, begins, closest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.ocr.cards import Value
    from workers.ocr.lines import Reading
    from workers.ocr.passages import Row

TITLES = "자동차운전면허증", "운전면허증", "Driver's License"
_KINDS = {
    "1": ("대형", "보통", "소형", "특수", "대형견인", "소형견인", "구난", "대형견인차", "소형견인차", "구난차"),
    "2": ("보통", "소형", "원동기", "원동기장치자전거"),
}
TYPES = tuple(f"{number}종{kind}" for number, kinds in _KINDS.items() for kind in kinds)
_PERIOD = "적성검사기간", "갱신기간", "적성검사", "갱신"
_LABELS = "성명", "이름", "주소", "주민등록번호", "면허번호"
_CONDITION = ("조건",)


def parse(reading: Reading) -> Parsed:
    """See `Parser`."""
    rows = legible(reading.lines)
    fields, at = person(rows)
    if number := _licence(rows):
        fields[CardField.LICENCE_NO] = number
    if types := _types(rows):
        fields[CardField.LICENCE_TYPE] = types
    if at is not None and (name := _name(rows[:at])):
        fields[CardField.NAME] = name
    first = 0 if at is None else at + 1
    if block := address_block(rows, first, _ends_address):
        fields[CardField.ADDRESS], first = block
    _dates(rows[first:], fields)
    if issuer := office(rows[first:], POLICE):
        fields[CardField.ISSUER] = issuer
    likelihood = together(
        0.8 * titled(rows, TITLES),
        0.6 * (CardField.LICENCE_NO in fields),
        0.4 * (CardField.LICENCE_TYPE in fields),
        0.4 * (CardField.ISSUER in fields),
        0.3 * (CardField.EXPIRY_DATE in fields),
    )
    return Parsed(IdType.DRIVER, likelihood, fields)


def _licence(rows: Sequence[Row]) -> Value | None:
    for row in rows:
        found = [(part, number) for part in row.readings if (number := numbers.licence_number(part.text))]
        if found:
            part, number = found[0]
            agreed = len({number.value for _, number in found}) == 1
            return part.cut(number.start, number.stop).value(number.value, 1.0 if agreed else DISAGREEMENT)
    return None


def _types(rows: Sequence[Row]) -> Value | None:
    """Every type of licence, in the order in which they stand there."""
    found: list[tuple[str, Value]] = []
    for row in rows:
        for part in row.readings:
            here = [
                (kind[0], part.cut(*match.span()).value(kind[0], kind[1]))
                for match in re.finditer(r"[12lI|]\s?[종중총]\s?[가-힣]{1,7}", part.text)
                if (kind := _kind(match[0]))
            ]
            if here:
                found += here
                break
    if not found:
        return None
    kinds = dict.fromkeys(kind for kind, _ in found)
    values = [value for _, value in found]
    if len(values) == 1:
        return values[0]
    lines = tuple(dict.fromkeys(line for value in values for line in value.lines))
    return type(values[0])(", ".join(kinds), min(value.confidence for value in values), lines)


def _kind(text: str) -> tuple[str, float] | None:
    text = as_digits(text[0]) + text[1:]
    known = [kind for kind in TYPES if kind[0] == text[0] and begins(kind, text, 0.75) is not None]
    return closest(text, known, 0.6)


def _name(rows: Sequence[Row]) -> Value | None:
    for row in reversed(rows):
        for part in (row.text, *(type(row)((line,)).text for line in row.lines)):
            end = label_end(part.text, _LABELS) or 0
            text = part.text[end:]
            name = hangul_name(text)
            if name and _kind(text) is None and not titled([row], TITLES):
                return part.cut(end).value(name)
    return None


def _dates(rows: Sequence[Row], fields: dict[CardField, Value]) -> None:
    """The period's end is the expiry date; the issue date is the last that is not of the period."""
    dates = dates_of(rows)
    periods = [at for at, row in enumerate(rows) if _is_period(row.text.text) or _is_period(row.latin.text)]
    of_period = [each for each in dates if each[0] in periods]
    if not of_period and len(dates) >= 3:
        of_period = dates[:2]
    others = [each for each in dates if each not in of_period]
    if of_period:
        _, part, day = max(of_period, key=lambda each: each[2])
        fields[CardField.EXPIRY_DATE] = part.value(day.isoformat())
    if others:
        _, part, day = others[-1]
        late = of_period and day > max(each[2] for each in of_period)
        fields[CardField.ISSUE_DATE] = part.value(day.isoformat(), IMPLAUSIBLE if late else 1.0)


def _is_period(text: str) -> bool:
    return "~" in text or label_end(text, _PERIOD) is not None or len(find_dates(text)) >= 2


def _ends_address(text: str) -> bool:
    return (
        bool(find_dates(text))
        or _is_period(text)
        or label_end(text[:4], _CONDITION) is not None
        or closest(text, POLICE, 0.7) is not None
    )
