"""운전면허증, the driver's licence: portrait on the left, the number under the title, a serial under the portrait.

Cards of today print bare values; older ones had a label before each, and a region's name in the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, outsiders, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID1, ID1_CORNER, LAST_DAY, Card, between, born_before, dotted
from tests.specimens.names import KoreanName, korean_name
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
PORTRAIT = (300, 384)
LATIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Values:
    """What is said of the holder; `region` is a code of REGIONS, `renewal` the first and the last day for it."""

    region: str
    types: tuple[str, ...]
    number: str
    name: KoreanName
    resident: str
    born: date
    address: str
    renewal: tuple[date, date]
    issued: date
    old: bool


def draw(rng: Random, turn: int) -> Card:
    """One card. The region goes round by `turn`, so that each occurs."""
    values = _values(rng, list(REGIONS)[turn % len(REGIONS)])
    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID1, rng.choice(TINTS)), stroke=rng.choice((0.0, 0.6)))
    left = rng.uniform(52, 74)
    column = left + PORTRAIT[0] + rng.uniform(36, 52)
    top = rng.uniform(186, 204)
    face = paper.portrait(rng, *PORTRAIT)
    portrait = canvas.paste(face, left, top)
    small = paper.ghost(face, round(rng.uniform(120, 160)), rng)
    canvas.paste(small, canvas.width - small.width - rng.uniform(40, 60), rng.uniform(560, 600))

    _head(rng, canvas, values, style, left, column)
    serial = "".join(rng.choice(LETTERS + "0123456789") for _ in range(6))
    canvas.text((left + PORTRAIT[0] / 2, top + PORTRAIT[1] + 46), serial, style.value.at(34), align="centre")
    below = _person(rng, canvas, values, style, column)
    _foot(rng, canvas, values, style, column, below)
    if rng.random() < 0.5:
        canvas.image = paper.hologram(rng, canvas.image)

    fields = {
        CardField.NAME: values.name.hangul,
        CardField.ID_NUMBER: values.resident,
        CardField.BIRTH_DATE: values.born.isoformat(),
        CardField.LICENCE_NO: values.number,
        CardField.LICENCE_TYPE: ",".join(values.types),
        CardField.ADDRESS: values.address,
        CardField.ISSUE_DATE: values.issued.isoformat(),
        CardField.EXPIRY_DATE: values.renewal[1].isoformat(),
    }
    return Card(IdType.DRIVER, "driver", canvas, ID1_CORNER, fields, portrait)


def _values(rng: Random, region: str) -> Values:
    old = rng.random() < 0.2
    issued = between(rng, ROADS_SINCE, date(2014, 4, 30)) if old else between(rng, REGION_CODES_SINCE, LAST_DAY)
    born = born_before(rng, issued, youngest=20, oldest=75)
    by_lot = issued >= RANDOM_SINCE and rng.random() < 0.2
    return Values(
        region=region,
        types=_types(rng),
        number=licence_number(rng, region, rng.randint(max(born.year + 18, 1980), issued.year), named=old),
        name=_name(rng),
        resident=resident_number(rng, born, rng.choice("MF"), random_digits=by_lot),
        born=born,
        address=address(rng, place(rng, issued, (PROVINCES[REGIONS[region]],)), issued),
        renewal=_renewal(rng, issued),
        issued=issued,
        old=old,
    )


def _name(rng: Random) -> KoreanName:
    """One in Hangul, or of a foreigner in Latin letters."""
    if rng.random() < LATIN_SHARE:
        return KoreanName(rng.choice(outsiders.LATIN_NAMES), "", "", "")
    return korean_name(rng)


def _head(rng: Random, canvas: Canvas, values: Values, style: fonts.Style, left: float, column: float) -> None:
    """The types in the corner above the portrait, the title beside them."""
    size = 44 - 3 * len(values.types)
    gap = rng.choice(("", "", " "))
    for at, one in enumerate(values.types):
        text = one.replace("종", f"종{gap}", 1)
        font = style.value.at(size, bold=True)
        if font.getlength(text) > column - left:
            font = style.value.at(29, bold=True)
        y = 60 + 16 * (3 - len(values.types)) + at * (size + 9)
        canvas.text((left, y), text, font, field=CardField.LICENCE_TYPE)
    title = rng.choice(("자동차운전면허증", "자동차운전면허증", "자동차 운전면허증"))
    box = canvas.text((column, 104), title, style.title.at(rng.uniform(56, 62)), tracking=rng.uniform(2, 8))
    canvas.text((box[2] + 12, 102), "(Driver's License)", style.label.at(26))


def _person(rng: Random, canvas: Canvas, values: Values, style: fonts.Style, column: float) -> float:
    """Number, name, resident number, address; where the next line may stand."""
    labelled = rng.random() < (0.7 if values.old else 0.25)

    def after_label(y: float, label: str) -> float:
        return canvas.text((column, y), label, style.label.at(32))[2] + 14 if labelled else column

    font = style.value.at(rng.uniform(46, 52), bold=True)
    canvas.text((after_label(192, "면허번호:"), 192), values.number, font, field=CardField.LICENCE_NO)
    font = style.value.at(rng.uniform(44, 50), bold=rng.random() < 0.4)
    canvas.text((after_label(262, "성  명:"), 262), values.name.hangul, font, field=CardField.NAME)
    font = style.value.at(rng.uniform(42, 48), bold=rng.random() < 0.3)
    canvas.number((after_label(328, "주민번호:"), 328), values.resident, font)
    x = after_label(392, "주  소:")
    font = style.value.at(rng.uniform(35, 39), bold=rng.random() < 0.2)
    width = (canvas.width - x) * rng.choice((0.93, 0.8, 0.65))
    return canvas.wrapped((x, 392), values.address, font, width=width, leading=50, field=CardField.ADDRESS)


def _foot(rng: Random, canvas: Canvas, values: Values, style: fonts.Style, column: float, below: float) -> None:
    """The period of renewal, the conditions, day and office of issue."""
    what = "적성검사" if values.types[0].startswith("1종") else "갱신"
    stop = rng.random() < 0.7
    first, last = (dotted(day, stop=stop) for day in values.renewal)
    font = style.value.at(rng.uniform(33, 37), bold=rng.random() < 0.3)
    y = max(below + 6, 530)
    x = canvas.text((column, y), f"{what} 기간 : ", style.label.at(30))[2] + 10
    if rng.random() < 0.5:
        x = canvas.text((x, y), f"{first} ~ ", font)[2] + 12
    else:
        canvas.text((x, y), first, font)
        y += 44
        x = canvas.text((x, y), "~ ", font)[2] + 10
    canvas.text((x, y), last, font, field=CardField.EXPIRY_DATE)
    canvas.text((column, y + 46), f"조건 : {rng.choice(('', '', 'A', 'B', 'A, E', 'E'))}", style.label.at(30))

    middle = canvas.width * rng.uniform(0.56, 0.62)
    shown = dotted(values.issued, stop=stop, spaced=rng.random() < 0.15)
    canvas.text((middle, 706), shown, style.value.at(37), field=CardField.ISSUE_DATE, align="centre")
    office = _office(rng, REGIONS[values.region], values.issued)
    box = canvas.text((middle, 764), office, style.value.at(44, bold=True), align="centre")
    canvas.paste(paper.seal(office + "인", 84), box[2] - 12, 698)


def _types(rng: Random) -> tuple[str, ...]:
    """One to three types, in the order of the table, as a card has them."""
    drawn = rng.choices(list(TYPES), list(TYPES.values()), k=rng.choice((1, 1, 1, 1, 2, 2, 3)))
    return tuple(one for one in TYPES if one in drawn)


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
