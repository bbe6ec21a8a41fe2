"""A copy of the picture for those who must not see the number: number, MRZ and address painted over.

Painted is what the parsers found, by whole lines, and whatever else looks like a number of a person or like a line of
an MRZ: a parser that took one for something else must not show it. That goes for the whole picture: another card may
lie beside the one that was read. A QR code holds the number again. Where a document's number, or a passport's MRZ, was
not found at all there is no copy, since nobody can say what it would show.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from shared.contracts import CardField, IdType
from workers.ocr.cards.layout import address_lines
from workers.ocr.cards.parsers import recognise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from workers.inference.network import FloatArray
    from workers.ocr.cards import Parsed
    from workers.ocr.lines import Line, Reading
    from workers.ocr.quad import Straightened

# What the Enforcement Decree of the Personal Information Protection Act, article 19, calls unique identifying
# information (a resident's, a driver's, a passport's and an alien's number), the zone that repeats it, and the address.
PAINTED = (CardField.ID_NUMBER, CardField.LICENCE_NO, CardField.PASSPORT_NO, CardField.MRZ, CardField.ADDRESS)
REQUIRED = {
    IdType.RESIDENT: CardField.ID_NUMBER,
    IdType.DRIVER: CardField.ID_NUMBER,
    IdType.PASSPORT: CardField.MRZ,
    IdType.FOREIGN: CardField.ID_NUMBER,
}
# On its longer side: the copy is to be looked at, and it travels through the queue.
MOST_SIDE = 1600
QUALITY = 85
# Of a line's height, on every side: an outline may cut the edge of a stroke.
MARGIN = 0.15
_NUMBER = re.compile(r"\d{6}\s?[-–—.]?\s?\d{5,7}")  # noqa: RUF001
_LICENCE = re.compile(r"\d{2}\s?[-–—.]\s?\d{6}\s?[-–—.]\s?\d{2}")  # noqa: RUF001
_ZONE = re.compile(r"<<|[A-Z0-9<]{25}")


def redacted(
    pixels: NDArray[np.uint8],
    card: Straightened,
    reading: Reading,
    parsed: Parsed,
    around: tuple[Straightened, Reading] | None = None,
) -> bytes | None:
    """The copy as a JPEG without metadata, or None. `card` was cut from `pixels`, BGR uint8[height, width, 3].

    `around` is the whole picture and what was read of that, where the card is a part of it.
    """
    if REQUIRED[parsed.id_type] not in parsed.fields:
        return None
    scale = min(1.0, MOST_SIDE / max(pixels.shape[:2]))
    copy = pixels.copy() if scale == 1.0 else cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    outlines = [card.in_picture(_grown(line)) for line in _hidden(reading, [parsed])]
    outlines += [card.in_picture(code) for code in _codes(card.pixels)]
    if around is not None:
        picture, everything = around
        others = recognise(everything)
        outlines += [picture.in_picture(_grown(line)) for line in _hidden(everything, others)]
        outlines += [picture.in_picture(code) for code in _codes(picture.pixels)]
    for outline in outlines:
        cv2.fillConvexPoly(copy, np.rint(outline * scale).astype(np.int32), (0, 0, 0))
    done, data = cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return cast("NDArray[np.uint8]", data).tobytes() if done else None


def _hidden(reading: Reading, all_parsed: Iterable[Parsed]) -> Iterator[Line]:
    for parsed in all_parsed:
        for name in PAINTED:
            if (value := parsed.fields.get(name)) is not None:
                yield from value.lines
    for line in reading.lines:
        for text in (line.text, line.latin):
            if _NUMBER.search(text) or _ZONE.search(text.replace(" ", "")) or _LICENCE.search(text):
                yield line
    yield from address_lines(reading.lines)


def _codes(pixels: NDArray[np.uint8]) -> list[FloatArray]:
    """The outlines of QR codes, float32[4, 2] each, a tenth larger than they were found."""
    found, corners = cv2.QRCodeDetector().detectMulti(pixels)
    if not found:
        return []
    codes = cast("FloatArray", corners).reshape(-1, 4, 2).astype(np.float32)
    middles = codes.mean(axis=1, keepdims=True)
    return list(middles + (codes - middles) * np.float32(1.1))


def _grown(line: Line) -> FloatArray:
    """The line's outline, float32[4, 2], with MARGIN around it."""
    outward = line.polygon - line.polygon.mean(axis=0)
    return line.polygon + np.sign(outward) * np.float32(MARGIN * line.height)
