"""여권, the passport's data page: bilingual labels, each above its value, and the MRZ, which says most of it again.

What the check digits prove is the MRZ's to say. Where the printed page agrees a field is surer, where it does not,
less. 한글성명 and the issue date stand only on the page.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from workers.ocr import mrz, numbers
from workers.ocr.cards import Parsed, Value, titles
from workers.ocr.cards.layout import (
    DISAGREEMENT,
    GARBAGE,
    IMPLAUSIBLE,
    UNPROVEN,
    dates_of,
    is_latin_name,
    legible,
    titled,
    together,
)
from workers.ocr.cards.names import hangul_name
from workers.ocr.corrections import is_doubted
from workers.ocr.dates import of_two_digits, today
from workers.ocr.mrz_names import held_against_page
from workers.ocr.passages import Reader, passage
from workers.ocr.romanised import corrected
from workers.ocr.text import bare, find, likeness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.ocr.lines import Line, Reading
    from workers.ocr.mrz import Zone
    from workers.ocr.passages import Passage, Row

TITLES = titles.PASSPORT
_LABELS = (
    *(
        "대한민국",
        "여권",
        "종류/Type",
        "발행국/Issuing country",
        "여권번호/Passport No.",
        "성/Surname",
        "이름/Given names",
    ),
    *("한글성명", "국적/Nationality", "생년월일/Date of birth", "성별/Sex", "주민등록번호/Personal No."),
    *("발급일/Date of issue", "기간만료일/Date of expiry", "발행관청/Authority"),
)
_LABEL_LEAST = 0.75
_NAME_LEAST = 0.4  # half the letters of a name are misread now and then, all of them never
_VALIDITY_YEARS = 10


def parse(reading: Reading) -> Parsed:
    """See `Parser`."""
    rows = legible(reading.lines)
    zone = mrz.find([row.latin.text for row in rows])
    if zone and not zone.fields["code"].startswith("P"):
        # A visa says much of what a passport says.
        return Parsed(IdType.PASSPORT, 0.0)
    page = rows if zone is None else [row for i, row in enumerate(rows) if i not in zone.lines_at]
    fields = _printed(page)
    if zone:
        zone = held_against_page(zone, lambda name: _stands(name, page))
        zone = _confirm(fields, zone, [rows[i] for i in zone.lines_at], page)
    is_korean = zone is None or zone.fields["issuer"] == "KOR"
    if is_korean and (name := _name(page, fields.get(CardField.SURNAME), fields.get(CardField.GIVEN_NAMES))):
        fields[CardField.NAME] = name
    issued, expires = (fields.get(key) for key in (CardField.ISSUE_DATE, CardField.EXPIRY_DATE))
    if issued and expires and issued.value >= expires.value:
        fields[CardField.ISSUE_DATE] = replace(issued, confidence=issued.confidence * IMPLAUSIBLE)
    likelihood = together(
        0.5 * titled(rows, TITLES[:1]),
        0.9 if zone else 0.0,
        0.4 * (CardField.PASSPORT_NO in fields),
        0.3 * _labels(page),
    )
    return Parsed(IdType.PASSPORT, likelihood, fields, zone.valid if zone else None)


def _labels(rows: Sequence[Row]) -> float:
    """The share of some labels that no other card has."""
    sought = "Passport No", "Given names", "Issuing country", "Date of expiry"
    texts = [row.latin.text for row in rows]
    return sum(any(find(label, text)[0] >= 0.75 for text in texts) for label in sought) / len(sought)


def _printed(rows: Sequence[Row]) -> dict[CardField, Value]:
    fields: dict[CardField, Value] = {}
    for row in rows:
        number = numbers.passport_number(row.latin.text)
        if number and CardField.PASSPORT_NO not in fields:
            fields[CardField.PASSPORT_NO] = row.latin.cut(number.start, number.stop).value(number.value)
    for key, label in ((CardField.SURNAME, "Surname"), (CardField.GIVEN_NAMES, "Given names")):
        for line in _below(label, rows):
            if is_latin_name(line.latin) and not _is_label(line.latin):
                fields.setdefault(key, passage((line,), Reader.LATIN).value(line.latin.strip()))
    _dates(rows, fields)
    return fields


def _name(rows: Sequence[Row], surname: Value | None, given: Value | None) -> Value | None:
    """The 한글성명: what stands under that label and every other line of a few syllables; by the Latin name which."""
    lines = [*_below("한글성명", rows), *(line for row in reversed(rows) for line in row.lines)]
    read = [
        passage((line,)).value(name)
        for line in lines
        if line.confidence >= GARBAGE
        and (name := hangul_name(line.text))
        and bare(line.text) == name
        and not _is_label(name)
    ]
    if not surname or not given or not read:
        return read[0] if read else None
    spelt = [
        (likeness(name, one.value), one, name)
        for one in read
        if (name := _held_against(one, surname.value, given.value))
    ]
    alike, one, name = max(spelt, key=lambda each: each[0], default=(0.0, read[0], ""))
    if alike < _NAME_LEAST:
        return replace(read[0], confidence=read[0].confidence * DISAGREEMENT)
    if name == one.value:
        return replace(one, confidence=together(one.confidence, min(surname.confidence, given.confidence) / 2))
    return replace(one, value=name, confidence=one.confidence * UNPROVEN)


def _held_against(read: Value, surname: str, given: str) -> str | None:
    """The name as the Latin letters spell it; as it was read, where each syllable that would differ was read surely."""
    name = corrected(read.value, surname, given)
    sure = passage(read.lines).sure
    return read.value if name and name != read.value and not is_doubted(read.value, name, sure) else name


def _is_label(text: str) -> bool:
    return any(likeness(text, part) >= _LABEL_LEAST for label in _LABELS for part in (label, *label.split("/")))


def _below(label: str, rows: Sequence[Row]) -> list[Line]:
    """The lines under those that hold the label."""
    lines = [line for row in rows for line in row.lines]
    labels = [line for line in lines if max(find(label, line.text)[0], find(label, line.latin)[0]) >= _LABEL_LEAST]
    return [line for upper in labels for line in lines if _under(upper, line)]


def _under(upper: Line, lower: Line) -> bool:
    """Right below, and beginning about where the upper one does."""
    return (
        0 < lower.top + lower.height / 2 - upper.bottom < 3 * upper.height
        and lower.left < upper.right
        and upper.left < lower.right
    )


def _dates(rows: Sequence[Row], fields: dict[CardField, Value]) -> None:
    """Of the three dates of a page birth is the earliest and expiry the latest; one that lies ahead is expiry."""
    unique = {each.day: each for each in reversed(dates_of(rows))}
    known = [unique[day] for day in sorted(unique)]
    order = CardField.BIRTH_DATE, CardField.ISSUE_DATE, CardField.EXPIRY_DATE
    if len(known) >= len(order):
        roles = list(zip(order, (known[0], known[-2], known[-1]), strict=True))
    else:
        roles = [(role, each) for each in known if (role := _role(each.part, rows))]
    fields |= {role: each.value() for role, each in roles}


def _role(part: Passage, rows: Sequence[Row]) -> CardField | None:
    """By the label above it."""
    of_label = {
        CardField.BIRTH_DATE: "Date of birth",
        CardField.ISSUE_DATE: "Date of issue",
        CardField.EXPIRY_DATE: "Date of expiry",
    }
    above = [line for row in rows for line in row.lines if any(_under(line, own) for own in part.lines)]
    scores = [(find(label, line.latin)[0], role) for line in above for role, label in of_label.items()]
    best, role = max(scores, key=lambda pair: pair[0], default=(0.0, None))
    return role if best >= 0.75 else None


def _confirm(fields: dict[CardField, Value], zone: Zone, zone_rows: Sequence[Row], page: Sequence[Row]) -> Zone:
    """Put what the zone says in place of what was printed; the zone, with the printed number where that is proven."""
    number = fields.get(CardField.PASSPORT_NO)
    if number and (not zone.proven["number"] or _tells_apart(number.value, zone.fields["number"])):
        zone = mrz.with_number(zone, number.value)
    lines = tuple(line for row in zone_rows for line in row.lines)
    read = min(line.latin_confidence for line in lines)
    fields[CardField.MRZ] = Value("\n".join(zone.lines), read if zone.valid else read * UNPROVEN, lines)
    for key, value, check in _said(zone):
        row = zone_rows[zone.format.fields[_AT[key]].line]
        place = zone.format.fields[_AT[key]]
        length = zone.format.length
        proven = zone.proven[check] if check else None
        own = row.latin.confidence
        said = Value(
            value, own * (UNPROVEN if proven is False else 1.0), row.lines, (place.start / length, place.stop / length)
        )
        fields[key] = _agreed(said, fields.get(key), proven=bool(proven), stands=_stands(value, page))
    # The zone repeats the number, and is no surer than that.
    repeated = fields.get(CardField.PASSPORT_NO)
    if repeated is not None:
        of_zone = fields[CardField.MRZ]
        fields[CardField.MRZ] = replace(of_zone, confidence=min(of_zone.confidence, repeated.confidence))
    return zone


def _tells_apart(printed: str, said: str) -> bool:
    """Does the printed number show the letter of the new form where the zone was read with a digit of the same weight?

    No check digit sees that: G is 16 and 6 is 6.
    """
    return (
        numbers.is_lettered(printed)
        and not numbers.is_lettered(said)
        and (printed[:4], printed[5:]) == (said[:4], said[5:])
        and mrz.check_digit(printed) == mrz.check_digit(said)
    )


_AT = {
    CardField.PASSPORT_NO: "number",
    CardField.BIRTH_DATE: "birth",
    CardField.EXPIRY_DATE: "expiry",
    CardField.SEX: "sex",
    CardField.NATIONALITY: "nationality",
    CardField.SURNAME: "names",
    CardField.GIVEN_NAMES: "names",
}


def _said(zone: Zone) -> list[tuple[CardField, str, str | None]]:
    """Each field that the zone has, and which check digit proves it."""
    said: list[tuple[CardField, str, str | None]] = [
        (CardField.PASSPORT_NO, zone.fields["number"], "number"),
        (CardField.NATIONALITY, zone.fields["nationality"], None),
        (CardField.SURNAME, zone.surname, None),
        (CardField.GIVEN_NAMES, zone.given_names, None),
    ]
    if zone.fields["sex"] in {"M", "F"}:
        said.append((CardField.SEX, zone.fields["sex"], None))
    latest = today()
    if born := of_two_digits(zone.fields["birth"], latest=latest):
        said.append((CardField.BIRTH_DATE, born.isoformat(), "birth"))
    if expires := of_two_digits(
        zone.fields["expiry"], latest=latest.replace(year=latest.year + _VALIDITY_YEARS + 1, day=1)
    ):
        said.append((CardField.EXPIRY_DATE, expires.isoformat(), "expiry"))
    return [each for each in said if each[1]]


def _agreed(said: Value, printed: Value | None, *, proven: bool, stands: bool) -> Value:
    """One value of what the zone says and what is printed; two readings that agree are each other's proof."""
    if printed is None:
        return replace(said, confidence=together(said.confidence, said.confidence)) if stands else said
    if bare(printed.value) == bare(said.value):
        # A zone has a filler for a space and for a hyphen, and a recogniser drops spaces.
        if " " in said.value and not re.search(r"[ -]", printed.value):
            printed = replace(printed, value=said.value)
        return replace(printed, confidence=together(said.confidence, printed.confidence))
    # The zone has two digits of the year, and the page has four.
    if proven and printed.value[2:] == said.value[2:] and re.fullmatch(r"[\d-]{10}", said.value):
        return printed
    surer = said if proven or said.confidence >= printed.confidence else printed
    return replace(surer, confidence=surer.confidence * DISAGREEMENT)


def _stands(value: str, page: Sequence[Row]) -> bool:
    """Whether the value stands somewhere on the page as well."""
    sought = bare(value)
    return any(re.search(rf"(?<![A-Z0-9]){re.escape(sought)}", bare(line.latin)) for row in page for line in row.lines)
