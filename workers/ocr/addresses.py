"""Addresses: the lines of one, mended by the closed list of provinces and the form that an address has.

    서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 강남아파트)
    province   district  road  number  unit      (legal dong, building)

The small Korean dictionary has no `. , ( )` and mostly drops spaces. What `merging` does not bring back comes from the
form.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from workers.ocr.places import BUILDINGS, DISTRICTS, PROVINCES, SHORT
from workers.ocr.text import HANGUL, begins, closest, likeness

if TYPE_CHECKING:
    from collections.abc import Iterable

# A province is one of 17, so that much may be misread; of districts many differ by one syllable of two.
_PROVINCE_LEAST, _DISTRICT_LEAST, _BUILDING_LEAST, _TOWN_LEAST = 0.65, 0.75, 0.75, 0.8
_LONGEST_PROVINCE = 16  # 제주특별자치도 with a space between every two
_H = f"[{HANGUL}]"
# Where a space stands though none was read.
_SPACES = (
    (rf"^({_H}{{1,4}}?[읍면])(?={_H}+[로길리])", r"\1 "),  # 선원면 중앙로
    (r"(\d{2,4})[둥통등돔돈](?= ?\d{3,4}호)", r"\1동"),  # nothing else stands there
    (rf"({_H}{{2,}}로) (?=\d+번?길)", r"\1"),  # 왕지로70번길 is one name
    (rf"({_H}{{2,}}[로길])(\d+)(?!\d|번?길)", r"\1 \2"),  # 테헤란로 152
    (r"(\d(?:번?길|로))(\d)", r"\1 \2"),  # 120번길 7
    (rf"({_H}[읍면동리가])(\d+(?:-\d+)?)(?=$|[ ,(]|{_H}{{2}})", r"\1 \2"),  # 범어동 123-4
    (rf"({_H}[동리가] \d+(?:-\d+)?)(?=(?!번?[길지]){_H}{{2}})", r"\1 "),  # 123-4 한신아파트
    (rf"({_H})(?=\d+동 ?\d+호)", r"\1 "),  # 한신아파트 101동 1203호
    (r"(\d동)(\d)", r"\1 \2"),  # 101동 1203호
    (rf"(\d(?:호|층))({_H})", r"\1 \2"),
    (r"(\S)(\()", r"\1 \2"),
    (r",(?=\S)", ", "),
)


def is_start(text: str, least: float = _PROVINCE_LEAST) -> bool:
    """Whether an address begins here: with a province, as far as it can be read."""
    return text[:1].isalpha() and province(text[:_LONGEST_PROVINCE], least) is not None


@lru_cache(maxsize=1024)
def province(text: str, least: float = _PROVINCE_LEAST) -> tuple[str, int] | None:
    """The province that the text begins with, as printed, and where the rest begins."""
    found = [(name, end) for name in (*PROVINCES, *SHORT) if (end := begins(name, text, least)) is not None]
    if not found:
        return None
    # 전라북도 and 전라남도 are both like 전라?도: the most alike of what was read.
    return max(found, key=lambda pair: (likeness(pair[0], text[: pair[1]]), len(pair[0])))


def address(lines: Iterable[str]) -> str:
    """Of printed lines from top to bottom; joined by one space."""
    whole = _mended_end(_closed(" ".join(part for line in lines if (part := respaced(line.strip())))))
    return re.sub(r"\s+", " ", whole).strip()


def respaced(text: str) -> str:
    """One line of an address with the province and the district mended, and spaces where the form has them."""
    start = ""
    if found := province(text[:_LONGEST_PROVINCE]):
        name, end = found
        start, text = name, text[end:].lstrip(" ,.")
        if district := _district(SHORT.get(name, name), text):
            start, text = f"{start} {district[0]}", text[district[1] :].lstrip(" ,.")
            # The town of a county has the county's name.
            town = f"{district[0][:-1]}읍" if district[0].endswith("군") else ""
            if town and (end := begins(town, text, _TOWN_LEAST)) is not None:
                start, text = f"{start} {town}", text[end:].lstrip(" ,.")
    for pattern, replacement in _SPACES:
        text = re.sub(pattern, replacement, text)
    return f"{start} {text}".strip()


def _district(province: str, text: str) -> tuple[str, int] | None:
    found = [
        (name, end) for name in DISTRICTS.get(province, ()) if (end := begins(name, text, _DISTRICT_LEAST)) is not None
    ]
    return max(found, key=lambda pair: (likeness(pair[0], text[: pair[1]]), len(pair[0])), default=None)


def _closed(text: str) -> str:
    """The last part, the legal dong and the building, in brackets, where they were lost: nothing else stands there."""
    if "(" in text:
        return text if text.endswith(")") else f"{text})"
    last = re.search(
        rf"([로길] ?\d+(?:-\d+)?(?![\d-]|번?길)|\d ?(?:호|층))[ ,]*((?!동 ?\d|[호층] ){_H}[{HANGUL}A-Za-z0-9, ]*)\)?$",
        text,
    )
    if last is None:
        return text.rstrip(")")
    return f"{text[: last.end(1)]} ({last[2].strip(' ,')})"


def _mended_end(text: str) -> str:
    """The legal dong and the building between the brackets apart, and the building as it is spelt."""
    end = re.search(r"\(([^()]*)\)$", text)
    if end is None:
        return text
    dong = re.match(rf"{_H}{{1,5}}?\d?[동리가](?=[ ,]|{_H}{{2}}|$)", end[1])
    building = end[1][dong.end() if dong else 0 :].strip(" ,")
    known = closest(building, BUILDINGS, _BUILDING_LEAST)
    inner = [part for part in (dong[0] if dong else "", known[0] if known else building) if part]
    return f"{text[: end.start()]}({', '.join(inner)})"
