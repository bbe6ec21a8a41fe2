"""Every parser, and which document a reading is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.contracts import IdType
from workers.ocr import addresses, merging, text
from workers.ocr.cards import driver, foreign, passport, resident

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


def recognise(reading: Reading) -> list[Parsed]:
    """What each parser makes of a reading, the likeliest first. All below `CARD_LIKE`: none of the four documents."""
    try:
        found = [parse(reading) for parse in PARSERS.values()]
    finally:
        # What is remembered for speed is of one card, and does not outlive it.
        for remembering in _REMEMBERING:
            remembering.cache_clear()
    return sorted(found, key=lambda parsed: parsed.likelihood, reverse=True)
