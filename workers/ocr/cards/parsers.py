"""Every parser, and which document a reading is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.contracts import IdType
from workers.ocr import addresses, merging, numbers, text
from workers.ocr.cards import driver, foreign, passport, resident
from workers.ocr.cards.titles import count_titles

if TYPE_CHECKING:
    from workers.ocr.cards import Parsed, Parser
    from workers.ocr.lines import Reading

PARSERS: dict[IdType, Parser] = {
    IdType.RESIDENT: resident.parse,
    IdType.DRIVER: driver.parse,
    IdType.PASSPORT: passport.parse,
    IdType.FOREIGN: foreign.parse,
}
_REMEMBERING = (merging.merged, addresses.province, *text.REMEMBERING)
# A title alone is 0.8 when it was read well and 0.5 when half of it was; a page of text with a date or two is below.
CARD_LIKE = 0.45
# Numbers of persons that differ by no more digits are one, misread in some.
_MISREAD = 3


def recognise(reading: Reading) -> list[Parsed]:
    """What each parser makes of a reading, the likeliest first. All below `CARD_LIKE`: none of the four documents."""
    try:
        found = [parse(reading) for parse in PARSERS.values()]
    finally:
        forget()
    return sorted(found, key=lambda parsed: parsed.likelihood, reverse=True)


def forget() -> None:
    """Drop what is remembered for speed: it is of one card, and does not outlive it."""
    for remembering in _REMEMBERING:
        remembering.cache_clear()


def count_documents(reading: Reading) -> int:
    """How many documents are in the picture, as far as titles and numbers of persons tell; 0 where neither is there."""
    found = (numbers.person_number(text) for line in reading.lines for text in (line.latin, line.text))
    persons = {number.value for number in found if number and numbers.birth_date(number.value)}
    # One number that both recognisers read, and read differently.
    distinct = [one for one in persons if not any(other < one and _are_alike(one, other) for other in persons)]
    return max(len(distinct), count_titles(reading.lines))


def _are_alike(one: str, other: str) -> bool:
    return sum(a != b for a, b in zip(one, other, strict=True)) <= _MISREAD
