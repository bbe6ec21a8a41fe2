"""외국인등록증, the alien card, with its siblings 영주증 and 국내거소신고증, in both layouts.

The layout of before April 2023 has the portrait on the left and names the sex; today's has the portrait on the right,
no sex, and a QR code.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from tests.specimens import fonts, paper
from tests.specimens.canvas import Canvas
from tests.specimens.card import ID1, ID1_CORNER, LAST_DAY, Card, between, born_before, dotted
from tests.specimens.names import NATIONS, latin_name
from tests.specimens.numbers import alien_number

if TYPE_CHECKING:
    from random import Random

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


def draw(rng: Random, turn: int) -> Card:
    """One card. Nothing of it goes round by `turn`."""
    new = rng.random() < 0.5
    issued = between(rng, REDESIGNED, LAST_DAY) if new else between(rng, FIRST_DAY, REDESIGNED - timedelta(days=1))
    born = born_before(rng, issued, youngest=18, oldest=70)
    sex = rng.choice("MF")
    nation = rng.choice(NATIONS)
    name = latin_name(rng, nation)
    nationality = nation.korean if not new and rng.random() < 0.2 else nation.latin
    number = alien_number(rng, born, sex)
    (visa,) = rng.choices(list(VISAS), list(VISAS.values()))
    title, english, number_label = SIBLINGS[visa] if visa in SIBLINGS and rng.random() < 0.5 else PLAIN
    if new:
        english = "RESIDENCE CARD"

    style = fonts.style(rng)
    canvas = Canvas(paper.guilloche(rng, *ID1, rng.choice(TINTS)))
    thick = 0.6 if rng.random() < 0.5 else 0.0
    edge = rng.uniform(58, 78)
    size = (310, 400) if new else (290, 372)
    face = paper.portrait(rng, *size)
    x = canvas.width - edge - size[0] if new else edge
    portrait = canvas.paste(face, x, 176)
    column = edge if new else edge + size[0] + 40

    font = style.title.at(rng.uniform(62, 70))
    box = canvas.text((edge, 112), title, font, tracking=rng.uniform(2, 12))
    canvas.text((box[2] + 16, 108), english, style.label.at(31, bold=True), fill=(60, 60, 70))

    label_font = style.label.at(rng.uniform(27, 30))
    value_font = style.value.at(rng.uniform(38, 43), bold=rng.random() < 0.5)
    shown = dotted(issued, spaced=rng.random() < 0.15, stop=rng.random() < 0.75)
    rows: list[tuple[str, str, CardField | None]] = [(number_label, number, CardField.ID_NUMBER)]
    rows += [] if new else [("성       별", sex, None)]
    rows += [
        ("성       명", name, CardField.NAME),
        ("국가 / 지역", nationality, CardField.NATIONALITY),
        ("체류자격", visa, CardField.VISA_TYPE),
        ("발급일자", shown, CardField.ISSUE_DATE),
    ]
    leading = 80 if new else 72
    stop = column + max(label_font.getlength(label) for label, _, _ in rows) + 24
    for at, (label, text, field) in enumerate(rows):
        y = 222 + at * leading
        canvas.text((column, y), label, label_font, fill=(50, 50, 58))
        width = (x if new else canvas.width) - stop - 24
        fitting = value_font if value_font.getlength(text) <= width else style.value.at(30)
        box = canvas.text((stop, y), text, fitting, field=field, stroke=thick)
        if field is CardField.ID_NUMBER:
            canvas.mark(CardField.BIRTH_DATE, (box[0], box[1], box[0] + (box[2] - box[0]) * 0.44, box[3]))

    office, romanised = rng.choice(list(OFFICES.items()))
    middle = canvas.width * (0.42 if new else 0.6)
    font = style.value.at(40, bold=True)
    box = canvas.text((middle, 688), f"{office}출입국·외국인청장", font, align="centre", stroke=thick)
    canvas.text((middle, 732), f"CHIEF, {romanised} IMMIGRATION OFFICE", style.label.at(26), align="centre")
    canvas.paste(paper.seal(f"{office}출입국청장"[:8] + "인", 88), box[2] - 8, 688 - 66)
    if new:
        canvas.paste(paper.qr_code(rng, 130), canvas.width - edge - 130, 612)
    small = paper.ghost(face, round(rng.uniform(110, 140)), rng)
    canvas.paste(small, canvas.width - edge - (310 if new else 120), rng.uniform(596, 630) if new else 250)

    fields = {
        CardField.NAME: name,
        CardField.ID_NUMBER: number,
        CardField.BIRTH_DATE: born.isoformat(),
        CardField.NATIONALITY: nationality,
        CardField.VISA_TYPE: visa,
        CardField.ISSUE_DATE: issued.isoformat(),
    }
    layout = "foreign-2023" if new else "foreign-before-2023"
    return Card(IdType.FOREIGN, layout, canvas, ID1_CORNER, fields, portrait)
