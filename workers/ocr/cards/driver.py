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
from workers.ocr.cards import Parsed, Value, titles
from workers.ocr.cards.layout import (
    DISAGREEMENT,
    IMPLAUSIBLE,
    address_block,
    dates_of,
    is_latin_name,
    label_end,
    legible,
    office,
    person,
    titled,
    together,
)
from workers.ocr.cards.names import as_value, hangul_name
from workers.ocr.dates import find_dates
from workers.ocr.passages import Reader, passage
from workers.ocr.places import POLICE
from workers.ocr.text import as_digits, begins, closest, hangul_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.ocr.lines import Reading
    from workers.ocr.passages import Row

TITLES = titles.DRIVER
_KINDS = {
    "1": (
        *(
            "대형",
            "보통",
            "소형",
            "특수",
            "특수(대형견인)",
            "특수(소형견인)",
            "특수(구난)",
            "특수(트레일러)",
            "특수(레커)",
        ),
        *("대형견인", "소형견인", "구난", "대형견인차", "소형견인차", "구난차"),
    ),
    "2": ("보통", "소형", "원동기", "원동기장치자전거"),
}
TYPES = tuple(f"{number}종{kind}" for number, kinds in _KINDS.items() for kind in kinds)
_PERIOD = "적성검사기간", "갱신기간", "적성검사", "갱신"
_LABELS = "성명", "이름"
_CHIEF = re.compile(r"([가-힣]{2,9}경찰청장)")
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
    if issuer := office(rows[first:], lambda _: POLICE, form=_CHIEF):
        fields[CardField.ISSUER] = issuer
    likelihood = together(
        0.8 * titled(rows, TITLES),
        0.35 * (CardField.LICENCE_NO in fields),
        0.4 * (CardField.LICENCE_TYPE in fields),
        0.4 * (CardField.ISSUER in fields),
        0.1 * (CardField.EXPIRY_DATE in fields),
    )
    return Parsed(IdType.DRIVER, likelihood, fields)


def _licence(rows: Sequence[Row]) -> Value | None:
    for row in rows:
        readings = (row.latin, row.merged, row.text)
        found = [(part, number) for part in readings if (number := numbers.licence_number(part.text))]
        if found:
            part, number = found[0]
            agreed = len({number.value for _, number in found}) == 1
            return part.cut(number.start, number.stop).value(number.value, 1.0 if agreed else DISAGREEMENT)
    return None


def _types(rows: Sequence[Row]) -> Value | None:
    """Every type of licence, in the order in which they stand there."""
    found: list[Value] = []
    for line in sorted((line for row in rows for line in row.lines), key=lambda line: line.top):
        part = passage((line,))
        found += [
            part.cut(*match.span()).value(kind[0], kind[1])
            for match in re.finditer(r"[12lI|]\s?[가-힣]\s?[가-힣][가-힣()\s]*", part.text)
            if (kind := _kind(match[0]))
        ]
    if len(found) <= 1:
        return found[0] if found else None
    kinds = dict.fromkeys(value.value for value in found)
    lines = tuple(dict.fromkeys(line for value in found for line in value.lines))
    return Value(", ".join(kinds), min(value.confidence for value in found), lines)


def _kind(text: str) -> tuple[str, float] | None:
    text = as_digits(text[0]) + text[1:]
    known = [kind for kind in TYPES if kind[0] == text[0] and begins(kind, text, 0.65) is not None]
    return closest(text, known, 0.6)


def _name(rows: Sequence[Row]) -> Value | None:
    """The row nearest above the number that is a name, without its label; a foreigner's is in Latin letters."""
    for row in reversed(rows):
        part = row.text
        end = label_end(part.text, _LABELS) or _unread_label_end(part.text, row.latin.text)
        name = hangul_name(part.text[end:])
        if name and _kind(part.text) is None and not titled([row], TITLES):
            return as_value(name, part.cut(end))
        if not titled([row], TITLES) and (latin := _latin_name(row)):
            return latin
    return None


def _latin_name(row: Row) -> Value | None:
    """What of the row is in capitals, after the label; the types of licence beside it are in Hangul."""
    lines = [line for line in row.lines if is_latin_name(line.latin) and not hangul_share(line.text)]
    after = row.latin
    end = label_end(row.text.text, _LABELS)
    found = re.search(r"[A-Z][A-Z' .-]+[A-Z.]$", after.text)
    if not lines and end is not None and found:
        return after.cut(*found.span()).value(found[0])
    whole = passage(lines, Reader.LATIN)
    return whole.value(" ".join(whole.text.split())) if lines and re.search("[A-Z]{2}", whole.text) else None


def _unread_label_end(text: str, latin: str) -> int:
    """Where a label ends that was misread past knowing: two syllables before a colon, or before three after 성."""
    label = re.match(r"[가-힣]\s?[가-힣\d]\s?[:;]?\s?(?=(?:[가-힣]\s?){2})", text) if ":" in latin else None
    label = label or re.match(r"성\s?[가-힣]\s?(?=(?:[가-힣]\s?){3})", text)
    return label.end() if label else 0


def _dates(rows: Sequence[Row], fields: dict[CardField, Value]) -> None:
    """The issue date stands below all others; of those of the period the last is the expiry date."""
    dates = dates_of(rows)
    is_period = [_is_period(rows[each.row]) for each in dates]
    issued = dates[-1] if dates and (not is_period[-1] or len(dates) >= 3) else None
    of_period = [each for each in dates if each is not issued]
    # Where the row of a period reaches an edge its end is missing, and its beginning alone is no date.
    is_cut = any(line.is_cut[1] for row in rows if _is_period(row) for line in row.lines)
    if of_period and not is_cut:
        expires = max(of_period, key=lambda each: each.day)
        fields[CardField.EXPIRY_DATE] = expires.value()
        if issued and issued.day >= expires.day:
            fields[CardField.ISSUE_DATE] = issued.value(IMPLAUSIBLE)
            return
    if issued:
        fields[CardField.ISSUE_DATE] = issued.value()


def _is_period(row: Row) -> bool:
    return any(
        "~" in part.text or label_end(part.text, _PERIOD) is not None or len(find_dates(part.text)) >= 2
        for part in row.readings
    )


def _ends_address(text: str) -> bool:
    return (
        bool(find_dates(text))
        or "~" in text
        or label_end(text, _PERIOD) is not None
        or label_end(text[:4], _CONDITION) is not None
        or closest(text, POLICE, 0.7) is not None
    )
