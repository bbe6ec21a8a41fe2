"""The parsers, one file a type of document: from lines to fields.

A parser goes by layout, label, pattern and check digit. It gives what it found and how sure it is of each; what it did
not find is not there. It never refuses: a number whose check digit fails only has less confidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.contracts import CardField, IdType
    from workers.ocr.lines import Line, Reading


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One field: its value (dates ISO 8601), confidence in 0..1, and the lines that it was read from.

    `span` is which part of a single line it is, as shares of its width; (0, 1) for the whole.
    """

    value: str
    confidence: float
    lines: tuple[Line, ...]
    span: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser makes of a reading. `likelihood` in 0..1: how much it looks like this type of document."""

    id_type: IdType
    likelihood: float
    fields: dict[CardField, Value] = field(default_factory=dict["CardField", Value])
    mrz_valid: bool | None = None


class Parser(Protocol):
    """One type of document."""

    def __call__(self, reading: Reading) -> Parsed:
        """Never raises for what it reads."""
        ...
