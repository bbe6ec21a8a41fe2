"""주민등록증, the resident card. Its values have no labels: they are told by their place and their form.

title
name(hanja)
YYMMDD-SNNNNNC           portrait
address, 2-3 lines
          issue date
   mayor or head of the district
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.contracts import CardField, IdType
from workers.ocr import numbers
from workers.ocr.addresses import province
from workers.ocr.cards import Parsed, titles
from workers.ocr.cards.layout import (
    address_block,
    dates_of,
    has_hangul,
    label_end,
    legible,
    office,
    person,
    titled,
    together,
)
from workers.ocr.cards.names import LABELS, as_value, hangul_name
from workers.ocr.dates import find_dates
from workers.ocr.passages import Reader, passage
from workers.ocr.places import MAYORS, PROVINCES
from workers.ocr.text import bare, closest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.ocr.cards import Value
    from workers.ocr.lines import Reading
    from workers.ocr.passages import Row

TITLES = titles.RESIDENT
# 경기도 화성시 동탄구청장, 부천시장, 세종특별자치시장: province, city and office, the first two or none.
_MAYOR = re.compile(
    rf"({'|'.join(PROVINCES)})?([가-힣]{{2,3}}시(?=[가-힣]+구청장$))?([가-힣]{{1,4}}(?:구청장|시장|군수)|장)"
)
_LABEL_LENGTH = 3
_PROVINCE_LEAST, _OFFICE_LEAST, _NEIGHBOUR_LEAST = 0.5, 0.7, 0.45


def parse(reading: Reading) -> Parsed:
    """See `Parser`."""
    rows = legible(reading.lines)
    fields, at = person(rows)
    title = titled(rows, TITLES)
    if name := _name(rows[:at] if at is not None else _below_title(rows)):
        fields[CardField.NAME] = name
    first = 0 if at is None else at + 1
    if block := address_block(rows, first, _ends_address):
        fields[CardField.ADDRESS], first = block
    # An app that shows what it has read has them above the address.
    foot = rows[first:] if dates_of(rows[first:]) or at is None else rows[at + 1 :]
    if dates := dates_of(foot):
        fields[CardField.ISSUE_DATE] = dates[-1].value()
    if issuer := office(foot, _mayors, form=_MAYOR) or _neighbour(foot, fields.get(CardField.ADDRESS)):
        fields[CardField.ISSUER] = issuer
    number = fields.get(CardField.ID_NUMBER)
    citizen = CardField.BIRTH_DATE in fields and number is not None and not numbers.is_foreign(number.value)
    if not has_hangul(rows):
        return Parsed(IdType.RESIDENT, 0.0, fields)
    likelihood = together(0.8 * title, 0.3 * citizen, 0.3 * (CardField.ISSUER in fields))
    return Parsed(IdType.RESIDENT, likelihood, fields)


def _name(rows: Sequence[Row]) -> Value | None:
    """The row nearest above the number that is a name."""
    for row in reversed(rows):
        for line in row.lines:
            whole = passage((line,))
            latin = passage((line,), Reader.LATIN).text
            whole = whole.cut(label_end(whole.text[:_LABEL_LENGTH], LABELS[:2], 1.0) or 0)
            name = hangul_name(whole.text, latin)
            if name and not closest(line.text, TITLES, 0.6):
                return as_value(name, whole.cut(0, _stop(whole.text, len(name))), latin)
    return None


def _stop(text: str, letters: int) -> int:
    """Where in a text its first so many syllables end, whatever spaces are between them."""
    ends = [at for at, character in enumerate(text, 1) if not character.isspace()]
    return ends[letters - 1]


def _below_title(rows: Sequence[Row]) -> Sequence[Row]:
    """The row under the title, where there is no number that the name stands above."""
    for at, row in enumerate(rows):
        if titled([row], TITLES):
            return rows[at + 1 : at + 2]
    return ()


def _mayors(text: str) -> Sequence[str]:
    """Those of the province that a text begins with, be it hardly read."""
    found = province(text[:16], _PROVINCE_LEAST)
    return MAYORS.get(found[0], ()) if found else ()


def _neighbour(rows: Sequence[Row], address: Value | None) -> Value | None:
    """The office of the holder's own district, if one row is a little like it: mostly it is that."""
    if address is None:
        return None
    mayors = _mayors(address.value)
    own = [mayor for mayor in mayors if address.value.startswith(mayor.rstrip("장수").removesuffix("청"))]
    return office(rows, lambda _: own, _NEIGHBOUR_LEAST, form=_MAYOR)


def _ends_address(text: str) -> bool:
    if find_dates(text):
        return True
    # 충청남도 홍성군 alone on a line is not 충청남도 홍성군수, and an office has no number.
    is_place = bare(text)[-1:] in {*"시군구읍면동로길"} or re.search(r"\d{2}", text)
    return not is_place and closest(text, _mayors(text), _OFFICE_LEAST) is not None
