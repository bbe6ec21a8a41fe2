"""외국인등록증, the alien card, and its siblings 영주증 and 국내거소신고증. A label stands before each value.

before April 2023: portrait on the left, 성별        since: portrait on the right, no 성별, a QR code

title
외국인등록번호   YYMMDD-SNNNNNC
성명            KIM SERGEY
국가 / 지역     UZBEKISTAN
체류자격        재외동포(F-4)
발급일자        2020.01.01
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from workers.ocr import numbers
from workers.ocr.cards import Parsed, titles
from workers.ocr.cards.layout import (
    DISAGREEMENT,
    dates_of,
    has_hangul,
    is_latin_name,
    label_end,
    labelled,
    legible,
    person,
    titled,
    together,
)
from workers.ocr.corrections import corrected
from workers.ocr.passages import Reader, passage
from workers.ocr.text import HANGUL, as_digits, bare, closest, find, hangul_share
from workers.ocr.vocabulary import NATIONS, STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.ocr.cards import Value
    from workers.ocr.lines import Reading
from workers.ocr.passages import Row

TITLES = titles.FOREIGN
# Other countries' cards are called so, too.
ENGLISH_TITLES = (
    "ALIEN REGISTRATION CARD",
    "RESIDENCE CARD",
    "PERMANENT RESIDENT CARD",
    "OVERSEAS KOREAN RESIDENT CARD",
)
_NAME = "성명", "Name"
_NATION = "국가/지역", "국적", "Country/Region", "Nationality"
_STATUS = ("체류자격",)
_ISSUED = "발급일자", "발급일", "Issue Date"
_LABELS = (
    *_NAME,
    *_NATION,
    *_STATUS,
    *_ISSUED,
    "외국인등록번호",
    "국내거소신고번호",
    "성별",
    "Registration No.",
    "Sex",
)
_CODE = re.compile(r"([A-H])\s?(?:[-–—~_.]\s?([0-9OIlSZ]{1,2})|([0-9]{1,2}))\s*\)?$")  # noqa: RUF001
_NATION_LEAST, _STATUS_LEAST = 0.75, 0.5


def parse(reading: Reading) -> Parsed:
    """See `Parser`."""
    rows = legible(reading.lines)
    fields, at = person(rows)
    below = rows if at is None else rows[at:]
    if name := _name(below):
        fields[CardField.NAME] = name
    if nation := _nation(below):
        fields[CardField.NATIONALITY] = nation
    if status := _status(below):
        fields[CardField.VISA_TYPE] = status
    if issued := _issued(below):
        fields[CardField.ISSUE_DATE] = issued
    number = fields.get(CardField.ID_NUMBER)
    foreigner = number is not None and numbers.is_foreign(number.value)
    if not has_hangul(rows):
        # Visas and other countries' cards have such labels, too.
        return Parsed(IdType.FOREIGN, 0.0, fields)
    foreigner &= CardField.BIRTH_DATE in fields
    likelihood = together(
        0.8 * titled(rows, TITLES),
        0.3 * titled(rows, ENGLISH_TITLES),
        0.4 * foreigner,
        0.5 * (status.confidence if status else 0.0),
    )
    return Parsed(IdType.FOREIGN, likelihood, fields)


def _name(rows: Sequence[Row]) -> Value | None:
    part = labelled(rows, _NAME, _is_name)
    if part is None:
        # A label that is not known again is still Hangul.
        latin = [passage([line for line in row.lines if not hangul_share(line.text)], Reader.LATIN) for row in rows]
        part = next((each for each in latin if _is_name(each.text)), None)
    return part.value(" ".join(re.findall(r"[A-Z'-]+\.?", part.text.upper()))) if part else None


def _is_name(text: str) -> bool:
    return is_latin_name(text) and not _is_known(text)


def _is_known(text: str) -> bool:
    """A text that is no name: a title, a label or a nation."""
    return (
        closest(text, (*ENGLISH_TITLES, *_LABELS, *NATIONS), 0.8) is not None
        or find("IMMIGRATION OFFICE", text)[0] > 0.7
    )


def _nation(rows: Sequence[Row]) -> Value | None:
    def is_nation(text: str) -> bool:
        return len(bare(text)) >= 2 and label_end(text, (*_STATUS, *_ISSUED)) is None and not re.search(r"\d", text)

    part = labelled(rows, _NATION, is_nation)
    if part is None:
        every = [line for row in rows for line in (row.latin, row.text) if closest(line.text, NATIONS, 0.85)]
        part = every[0] if every else None
    if part is None:
        return None
    if known := corrected(part.text, NATIONS, _NATION_LEAST, part.sure):
        return part.value(*known)
    return part.value(part.text.strip(" :./"), DISAGREEMENT if hangul_share(part.text) else 1.0)


def _status(rows: Sequence[Row]) -> Value | None:
    """Name and code say the same, so that one of them mends the other."""
    for row in rows:
        part = row.text
        code = next((found for each in row.readings if (found := _code(each.text))), None)
        end = label_end(part.text, _STATUS) or 0
        rest = next((each for each in (part.cut(end), part, row.latin) if each.text.strip()), part)
        named = closest(re.sub(rf"[^{HANGUL}].*$", "", rest.text), STATUSES.values(), 0.6) if end else None
        if code and find(STATUSES[code], part.text)[0] >= _STATUS_LEAST:
            return rest.value(f"{STATUSES[code]}({code})")
        if named and named[1] == 1:
            code = next(each for each, name in STATUSES.items() if name == named[0])
        if code and (named or end or "(" in row.latin.text):
            return rest.value(f"{STATUSES[code]}({code})", DISAGREEMENT)
    return None


def _code(text: str) -> str | None:
    match = _CODE.search(text.upper().rstrip(" ).,"))
    code = f"{match[1]}-{as_digits(match[2] or match[3])}" if match else ""
    return code if code in STATUSES else None


def _issued(rows: Sequence[Row]) -> Value | None:
    """The date after its label, or else the last."""
    dates = dates_of(rows)
    of_label = [each for each in dates if label_end(rows[each.row].text.text, _ISSUED) is not None]
    return next((each.value() for each in of_label or dates[-1:]), None)
