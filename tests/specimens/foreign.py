"""외국인등록증, the alien card, with its siblings 영주증 and 국내거소신고증, in both layouts.

The layout of before April 2023 has the portrait on the left and names the sex; today's has the portrait on the right,
no sex, and a QR code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, outsiders, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID1, ID1_CORNER, LAST_DAY, Card, between, born_before, dotted
from tests.specimens.names import NATIONS, latin_name
from tests.specimens.numbers import alien_number

if TYPE_CHECKING:
    from random import Random

    from tests.specimens.names import Nation

REDESIGNED = date(2023, 4, 1)
FIRST_DAY = date(2013, 1, 1)
VISAS = {
    "재외동포(F-4)": 20,
    "영주(F-5)": 12,
    "결혼이민(F-6)": 10,
    "방문취업(H-2)": 8,
    "비전문취업(E-9)": 12,
    "유학(D-2)": 10,
    "일반연수(D-4)": 6,
    "거주(F-2)": 6,
    "방문동거(F-1)": 4,
    "동반(F-3)": 4,
    "특정활동(E-7)": 6,
    "회화지도(E-2)": 4,
    "구직(D-10)": 3,
    "기업투자(D-8)": 2,
    "선원취업(E-10)": 2,
}
OFFICES = {
    "서울": "SEOUL",
    "서울남부": "SEOUL SOUTHERN",
    "인천": "INCHEON",
    "수원": "SUWON",
    "부산": "BUSAN",
    "대구": "DAEGU",
    "광주": "GWANGJU",
    "대전": "DAEJEON",
    "제주": "JEJU",
    "창원": "CHANGWON",
}
PLAIN = ("외국인등록증", "ALIEN REGISTRATION CARD", "외국인등록번호")
SIBLINGS = {
    "재외동포(F-4)": ("국내거소신고증", "OVERSEAS KOREAN RESIDENT CARD", "국내거소신고번호"),
    "영주(F-5)": ("영주증", "PERMANENT RESIDENT CARD", "외국인등록번호"),
}
TINTS = (
    ((240, 228, 228), (228, 236, 244), (212, 194, 200)),
    ((228, 240, 236), (240, 240, 226), (192, 212, 204)),
    ((230, 234, 246), (242, 232, 238), (196, 202, 222)),
)


@dataclass(frozen=True, slots=True)
class Values:
    """What is said of the holder; `new` is the layout of since April 2023."""

    name: str
    number: str
    born: date
    sex: str
    nationality: str
    visa: str
    issued: date
    new: bool


def draw(rng: Random, turn: int) -> Card:
    """One card. Nothing of it goes round by `turn`."""
    values = _values(rng)
    new = values.new
    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID1, rng.choice(TINTS)), stroke=rng.choice((0.0, 0.6)))
    edge = rng.uniform(58, 78)
    size = (310, 400) if new else (290, 372)
    face = paper.portrait(rng, *size)
    portrait = canvas.paste(face, canvas.width - edge - size[0] if new else edge, 176)
    small = paper.ghost(face, round(rng.uniform(110, 140)), rng)
    if new:
        canvas.paste(paper.qr_code(rng, 130), canvas.width - edge - 130, 612)
        canvas.paste(small, canvas.width - edge - 290, rng.uniform(596, 620))
    else:
        canvas.paste(small, edge + rng.uniform(60, 120), 590)

    title, english, number_label = SIBLINGS[values.visa] if values.visa in SIBLINGS and rng.random() < 0.5 else PLAIN
    box = canvas.text((edge, 112), title, style.title.at(rng.uniform(62, 70)), tracking=rng.uniform(2, 12))
    english = "RESIDENCE CARD" if new else english
    canvas.text((box[2] + 16, 108), english, style.label.at(31, bold=True), fill=(60, 60, 70))
    left = edge if new else portrait[2] + 40
    right = portrait[0] - 24 if new else canvas.width - 24
    _rows(rng, canvas, values, style, number_label, left, right)
    _issuer(rng, canvas, style, canvas.width * (0.38 if new else 0.6))
    if rng.random() < 0.5:
        canvas.image = paper.hologram(rng, canvas.image)

    fields = {
        CardField.NAME: values.name,
        CardField.ID_NUMBER: values.number,
        CardField.BIRTH_DATE: values.born.isoformat(),
        CardField.NATIONALITY: values.nationality,
        CardField.VISA_TYPE: values.visa,
        CardField.ISSUE_DATE: values.issued.isoformat(),
    }
    layout = "foreign-2023" if new else "foreign-before-2023"
    return Card(IdType.FOREIGN, layout, canvas, ID1_CORNER, fields, portrait)


def _values(rng: Random) -> Values:
    new = rng.random() < 0.5
    issued = between(rng, REDESIGNED, LAST_DAY) if new else between(rng, FIRST_DAY, REDESIGNED - timedelta(days=1))
    born = born_before(rng, issued, youngest=18, oldest=70)
    sex = rng.choice("MF")
    nation = rng.choice(NATIONS)
    return Values(
        name=latin_name(rng, nation),
        number=alien_number(rng, born, sex),
        born=born,
        sex=sex,
        nationality=_nationality(rng, nation, new=new),
        visa=rng.choices(list(VISAS), list(VISAS.values()))[0],
        issued=issued,
        new=new,
    )


def _nationality(rng: Random, nation: Nation, *, new: bool) -> str:
    """As the card prints it; half of them of nations that no list has."""
    if outsiders.is_outside(rng):
        return rng.choice(outsiders.NATIONS)
    return nation.korean if not new and rng.random() < 0.2 else nation.latin


def _rows(
    rng: Random, canvas: Canvas, values: Values, style: fonts.Style, number_label: str, left: float, right: float
) -> None:
    """Labels in one column, their values in another that ends before `right`."""
    shown = dotted(values.issued, spaced=rng.random() < 0.15, stop=rng.random() < 0.75)
    sex: tuple[tuple[str, str, CardField | None], ...] = () if values.new else (("성       별", values.sex, None),)
    rows = (
        (number_label, values.number, CardField.ID_NUMBER),
        *sex,
        ("성       명", values.name, CardField.NAME),
        ("국가 / 지역", values.nationality, CardField.NATIONALITY),
        ("체류자격", values.visa, CardField.VISA_TYPE),
        ("발급일자", shown, CardField.ISSUE_DATE),
    )
    label_font = style.label.at(rng.uniform(27, 30))
    size, bold = rng.uniform(40, 45), rng.random() < 0.5
    stop = left + max(label_font.getlength(label) for label, _, _ in rows) + 24
    for at, (label, text, field) in enumerate(rows):
        y = 222 + at * (80 if values.new else 72)
        canvas.text((left, y), label, label_font, fill=(50, 50, 58))
        font = style.value.at(size, bold=bold)
        if font.getlength(text) > right - stop:
            font = style.value.at(size * (right - stop) / font.getlength(text), bold=bold)
        if field is CardField.ID_NUMBER:
            canvas.number((stop, y), text, font)
        else:
            canvas.text((stop, y), text, font, field=field)


def _issuer(rng: Random, canvas: Canvas, style: fonts.Style, middle: float) -> None:
    office, romanised = rng.choice(list(OFFICES.items()))
    font = style.value.at(40, bold=True)
    box = canvas.text((middle, 688), f"{office}출입국·외국인청장", font, align="centre")
    canvas.text((middle, 732), f"CHIEF, {romanised} IMMIGRATION OFFICE", style.label.at(26), align="centre")
    canvas.paste(paper.seal(f"{office}출입국청장인", 88), box[2] - 8, 622)
