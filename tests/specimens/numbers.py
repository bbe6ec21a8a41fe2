"""Registration, licence and passport numbers, and the MRZ.

Written apart from the product's own check digits: a formula that is wrong there would else be wrong here, too, and no
specimen would tell. Sources are those of `specs/korean-id-documents.md` and ICAO 9303 parts 3 and 4.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

# The code of a licence's region of first issue, and what stands there on licences of before May 2014.
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
REGION_CODES_SINCE = date(2014, 5, 1)
RANDOM_SINCE = date(2020, 10, 5)
WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def resident_check(digits: str) -> int:
    """The 13th digit of a resident number whose first twelve are `digits`."""
    return (11 - _sum(digits) % 11) % 10


def alien_check(digits: str) -> int:
    """The 13th digit of an alien's number whose first twelve are `digits`."""
    return (13 - _sum(digits) % 11) % 10


def resident_number(rng: Random, born: date, sex: str, *, random_digits: bool = False) -> str:
    """`YYMMDD-SNNNNNC`; with `random_digits` all after S are drawn, as in numbers given since October 2020."""
    start = f"{born:%y%m%d}{(1 if sex == 'M' else 2) + (2 if born.year >= 2000 else 0)}"
    if random_digits:
        return f"{start[:6]}-{start[6]}{rng.randrange(10**6):06d}"
    start += f"{rng.randint(1, 9599):04d}{rng.randint(1, 9)}"
    return f"{start[:6]}-{start[6:]}{resident_check(start)}"


def alien_number(rng: Random, born: date, sex: str) -> str:
    """The same shape, with an alien's sex digit and check digit."""
    start = f"{born:%y%m%d}{(5 if sex == 'M' else 6) + (2 if born.year >= 2000 else 0)}{rng.randrange(10**5):05d}"
    return f"{start[:6]}-{start[6:]}{alien_check(start)}"


def licence_number(rng: Random, region: str, first_issued: int, *, named: bool) -> str:
    """`RR-YY-NNNNNN-CC`, or `서울 YY-NNNNNN-CC` where the region is `named`. Its check digits are not published."""
    start = f"{REGIONS[region]} " if named else f"{region}-"
    return f"{start}{first_issued % 100:02d}-{rng.randint(1, 999999):06d}-{rng.randrange(100):02d}"


def passport_number(rng: Random, prefix: str, *, lettered: bool) -> str:
    """`M12345678`, or `M123A4567` where it is `lettered`, as since December 2021."""
    if lettered:
        return f"{prefix}{rng.randrange(1000):03d}{rng.choice(LETTERS)}{rng.randrange(10**4):04d}"
    return f"{prefix}{rng.randrange(10**8):08d}"


def mrz_check(text: str) -> str:
    """The check digit over letters, digits and fillers: weights 7-3-1, `<` = 0, A = 10 … Z = 35 (ICAO 9303-3, 4.9)."""
    values = (0 if one == "<" else int(one, 36) for one in text)
    return str(sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values)) % 10)


def td3(
    *, kind: str, surname: str, given: str, number: str, born: date, sex: str, expires: date, optional: str = ""
) -> str:
    """The two lines of 44 characters of a passport, joined by a line feed (ICAO 9303-4, 4.2.2)."""
    name = f"{surname}<<{given}".replace(" ", "<").replace("-", "<")
    first = f"{kind}KOR{name}".ljust(44, "<")[:44]
    document = number.ljust(9, "<")
    document += mrz_check(document)
    birth = f"{born:%y%m%d}"
    birth += mrz_check(birth)
    expiry = f"{expires:%y%m%d}"
    expiry += mrz_check(expiry)
    extra = optional.ljust(14, "<")
    extra += mrz_check(extra)
    return f"{first}\n{document}KOR{birth}{sex}{expiry}{extra}{mrz_check(document + birth + expiry + extra)}"


def _sum(digits: str) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
