"""여권, the passport's data page: bilingual labels above their values, portrait left, ghost right, MRZ below.

Books of before December 2020 also print the last seven digits of the resident number, and have them in the MRZ's
optional data; numbers with a letter in the middle came in December 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID3, ID3_CORNER, LAST_DAY, Card, between, born_before, years_after
from tests.specimens.names import KoreanName, korean_name
from tests.specimens.numbers import passport_number, resident_number, td3

if TYPE_CHECKING:
    from random import Random

FIRST_DAY = date(2014, 1, 1)
NO_RESIDENT_NUMBER_SINCE = date(2020, 12, 21)
LETTERED_SINCE = date(2021, 12, 21)
# The kind in the MRZ, the first letter of the number, years of validity.
KINDS = (("PM", "M", 10), ("PS", "S", 1), ("PO", "G", 5), ("PD", "D", 5))
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
LABELS = {
    "type": "종류/Type",
    "country": "발행국/Issuing country",
    "number": "여권번호/Passport No.",
    "surname": "성/Surname",
    "given": "이름/Given names",
    "hangul": "한글성명",
    "nationality": "국적/Nationality",
    "birth": "생년월일/Date of birth",
    "sex": "성별/Sex",
    "resident": "주민등록번호/Personal No.",
    "issued": "발급일/Date of issue",
    "expires": "기간만료일/Date of expiry",
    "authority": "발행관청/Authority",
}
TINTS = (
    ((228, 236, 246), (244, 230, 232), (196, 206, 222)),
    ((236, 232, 242), (228, 242, 236), (206, 200, 216)),
    ((242, 236, 228), (228, 236, 246), (210, 204, 196)),
)


@dataclass(frozen=True, slots=True)
class Values:
    """What is said of the holder; `resident` is the printed end of the resident number, empty in newer books."""

    kind: str
    number: str
    name: KoreanName
    born: date
    sex: str
    resident: str
    issued: date
    expires: date
    mrz: str


def draw(rng: Random, turn: int) -> Card:
    """One page. Nothing of it goes round by `turn`."""
    values = _values(rng)
    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID3, rng.choice(TINTS)), stroke=rng.choice((0.0, 0.5)))
    face = paper.portrait(rng, 330, 424, grey=rng.random() < 0.4)
    portrait = canvas.paste(face, 64, 200)
    small = paper.ghost(face, round(rng.uniform(120, 140)), rng)
    canvas.paste(small, canvas.width - small.width - rng.uniform(60, 160), 566)
    canvas.paste(paper.flag(56), 64, 40)
    canvas.text((140, 78), "대한민국", style.title.at(40))
    canvas.text((140, 112), "REPUBLIC OF KOREA", style.label.at(24, bold=True))
    canvas.text((64, 168), "여권", style.title.at(34))
    canvas.text((160, 166), "PASSPORT", style.label.at(26, bold=True))
    _cells(rng, canvas, values, style)
    # Nowhere but in the MRZ is the nationality printed as KOR.
    canvas.mark(CardField.NATIONALITY, _machine_readable(canvas, values.mrz))
    if rng.random() < 0.5:
        canvas.image = paper.hologram(rng, canvas.image)

    fields = {
        CardField.NAME: values.name.hangul,
        CardField.BIRTH_DATE: values.born.isoformat(),
        CardField.PASSPORT_NO: values.number,
        CardField.SURNAME: values.name.surname,
        CardField.GIVEN_NAMES: values.name.given,
        CardField.NATIONALITY: "KOR",
        CardField.SEX: values.sex,
        CardField.ISSUE_DATE: values.issued.isoformat(),
        CardField.EXPIRY_DATE: values.expires.isoformat(),
        CardField.MRZ: values.mrz,
    }
    layout = "passport-old" if values.resident else "passport"
    return Card(IdType.PASSPORT, layout, canvas, ID3_CORNER, fields, portrait)


def _values(rng: Random) -> Values:
    lettered = rng.random() < 0.5
    first, last = (LETTERED_SINCE, LAST_DAY) if lettered else (FIRST_DAY, LETTERED_SINCE - timedelta(days=1))
    issued = between(rng, first, last)
    born = born_before(rng, issued, youngest=18, oldest=80)
    sex = rng.choice("MF")
    name = korean_name(rng)
    kind, prefix, years = rng.choices(KINDS, (88, 6, 3, 3))[0]
    expires = years_after(issued, years)
    number = passport_number(rng, prefix, lettered=lettered)
    resident = resident_number(rng, born, sex)[7:] if issued < NO_RESIDENT_NUMBER_SINCE else ""
    mrz = td3(
        kind=kind,
        surname=name.surname,
        given=name.given,
        number=number,
        born=born,
        sex=sex,
        expires=expires,
        optional=f"{resident}V{rng.randrange(10**6):06d}" if resident else "",
    )
    return Values(kind, number, name, born, sex, resident, issued, expires, mrz)


def _cells(rng: Random, canvas: Canvas, values: Values, style: fonts.Style) -> None:
    """Each label above its value, in three columns."""
    label_font = style.label.at(rng.uniform(18, 21))
    size, bold = rng.uniform(30, 34), rng.random() < 0.6
    left, middle, right = 440, 780, 960

    def cell(x: float, y: float, what: str, text: str, field: CardField | None = None) -> None:
        canvas.text((x, y), LABELS[what], label_font, fill=(70, 70, 92))
        font = style.value.at(size, bold=bold)
        room = canvas.width - 40 - x
        if font.getlength(text) > room:
            font = style.value.at(size * room / font.getlength(text), bold=bold)
        canvas.text((x, y + 37), text, font, field=field)

    cell(left, 84, "type", values.kind)
    cell(left + 240, 84, "country", "KOR")
    cell(right, 84, "number", values.number, CardField.PASSPORT_NO)
    cell(left, 166, "surname", values.name.surname, CardField.SURNAME)
    cell(left, 248, "given", values.name.given, CardField.GIVEN_NAMES)
    cell(right, 248, "hangul", values.name.hangul, CardField.NAME)
    cell(left, 330, "nationality", "REPUBLIC OF KOREA")
    cell(left, 412, "birth", _both(values.born), CardField.BIRTH_DATE)
    cell(middle, 412, "sex", values.sex, CardField.SEX)
    if values.resident:
        cell(right, 412, "resident", values.resident)
    cell(left, 494, "issued", _both(values.issued), CardField.ISSUE_DATE)
    cell(middle, 494, "authority", "MINISTRY OF FOREIGN AFFAIRS")
    cell(left, 576, "expires", _both(values.expires), CardField.EXPIRY_DATE)


def _both(day: date) -> str:
    """`01 1월/JAN 1990`."""
    return f"{day.day:02d} {day.month}월/{MONTHS[day.month - 1]} {day.year}"


def _machine_readable(canvas: Canvas, mrz: str) -> tuple[float, float, float, float]:
    """Print the two lines; the box of the nationality in the second. OCR-B of size 1: ten characters an inch."""
    pitch = canvas.width / 125 * 2.54
    size = 100
    advance = fonts.MRZ.at(size).getlength("A") / size
    font = fonts.MRZ.at(pitch / advance)
    tracking = pitch - font.getlength("A")
    left = (canvas.width - 44 * pitch) / 2
    boxes = [
        canvas.text((left, y), line, font, field=CardField.MRZ, tracking=tracking)
        for line, y in zip(mrz.split("\n"), (762, 830), strict=True)
    ]
    return left + 10 * pitch, boxes[1][1], left + 13 * pitch, boxes[1][3]
