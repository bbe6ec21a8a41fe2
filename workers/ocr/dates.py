"""Dates as documents print them, to ISO 8601.

2020.01.01   2020.01.01.   2020. 1. 1.   2020년 1월 1일   20200101   01 1월/JAN 2020   01 JAN 2020
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from workers.ocr.text import as_digits, closest

_MONTHS = "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"
_D = r"[0-9OoQDUIl|i!LZzSsBGbqg]"
_BREAK = r"[\s.,·:;'*\-/_년월일]{0,4}"
# Four digits, two and two with anything or nothing between them; single digits only between separators.
_FULL = re.compile(rf"(?<![0-9])({_D}{{4}}){_BREAK}({_D}{{2}}){_BREAK}({_D}{{2}})(?![0-9])")
_SHORT = re.compile(r"(?<![0-9])(\d{4})[\s.,·\-/년]{1,3}(\d{1,2})[\s.,·\-/월]{1,3}(\d{1,2})(?![0-9])")
# The month is between day and year, in Korean, in English or in both, of which one may be unreadable.
_PASSPORT = re.compile(rf"(?<![0-9A-Z])({_D}{{2}})\s?((?=\S*[^\d\s.])[^\n]{{3,12}}?)\s?({_D}{{4}})(?![0-9])")
_LEAST_DIGITS = 4
_EARLIEST = date(1900, 1, 1)
# No document of the four is valid for longer than 10 years; a licence's period begins a year before it can be renewed.
_LATEST_YEARS = 15


class Found(NamedTuple):
    """A date and where in the text it stands."""

    value: date
    start: int
    stop: int


def today() -> date:
    """Of Korea, where documents are issued: nine hours ahead of UTC."""
    return (datetime.now(UTC) + timedelta(hours=9)).date()


def find_dates(text: str) -> list[Found]:
    """Every date of a text, from left to right, that a document can carry."""
    found: list[Found] = []
    for pattern, made in ((_FULL, _numeric), (_SHORT, _numeric), (_PASSPORT, _named)):
        for match in pattern.finditer(text):
            value = made(match)
            if value and all(match.end() <= other.start or other.stop <= match.start() for other in found):
                found.append(Found(value, *match.span()))
    return sorted(found, key=lambda found: found.start)


def of_two_digits(text: str, *, latest: date) -> date | None:
    """`YYMMDD` as the last such day up to `latest`; None for no day of the calendar."""
    try:
        year, month, day = int(text[:2]), int(text[2:4]), int(text[4:6])
        century = latest.year // 100 * 100
        value = date(century + year, month, day)
        return value if value <= latest else date(century - 100 + year, month, day)
    except ValueError:
        return None


def _numeric(match: re.Match[str]) -> date | None:
    if sum(character.isdigit() for character in "".join(match.groups())) < min(_LEAST_DIGITS, len(match[0])):
        return None
    return _date(*(as_digits(group) for group in match.groups()))


def _named(match: re.Match[str]) -> date | None:
    month = _month(match[2])
    return _date(as_digits(match[3]), str(month), as_digits(match[1])) if month else None


def _month(text: str) -> int | None:
    """By its Korean numeral or its English name; where both are there and differ, by neither."""
    korean = re.search(r"(1[0-2]|0?[1-9])\s?[월월]", text)
    english = [closest(word, _MONTHS, 0.66) for word in re.findall("[A-Z]{2,4}", text.upper())]
    named = {_MONTHS.index(word[0]) + 1 for word in english if word}
    if korean:
        named.add(int(korean[1]))
    return named.pop() if len(named) == 1 else None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        value = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return value if _EARLIEST <= value <= today() + timedelta(days=366 * _LATEST_YEARS) else None
