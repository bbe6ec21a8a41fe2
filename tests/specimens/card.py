"""What a drawn card is, and what all four have in common: sizes, dates, persons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from shared.contracts import CardField, IdType
    from tests.specimens.canvas import Box, Canvas

# ISO/IEC 7810: ID-1 is 85.60 x 53.98 mm with corners of 3.18 mm, ID-3 (a passport's page) 125 x 88 mm.
WIDTH = 1280
ID1 = (WIDTH, 807)
ID1_CORNER = 48
ID3 = (WIDTH, 901)
ID3_CORNER = 33
# No specimen is of a later day: a date that lies ahead is a date misread.
LAST_DAY = date(2025, 12, 31)


@dataclass(slots=True)
class Card:
    """One side, drawn straight on: `fields` as the product's answer has them (see `tests.specimens`)."""

    id_type: IdType
    layout: str
    canvas: Canvas
    corner: int
    fields: dict[CardField, str] = field(default_factory=dict)
    portrait: Box = (0.0, 0.0, 0.0, 0.0)


def between(rng: Random, first: date, last: date) -> date:
    """A day from the first to the last."""
    return first + timedelta(days=rng.randint(0, max((last - first).days, 0)))


def years_after(day: date, years: int) -> date:
    """The same day in another year; the 29th of February becomes the 28th."""
    return day.replace(year=day.year + years, day=28 if (day.month, day.day) == (2, 29) else day.day)


def born_before(rng: Random, day: date, *, youngest: int, oldest: int) -> date:
    """A birth date of someone of that age on `day`."""
    return between(rng, years_after(day, -oldest), years_after(day, -youngest))


def dotted(day: date, *, padded: bool = True, spaced: bool = False, stop: bool = True) -> str:
    """`2020.01.01.`, or without its zeros, with spaces, without the last stop."""
    parts = (
        (f"{day.year}", f"{day.month:02d}", f"{day.day:02d}")
        if padded
        else (f"{day.year}", f"{day.month}", f"{day.day}")
    )
    return (". " if spaced else ".").join(parts) + ("." if stop else "")
