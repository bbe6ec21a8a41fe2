"""What leaves the worker in place of a number.

    number of a person      ******-*******
    machine-readable zone   the document number and the optional data, where older Korean passports have a part of the
                            holder's number, are asterisks, and so are their check digits and the composite one

Licence and passport numbers stay: the document of the API returns them, and they say nothing of the number of a person.
"""

from __future__ import annotations

from shared.contracts import CardField
from workers.ocr import mrz

MASK = "*"
_HIDDEN = "number", "optional", "more"


def masked(field: CardField, value: str) -> str:
    """The value of a field as it may be shown. A zone is its lines, with a line break between two."""
    if field is CardField.ID_NUMBER:
        return "".join(MASK if character.isalnum() else character for character in value)
    if field is CardField.MRZ:
        return _zone(value)
    return value


def _zone(value: str) -> str:
    lines = value.split("\n")
    layout = mrz.layout_of(lines)
    if layout is None:
        return "\n".join(MASK * len(line) for line in lines)
    hidden: list[tuple[int, int]] = []
    for name in _HIDDEN:
        if place := layout.fields.get(name):
            hidden += [(place.line, i) for i in range(place.start, place.stop)]
            hidden += [(place.line, place.check)] if place.check is not None else []
    if layout.composite:
        hidden.append(layout.composite)
    rows = [list(line) for line in lines]
    for line, column in hidden:
        rows[line][column] = MASK
    return "\n".join("".join(row) for row in rows)
