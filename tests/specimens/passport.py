"""여권, the passport's data page: bilingual labels above their values, portrait left, ghost right, MRZ below.

Books of before December 2020 also print the last seven digits of the resident number, and have them in the MRZ's
optional data; numbers with a letter in the middle came in December 2021.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID3, ID3_CORNER, LAST_DAY, Card, between, born_before, years_after
from tests.specimens.names import korean_name
from tests.specimens.numbers import passport_number, resident_number, td3

if TYPE_CHECKING:
    from random import Random

FIRST_DAY = date(2014, 1, 1)
NO_RESIDENT_NUMBER_SINCE = date(2020, 12, 21)
LETTERED_SINCE = date(2021, 12, 21)
# The kind in the MRZ, the first letter of the number, years of validity.
KINDS = (("PM", "M", 10), ("PS", "S", 1), ("PO", "G", 5), ("PD", "D", 5))
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
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


def draw(rng: Random, turn: int) -> Card:
    """One page. Nothing of it goes round by `turn`."""
    first = LETTERED_SINCE if rng.random() < 0.5 else FIRST_DAY
    issued = between(rng, first, LAST_DAY if first is LETTERED_SINCE else LETTERED_SINCE - timedelta(days=1))
    born = born_before(rng, issued, youngest=18, oldest=80)
    sex = rng.choice("MF")
    name = korean_name(rng)
    (kind, prefix, years), *_ = rng.choices(KINDS, (88, 6, 3, 3))
    expires = years_after(issued, years)
    number = passport_number(rng, prefix, lettered=issued >= LETTERED_SINCE)
    old = issued < NO_RESIDENT_NUMBER_SINCE
    resident = resident_number(rng, born, sex)[7:] if old else ""
    mrz = td3(
        kind=kind,
        surname=name.surname,
        given=name.given,
        number=number,
        born=born,
        sex=sex,
        expires=expires,
        optional=f"{resident}V{rng.randrange(10**6):06d}" if old else "",
    )

    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID3, rng.choice(TINTS)))
    thick = 0.5 if rng.random() < 0.5 else 0.0
    grey = rng.random() < 0.4
    face = paper.portrait(rng, 330, 424, grey=grey)
    portrait = canvas.paste(face, 64, 200)
    small = paper.ghost(face, round(rng.uniform(170, 210)), rng)
    canvas.paste(small, canvas.width - small.width - 60, rng.uniform(440, 480))
    canvas.paste(paper.flag(56), 64, 40)
    canvas.text((140, 78), "대한민국", style.title.at(40))
    canvas.text((140, 112), "REPUBLIC OF KOREA", style.label.at(24, bold=True))
    canvas.text((64, 168), "여권", style.title.at(34))
    canvas.text((160, 166), "PASSPORT", style.label.at(26, bold=True))

    label_font = style.label.at(rng.uniform(18, 21))
    value_font = style.value.at(rng.uniform(29, 33), bold=rng.random() < 0.6)
    hangul_font = style.value.at(34, bold=True)
    left, middle, right = 440, 700, 960

    def cell(x: float, y: float, what: str, text: str, field: CardField | None = None) -> None:
        canvas.text((x, y), LABELS[what], label_font, fill=(70, 70, 92))
        font = hangul_font if what == "hangul" else value_font
        size = font.size
        while font.getlength(text) > canvas.width - 40 - x:
            size -= 1
            font = style.value.at(size)
        canvas.text((x, y + 37), text, font, field=field, stroke=thick)

    cell(left, 84, "type", kind)
    cell(middle, 84, "country", "KOR")
    cell(right, 84, "number", number, CardField.PASSPORT_NO)
    cell(left, 166, "surname", name.surname, CardField.SURNAME)
    cell(left, 248, "given", name.given, CardField.GIVEN_NAMES)
    cell(right, 248, "hangul", name.hangul, CardField.NAME)
    cell(left, 330, "nationality", "REPUBLIC OF KOREA")
    cell(left, 412, "birth", _both(born), CardField.BIRTH_DATE)
    cell(780, 412, "sex", sex, CardField.SEX)
    if old:
        cell(right - 20, 412, "resident", resident)
    cell(left, 494, "issued", _both(issued), CardField.ISSUE_DATE)
    cell(780, 494, "authority", "MINISTRY OF FOREIGN AFFAIRS")
    cell(left, 576, "expires", _both(expires), CardField.EXPIRY_DATE)
    # The code that MRZ holds for the country of the holder: it stands nowhere else as KOR.
    canvas.mark(CardField.NATIONALITY, _machine_readable(canvas, mrz))

    fields = {
        CardField.NAME: name.hangul,
        CardField.BIRTH_DATE: born.isoformat(),
        CardField.PASSPORT_NO: number,
        CardField.SURNAME: name.surname,
        CardField.GIVEN_NAMES: name.given,
        CardField.NATIONALITY: "KOR",
        CardField.SEX: sex,
        CardField.ISSUE_DATE: issued.isoformat(),
        CardField.EXPIRY_DATE: expires.isoformat(),
        CardField.MRZ: mrz,
    }
    return Card(IdType.PASSPORT, "passport-old" if old else "passport", canvas, ID3_CORNER, fields, portrait)


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
