"""운전면허증, the driver's licence: portrait on the left, the number under the title, a serial under the portrait.

Cards of today print bare values; older ones had a label before each, and a region's name in the number.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID1, ID1_CORNER, LAST_DAY, Card, between, born_before, dotted
from tests.specimens.names import korean_name
from tests.specimens.numbers import LETTERS, RANDOM_SINCE, REGION_CODES_SINCE, REGIONS, licence_number, resident_number
from tests.specimens.places import ROADS_SINCE, address, place

if TYPE_CHECKING:
    from random import Random

TYPES = {
    "1종대형": 12,
    "1종보통": 50,
    "1종소형": 2,
    "1종특수(대형견인)": 4,
    "1종특수(소형견인)": 3,
    "1종특수(구난)": 3,
    "2종보통": 45,
    "2종소형": 12,
    "2종원동기": 8,
}
PROVINCES = {
    "서울": "서울특별시",
    "부산": "부산광역시",
    "경기": "경기도",
    "강원": "강원특별자치도",
    "충북": "충청북도",
    "충남": "충청남도",
    "전북": "전북특별자치도",
    "전남": "전라남도",
    "경북": "경상북도",
    "경남": "경상남도",
    "제주": "제주특별자치도",
    "대구": "대구광역시",
    "인천": "인천광역시",
    "광주": "광주광역시",
    "대전": "대전광역시",
    "울산": "울산광역시",
    "경기북부": "경기도",
}
# The police of 2021 dropped the word 지방 from its offices' names.
RENAMED = date(2021, 1, 1)
TINTS = (
    ((238, 240, 226), (224, 238, 240), (206, 208, 186)),
    ((228, 238, 246), (240, 232, 238), (192, 206, 220)),
    ((236, 230, 240), (232, 242, 230), (206, 196, 214)),
)


def draw(rng: Random, turn: int) -> Card:
    """One card. The region goes round by `turn`, so that each occurs."""
    region = list(REGIONS)[turn % len(REGIONS)]
    named = rng.random() < 0.2
    issued = between(rng, ROADS_SINCE, date(2014, 4, 30)) if named else between(rng, REGION_CODES_SINCE, LAST_DAY)
    born = born_before(rng, issued, youngest=20, oldest=75)
    sex = rng.choice("MF")
    name = korean_name(rng)
    home = address(rng, place(rng, issued, (PROVINCES[REGIONS[region]],)), issued)
    resident = resident_number(rng, born, sex, random_digits=issued >= RANDOM_SINCE and rng.random() < 0.2)
    number = licence_number(rng, region, rng.randint(max(born.year + 18, 1980), issued.year), named=named)
    types = _types(rng)
    first, last = _renewal(rng, issued)

    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID1, rng.choice(TINTS)))
    thick = 0.6 if rng.random() < 0.5 else 0.0
    labelled = rng.random() < (0.7 if named else 0.25)
    left = rng.uniform(52, 74)
    column = left + 300 + rng.uniform(36, 52)

    gap = " " if rng.random() < 0.3 else ""
    font = style.value.at(40 - 3 * len(types), bold=True)
    leading = 44 - 4 * len(types)
    for at, one in enumerate(types):
        text = one.replace("종", f"종{gap}", 1)
        shrunk = font if font.getlength(text) < 320 else style.value.at(27, bold=True)
        canvas.text((left, 84 + at * leading), text, shrunk, field=CardField.LICENCE_TYPE, stroke=thick)
    title = "자동차운전면허증" if gap == "" else "자동차 운전면허증"
    font = style.title.at(rng.uniform(56, 62))
    box = canvas.text((column, 104), title, font, tracking=rng.uniform(2, 8))
    canvas.text((box[2] + 12, 102), "(Driver's License)", style.label.at(26))

    top = rng.uniform(178, 196)
    face = paper.portrait(rng, 300, 384)
    portrait = canvas.paste(face, left, top)
    serial = "".join(rng.choice(LETTERS + "0123456789") for _ in range(6))
    canvas.text((left + 150, top + 384 + 46), serial, style.value.at(34), align="centre")
    small = paper.ghost(face, round(rng.uniform(120, 160)), rng)
    canvas.paste(small, canvas.width - small.width - rng.uniform(50, 90), rng.uniform(470, 540))

    def row(y: float, label: str, text: str, field: CardField, size: float, *, bold: bool = False) -> None:
        x = column
        if labelled:
            x = canvas.text((column, y), label, style.label.at(size * 0.72))[2] + 14
        box = canvas.text((x, y), text, style.value.at(size, bold=bold), field=field, stroke=thick)
        if field is CardField.ID_NUMBER:
            canvas.mark(CardField.BIRTH_DATE, (box[0], box[1], box[0] + (box[2] - box[0]) * 0.44, box[3]))

    row(192, "면허번호:", number, CardField.LICENCE_NO, rng.uniform(46, 52), bold=True)
    row(262, "성  명:", name.hangul, CardField.NAME, rng.uniform(44, 48))
    row(328, "주민번호:", resident, CardField.ID_NUMBER, rng.uniform(42, 46))
    x = column
    if labelled:
        x = canvas.text((column, 392), "주  소:", style.label.at(28))[2] + 14
    width = canvas.width - x - rng.uniform(48, 70)
    font = style.value.at(rng.uniform(34, 38))
    y = canvas.wrapped((x, 392), home, font, width=width, leading=50, field=CardField.ADDRESS, stroke=thick)

    what = "적성검사" if types[0].startswith("1종") else "갱신"
    y = max(y + 16, 530)
    font = style.value.at(rng.uniform(32, 36), bold=rng.random() < 0.3)
    stop = rng.random() < 0.7
    start = canvas.text((column, y), f"{what} 기간 : ", style.label.at(30))[2] + 10
    opened, closed = dotted(first, stop=stop), dotted(last, stop=stop)
    if rng.random() < 0.5:
        start = canvas.text((start, y), f"{opened} ~ ", font, stroke=thick)[2] + 12
    else:
        canvas.text((start, y), opened, font, stroke=thick)
        y += 44
        start = canvas.text((start, y), "~ ", font)[2] + 10
    canvas.text((start, y), closed, font, field=CardField.EXPIRY_DATE, stroke=thick)
    condition = rng.choice(("", "", "A", "B", "A, E", "E"))
    canvas.text((column, y + 46), f"조건 : {condition}", style.label.at(30))

    middle = canvas.width * rng.uniform(0.56, 0.62)
    shown = dotted(issued, stop=stop, spaced=rng.random() < 0.15)
    canvas.text((middle, 706), shown, style.value.at(36), field=CardField.ISSUE_DATE, align="centre", stroke=thick)
    office = _office(rng, REGIONS[region], issued)
    box = canvas.text((middle, 764), office, style.value.at(44, bold=True), align="centre", stroke=thick)
    canvas.paste(paper.seal(office[:-1] + "장인", 84), box[2] - 12, 764 - 66)

    fields = {
        CardField.NAME: name.hangul,
        CardField.ID_NUMBER: resident,
        CardField.BIRTH_DATE: born.isoformat(),
        CardField.LICENCE_NO: number,
        CardField.LICENCE_TYPE: ",".join(types),
        CardField.ADDRESS: home,
        CardField.ISSUE_DATE: issued.isoformat(),
        CardField.EXPIRY_DATE: last.isoformat(),
    }
    return Card(IdType.DRIVER, "driver", canvas, ID1_CORNER, fields, portrait)


def _types(rng: Random) -> list[str]:
    """One to three types, in the order of the table, as a card has them."""
    drawn = rng.choices(list(TYPES), list(TYPES.values()), k=rng.choice((1, 1, 1, 1, 2, 2, 3)))
    return [one for one in TYPES if one in drawn]


def _renewal(rng: Random, issued: date) -> tuple[date, date]:
    """Since December 2011 a calendar year; before, and on some cards still, half a year from a birthday."""
    year = issued.year + rng.choice((5, 9, 10))
    if rng.random() < 0.8:
        return date(year, 1, 1), date(year, 12, 31)
    first = date(year, rng.randint(1, 6), rng.randint(1, 28))
    return first, first.replace(month=first.month + 6)


def _office(rng: Random, region: str, issued: date) -> str:
    place = {"경기": "경기남부"}.get(region, region)
    if issued < RENAMED:
        return f"{place}지방경찰청장"
    full = {"경기": "경기도남부", "경기북부": "경기도북부"}.get(region, PROVINCES[region])
    return f"{full if rng.random() < 0.6 else place}경찰청장"
