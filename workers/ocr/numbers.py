"""Numbers of people and documents: their forms, check digits, and what they say of a birth date.

RRN, ARC   YYMMDD-SNNNNNC    weights 2 3 4 5 6 7 8 9 2 3 4 5 of the first twelve digits, sum modulo 11 = r
                             S 1-4, 9, 0: a citizen, C = (11 - r) mod 10; S 5-8: a foreigner, C = (13 - r) mod 10
licence    RR-YY-NNNNNN-CC   region, year, serial, check and reissue; before May 2014 서울 08-123456-78
passport   M12345678, M123A4567
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from workers.ocr.text import HANGUL, as_digits, likeness

_WEIGHTS = 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5
# Numbers given from then on are random after S: no check digit tells anything of somebody born since.
RANDOM_SINCE = date(2020, 10, 1)
_CENTURIES = {"1": 1900, "2": 1900, "5": 1900, "6": 1900, "3": 2000, "4": 2000, "7": 2000, "8": 2000} | {
    "9": 1800,
    "0": 1800,
}
_FOREIGN = frozenset("5678")

REGIONS = {
    "11": "서울",
    "12": "부산",
    "13": "경기",
    "14": "강원",
    "15": "충북",
    "16": "충남",
    "17": "전북",
    "18": "전남",
    "19": "경북",
    "20": "경남",
    "21": "제주",
    "22": "대구",
    "23": "인천",
    "24": "광주",
    "25": "대전",
    "26": "울산",
    "28": "경기북부",
}
_OLD_REGIONS = (*dict.fromkeys([*REGIONS.values(), "경기남부"]),)

_D = r"[0-9OoQDUIl|i!LZzSsBGbqgTA]"  # what `as_digits` makes a digit of
_BAR = r"\s{0,2}[-–—_~=.·•:*'\s]{0,3}\s{0,2}"  # noqa: RUF001 — what a hyphen is read as
_PERSON = re.compile(rf"(?<![0-9])({_D}{{6}}){_BAR}({_D}{{7}})(?![0-9])")
_WITHIN = re.compile(r"(?<=1)(\d{6})-(\d{7})(?!\d)")
_NEW_LICENCE = re.compile(rf"(?<![0-9])({_D}{{2}}){_BAR}({_D}{{2}}){_BAR}({_D}{{6}}){_BAR}({_D}{{2}})(?![0-9])")
_OLD_LICENCE = re.compile(rf"([{HANGUL}]{{2,9}}){_BAR}({_D}{{2}}){_BAR}({_D}{{6}}){_BAR}({_D}{{2}})(?![0-9])")
_PASSPORT = re.compile(rf"(?<![A-Z0-9])([MSRGDO])\s?({_D}{{3}})([A-Z0-9])({_D}{{4}})(?![A-Z0-9])")
# At least so many of the characters of a number must have been read as digits, lest a word be taken for one.
_LEAST_DIGITS = 0.6
_REGION_LEAST = 0.6


class Found(NamedTuple):
    """A number and where in the text it stands."""

    value: str
    start: int
    stop: int


def check_digit(number: str) -> int:
    """Of the first twelve digits of an RRN or ARC number, which of them by its S digit."""
    remainder = sum(int(digit) * weight for digit, weight in zip(number[:12], _WEIGHTS, strict=True)) % 11
    return ((13 if number[6] in _FOREIGN else 11) - remainder) % 10


def is_foreign(number: str) -> bool:
    """Whether the S digit of `YYMMDD-SNNNNNC` is a foreigner's."""
    return number[7] in _FOREIGN


def is_proven(number: str) -> bool:
    """Whether the check digit of `YYMMDD-SNNNNNC` holds."""
    digits = number.replace("-", "")
    return int(digits[12]) == check_digit(digits)


def birth_date(number: str) -> date | None:
    """The one that `YYMMDD-SNNNNNC` says, the century by its S digit; None for no date of the calendar."""
    try:
        return date(_CENTURIES[number[7]] + int(number[:2]), int(number[2:4]), int(number[4:6]))
    except ValueError:
        return None


def person_number(text: str) -> Found | None:
    """The RRN or ARC number in a text, as `YYMMDD-SNNNNNC`: the first, but one with a true check digit before it."""
    found = [
        Found(f"{as_digits(match[1])}-{as_digits(match[2])}", *match.span())
        for match in _PERSON.finditer(text)
        if _mostly_digits(match[1] + match[2])
    ] or [
        # A rule or an edge before a number is a stroke, and a stroke is a 1: only what is proven is taken from within.
        found
        for match in _WITHIN.finditer(text)
        if is_proven((found := Found(f"{match[1]}-{match[2]}", *match.span())).value) and birth_date(found.value)
    ]
    return min(found, key=lambda found: (birth_date(found.value) is None, not is_proven(found.value)), default=None)


def licence_number(text: str) -> Found | None:
    """The first driver's licence number of a text, as it is printed: `11-08-123456-78` or `서울 08-123456-78`."""
    for match in _NEW_LICENCE.finditer(text):
        if _mostly_digits("".join(match.groups())) and as_digits(match[1]) in REGIONS:
            return Found("-".join(as_digits(group) for group in match.groups()), *match.span())
    for match in _OLD_LICENCE.finditer(text):
        # A label may stand before the region with no space between.
        region = max(_OLD_REGIONS, key=lambda region: (likeness(region, match[1][-len(region) :]), len(region)))
        if likeness(region, match[1][-len(region) :]) >= _REGION_LEAST and _mostly_digits("".join(match.groups()[1:])):
            numbers = "-".join(as_digits(group) for group in match.groups()[1:])
            return Found(f"{region} {numbers}", match.start(1) + max(0, len(match[1]) - len(region)), match.end())
    return None


def passport_number(text: str) -> Found | None:
    """The first Korean passport number of a text. Its fifth character is a letter or a digit and stays as it is."""
    for match in _PASSPORT.finditer(text.upper()):
        if _mostly_digits(match[2] + match[4]):
            return Found(match[1] + as_digits(match[2]) + match[3] + as_digits(match[4]), *match.span())
    return None


def is_lettered(number: str) -> bool:
    """Is it a passport number of the new form, `M123A4567`?"""
    return re.fullmatch(r"[A-Z]\d{3}[A-Z]\d{4}", number) is not None


def _mostly_digits(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= _LEAST_DIGITS * len(text)
