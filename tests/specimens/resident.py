"""주민등록증, the resident card: values without a single label, portrait on the right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from PIL import Image

from shared.contracts import CardField, IdType
from tests.specimens import fonts, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID1, ID1_CORNER, LAST_DAY, Card, between, born_before, dotted
from tests.specimens.names import korean_name
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


def draw(rng: Random, turn: int) -> Card:
    """One card. Nothing of it goes round by `turn`."""
    issued = between(rng, FIRST_DAY if rng.random() < 0.1 else ROADS_SINCE, LAST_DAY)
    born = born_before(rng, issued, youngest=17, oldest=80)
    sex = rng.choice("MF")
    name = korean_name(rng)
    where = place(rng, issued)
    number = resident_number(rng, born, sex, random_digits=issued >= RANDOM_SINCE and rng.random() < 0.3)
    home = address(rng, where, issued)
    issuer = where.issuer(rng, issued)

    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID1, rng.choice(TINTS)))
    thick = 0.6 if rng.random() < 0.5 else 0.0
    left = rng.uniform(70, 96)
    canvas.text((left + 6, 128), "주민등록증", style.title.at(rng.uniform(72, 84)), tracking=rng.uniform(8, 34))

    face = paper.portrait(rng, 300, 382)
    right = canvas.width - rng.uniform(60, 84)
    portrait = canvas.paste(face, right - 300, rng.uniform(86, 120))
    small = paper.ghost(face, round(rng.uniform(110, 150)), rng)
    canvas.paste(small, right - rng.uniform(470, 540), rng.uniform(560, 600))

    size = rng.uniform(50, 58)
    font = style.value.at(size, bold=rng.random() < 0.4)
    box = canvas.text(
        (left, 238), name.hangul, font, field=CardField.NAME, tracking=rng.choice((0, 0, 4)), stroke=thick
    )
    if rng.random() < 0.7:
        hanja = fonts.HANJA if rng.random() < 0.6 else style.value
        canvas.text((box[2] + 6, 238), f"({name.hanja})", hanja.at(size * rng.uniform(0.68, 0.92)), stroke=thick)
    font = style.value.at(rng.uniform(48, 54), bold=rng.random() < 0.3)
    box = canvas.text(
        (left, 322), number, font, field=CardField.ID_NUMBER, tracking=rng.choice((0, 0, 3)), stroke=thick
    )
    canvas.mark(CardField.BIRTH_DATE, (box[0], box[1], box[0] + (box[2] - box[0]) * 0.44, box[3]))
    canvas.wrapped(
        (left, 404),
        home,
        style.value.at(rng.uniform(38, 43)),
        width=right - 300 - left - 20,
        leading=rng.uniform(56, 62),
        field=CardField.ADDRESS,
        stroke=thick,
    )
    middle = canvas.width * rng.uniform(0.45, 0.52)
    shown = dotted(issued, padded=rng.random() < 0.2, spaced=rng.random() < 0.25)
    canvas.text((middle, 668), shown, style.value.at(38), field=CardField.ISSUE_DATE, align="centre", stroke=thick)
    font = style.value.at(rng.uniform(46, 52), bold=True)
    box = canvas.text((middle, 738), issuer, font, field=CardField.ISSUER, align="centre", stroke=thick)
    canvas.paste(_seal(issuer), box[2] - 18, 738 - 76)

    fields = {
        CardField.NAME: name.hangul,
        CardField.ID_NUMBER: number,
        CardField.BIRTH_DATE: born.isoformat(),
        CardField.ADDRESS: home,
        CardField.ISSUE_DATE: issued.isoformat(),
        CardField.ISSUER: issuer,
    }
    return Card(IdType.RESIDENT, "resident", canvas, ID1_CORNER, fields, portrait)


def _seal(issuer: str) -> Image.Image:
    return paper.seal(issuer.split()[-1] + "인", 96)
