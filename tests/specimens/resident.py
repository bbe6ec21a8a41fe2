"""주민등록증, the resident card: values without a single label, portrait on the right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID1, ID1_CORNER, LAST_DAY, Card, between, born_before, dotted
from tests.specimens.names import KoreanName, korean_name
from tests.specimens.numbers import RANDOM_SINCE, resident_number
from tests.specimens.places import ROADS_SINCE, address, place

if TYPE_CHECKING:
    from random import Random

FIRST_DAY = date(2006, 11, 1)
TINTS = (
    ((232, 240, 236), (240, 226, 224), (196, 212, 206)),
    ((226, 238, 244), (238, 240, 228), (190, 206, 216)),
    ((240, 236, 226), (226, 238, 236), (208, 204, 188)),
)
PORTRAIT = (300, 382)


@dataclass(frozen=True, slots=True)
class Values:
    """What is said of the holder."""

    name: KoreanName
    number: str
    born: date
    address: str
    issued: date
    issuer: str


def draw(rng: Random, turn: int) -> Card:
    """One card. Nothing of it goes round by `turn`."""
    values = _values(rng)
    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID1, rng.choice(TINTS)), stroke=rng.choice((0.0, 0.6)))
    left = rng.uniform(70, 96)
    right = canvas.width - rng.uniform(60, 84)
    face = paper.portrait(rng, *PORTRAIT)
    portrait = canvas.paste(face, right - PORTRAIT[0], rng.uniform(86, 120))
    small = paper.ghost(face, round(rng.uniform(120, 160)), rng)
    canvas.paste(small, right - rng.uniform(150, 220), rng.uniform(540, 580))

    canvas.text((left + 6, 128), "주민등록증", style.title.at(rng.uniform(72, 84)), tracking=rng.uniform(8, 34))
    _person(rng, canvas, values, style, left, right - PORTRAIT[0] - 24)
    middle = canvas.width * rng.uniform(0.45, 0.52)
    shown = dotted(values.issued, padded=rng.random() < 0.2, spaced=rng.random() < 0.25)
    canvas.text((middle, 668), shown, style.value.at(40), field=CardField.ISSUE_DATE, align="centre")
    font = style.value.at(rng.uniform(46, 52), bold=True)
    box = canvas.text((middle, 738), values.issuer, font, field=CardField.ISSUER, align="centre")
    canvas.paste(paper.seal(values.issuer.rsplit(" ", 1)[-1] + "인", 96), box[2] - 18, 662)
    if rng.random() < 0.6:
        canvas.image = paper.hologram(rng, canvas.image)

    fields = {
        CardField.NAME: values.name.hangul,
        CardField.ID_NUMBER: values.number,
        CardField.BIRTH_DATE: values.born.isoformat(),
        CardField.ADDRESS: values.address,
        CardField.ISSUE_DATE: values.issued.isoformat(),
        CardField.ISSUER: values.issuer,
    }
    return Card(IdType.RESIDENT, "resident", canvas, ID1_CORNER, fields, portrait)


def _values(rng: Random) -> Values:
    issued = between(rng, FIRST_DAY if rng.random() < 0.1 else ROADS_SINCE, LAST_DAY)
    born = born_before(rng, issued, youngest=17, oldest=80)
    where = place(rng, issued)
    by_lot = issued >= RANDOM_SINCE and rng.random() < 0.3
    return Values(
        name=korean_name(rng),
        number=resident_number(rng, born, rng.choice("MF"), random_digits=by_lot),
        born=born,
        address=address(rng, where, issued),
        issued=issued,
        issuer=where.issuer(rng, issued),
    )


def _person(rng: Random, canvas: Canvas, values: Values, style: fonts.Style, left: float, right: float) -> None:
    """Name, number and address, one below the other."""
    size = rng.uniform(52, 60)
    font = style.value.at(size, bold=rng.random() < 0.5)
    if font.getlength(values.name.hangul) > right - left:
        font = style.value.at(size * (right - left) / font.getlength(values.name.hangul))
    end = canvas.text((left, 238), values.name.hangul, font, field=CardField.NAME, tracking=rng.choice((0, 0, 4)))[2]
    if values.name.hanja and rng.random() < 0.7:
        font = rng.choice(fonts.HANJA).at(size * rng.uniform(0.68, 0.92))
        canvas.text((end + 6, 238), f"({values.name.hanja})", font)
    font = style.value.at(rng.uniform(50, 56), bold=rng.random() < 0.4)
    canvas.number((left, 322), values.number, font, tracking=rng.choice((0, 0, 3)))
    font = style.value.at(rng.uniform(39, 44), bold=rng.random() < 0.2)
    width, leading = (right - left) * rng.choice((1.0, 0.85, 0.65)), rng.uniform(56, 62)
    canvas.wrapped((left, 404), values.address, font, width=width, leading=leading, field=CardField.ADDRESS)
