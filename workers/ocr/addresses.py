"""Addresses: the lines of one, corrected by the closed list of provinces and districts and the form of an address.

    서울특별시 강남구 테헤란로 152, 101동 1203호 (역삼동, 강남아파트)
    province   district  road  number  unit      (legal dong, building)

The small Korean dictionary has no `. , ( )` and mostly drops spaces. What `merging` does not bring back comes from the
form.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from workers.ocr.corrections import MARGIN, corrected, is_doubted
from workers.ocr.places import BUILDINGS, DISTRICTS, PROVINCES, SHORT
from workers.ocr.text import HANGUL, bare, begins, likeness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A province is one of 17, so that much may be misread; of districts many differ by one syllable of two.
_PROVINCE_LEAST, _DISTRICT_LEAST, _BUILDING_LEAST, _TOWN_LEAST = 0.65, 0.75, 0.75, 0.8
_LONGEST_PROVINCE = 16  # 제주특별자치도 with a space between every two
_H = f"[{HANGUL}]"
# What the name of a district, a town or a street ends in.
_ENDS = frozenset("시군구읍면동리가로길")
# A name of a place with a space after it: a city with its district, a district, a county, a town.
_PLACE = re.compile(rf"(?:{_H}{{2,4}}시 {_H}{{1,4}}구|{_H}{{1,4}}[시군구읍면])(?=[ ,]|$)")
_PLACE_IN_A_RUN = re.compile(rf"{_H}{{1,4}}?[시군구]")
# Cities and counties of three syllables and more: 중구 is in six provinces, and a word of many texts.
_TOWNS = {name.replace(" ", ""): name for names in DISTRICTS.values() for name in names if len(name) > 2}
_PROVINCES_AS_SPELT = {name: name for name in (*PROVINCES, *SHORT)}
_LONGEST_NAME = 10
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
    """Whether an address begins here: with a province, as far as it can be read, or with a city or a county as spelt.

    Cards of before 2010 leave the province out of some addresses.
    """
    return text[:1].isalpha() and (province(text[:_LONGEST_PROVINCE], least) is not None or _town(text) is not None)


@lru_cache(maxsize=1024)
def province(text: str, least: float = _PROVINCE_LEAST) -> tuple[str, int] | None:
    """The province that the text begins with, as printed, and where the rest begins.

    A short name is one syllable long but for 시: nothing is known again by half of that, so it must be there as it is.
    """
    spelt = _spelt(_PROVINCES_AS_SPELT, text)
    if spelt or least >= 1.0:
        return spelt
    found = [(name, end) for name in PROVINCES if (end := begins(name, text, least)) is not None]
    if not found:
        return None
    # 전라북도 and 전라남도 are both like 전라?도: the most alike of what was read.
    return max(found, key=lambda pair: (likeness(pair[0], text[: pair[1]]), len(pair[0])))


def address(lines: Iterable[str], sure: Iterable[Sequence[float]] = ()) -> str:
    """Of printed lines from top to bottom; joined by one space.

    `sure` are the probabilities of the Hangul syllables of each line, in their order. Without them all are doubted.
    """
    known = list(sure)
    texts = [line.strip() for line in lines]
    parts = [respaced(text, known[at] if known else (), first=at == 0) for at, text in enumerate(texts)]
    last = known[-1] if known else ()
    whole = _mended_end(_closed(" ".join(filter(None, parts))), last)
    return re.sub(r"\s+", " ", whole).strip()


def respaced(text: str, sure: Sequence[float] = (), *, first: bool = True) -> str:
    """One line of an address, with spaces where the form has them.

    In the first line province and district are corrected where they were read unsurely; no other line has them.
    """
    start = ""
    if first:
        start, text, sure = _headed(text, sure)
    for pattern, replacement in _SPACES:
        text = re.sub(pattern, replacement, text)
    return f"{start} {text}".strip()


def _headed(text: str, sure: Sequence[float]) -> tuple[str, str, Sequence[float]]:
    """Province, district and the town of a county as they are spelt; the rest, and how sure that is.

    Of provinces, and of them alone, the list is whole: what is like one is one, however surely it was misread.
    """
    town = _town(text)
    found = None if town else province(text[:_LONGEST_PROVINCE])
    start = ""
    if found:
        start, text, sure = found[0], *_after(text, found[1], sure)
    district = _district(DISTRICTS[SHORT.get(start, start)], text, sure) if start else town
    if district is None:
        return start, text, sure
    start, text, sure = f"{start} {district[0]}".strip(), *_after(text, district[1], sure)
    # The town of a county has the county's name.
    seat = f"{district[0][:-1]}읍" if district[0].endswith("군") else ""
    if seat and (end := begins(seat, text, _TOWN_LEAST)) is not None and _may_stand_for(text, end, seat, sure):
        start, text, sure = f"{start} {seat}", *_after(text, end, sure)
    return start, text, sure


def _may_stand_for(text: str, end: int, word: str, sure: Sequence[float]) -> bool:
    """Whether the list's word stands for what the text begins with, up to `end` as it is aligned with the word.

    It does where that was read unsurely, or is no name of a place at all.
    """
    own = bare(text[:end])
    if own == bare(word):
        return True
    place = _PLACE.match(text) or _PLACE_IN_A_RUN.match(text)
    if place is not None and not bare(word).startswith(bare(place[0])):
        own = bare(place[0])
    elif own[-1:] not in _ENDS:
        return own != ""
    return is_doubted(own, bare(word), sure[: len(own)])


def _after(text: str, end: int, sure: Sequence[float]) -> tuple[str, Sequence[float]]:
    return text[end:].lstrip(" ,."), sure[len(bare(text[:end])) :]


def _district(districts: Iterable[str], text: str, sure: Sequence[float]) -> tuple[str, int] | None:
    """The longest that is there as it is spelt, or else the nearest by a margin, if what differs was doubted."""
    found = [(name, end) for name in districts if (end := begins(name, text, _DISTRICT_LEAST)) is not None]
    exact = [(name, end) for name, end in found if bare(name) == bare(text[:end])]
    if exact:
        return max(exact, key=lambda pair: len(pair[0]))
    ranked = sorted(found, key=lambda pair: -likeness(pair[0], text[: pair[1]]))[:2]
    near = [likeness(name, text[:end]) for name, end in ranked]
    if not ranked or (len(ranked) > 1 and near[0] - near[1] < MARGIN):
        return None
    name, end = ranked[0]
    if not _may_stand_for(text, end, name, sure):
        return None
    # Where the name of a place ends is seen better than where it is best aligned.
    place = _PLACE.match(text)
    return name, place.end() if place else end


def _town(text: str) -> tuple[str, int] | None:
    """The city or county that a text without a province begins with, as it is spelt."""
    return _spelt(_TOWNS, text)


def _spelt(names: dict[str, str], text: str) -> tuple[str, int] | None:
    """The longest of the names that the text begins with, spaces aside, and where the rest begins."""
    own = "".join(text[: 2 * _LONGEST_NAME].split())[:_LONGEST_NAME]
    name = next((names[own[:length]] for length in range(len(own), 1, -1) if own[:length] in names), None)
    if name is None:
        return None
    letters = (at for at, character in enumerate(text, 1) if not character.isspace())
    return name, next(at for count, at in enumerate(letters, 1) if count == len(name.replace(" ", "")))


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


def _mended_end(text: str, sure: Sequence[float] = ()) -> str:
    """The legal dong and the building between the brackets apart, and the building as it is spelt.

    A list of buildings is the least complete of all: a syllable may be another for it, never more or fewer.
    """
    end = re.search(r"\(([^()]*)\)$", text)
    if end is None:
        return text
    dong = re.match(rf"{_H}{{1,5}}?\d?[동리가](?=[ ,]|{_H}{{2}}|$)", end[1])
    building = end[1][dong.end() if dong else 0 :].strip(" ,")
    if building and re.fullmatch(rf"{_H}+", building):
        of_it = sure[-len(building) :] if len(sure) >= len(building) else ()
        same_length = (one for one in BUILDINGS if len(one) == len(building))
        known = corrected(building, same_length, _BUILDING_LEAST, of_it) if of_it or not sure else None
        building = known.word if known else building
    inner = [part for part in (dong[0] if dong else "", building) if part]
    return f"{text[: end.start()]}({', '.join(inner)})"
