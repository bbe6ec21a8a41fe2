"""Specimens of Korean identity documents: drawn, photographed, and with the truth beside each. None is of a person.

    specimen(seed, id_type, kind) ── resident | driver | passport | foreign ─> Card ── scan | photograph ─> Specimen

The same seed gives the same picture. Even seeds are for tuning, odd ones are held out: figures that count are theirs.

The truth has each field as the product's answer has it, numbers and MRZ unmasked:

    every type   birth_date, issue_date, expiry_date   ISO 8601
    RESIDENT     name without hanja · id_number `900101-1234567` · address, its lines joined by one space · issuer
    DRIVER       name · id_number · address · licence_no as printed, `11-08-123456-78` or `서울 08-123456-78`
                 licence_type without a space, several joined by a comma in the order printed: `1종보통,2종소형`
    PASSPORT     name is the 한글성명 · nationality `KOR` · sex M or F · mrz, its two lines joined by a line feed
                 no id_number and no issuer
    FOREIGN      name in Latin letters, as printed · nationality as printed · visa_type `재외동포(F-4)`
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

import cv2
import numpy as np

from shared.contracts import IdType
from tests.specimens import camera, driver, fonts, foreign, passport, resident

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.contracts import CardField
    from tests.specimens.card import Card

Kind: TypeAlias = Literal["flat", "photo"]
Quad: TypeAlias = tuple[tuple[float, float], ...]

KINDS: tuple[Kind, ...] = ("flat", "photo")
DRAWN: dict[IdType, Callable[[Random, int], Card]] = {
    IdType.RESIDENT: resident.draw,
    IdType.DRIVER: driver.draw,
    IdType.PASSPORT: passport.draw,
    IdType.FOREIGN: foreign.draw,
}
FIRST_HELD_OUT = 10_001
SHOT = {"flat": camera.scan, "photo": camera.photograph}


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands on the card, and where: all quads are x, y clockwise from the card's own top left, in the picture.

    `polygons` has one quad for each printed line of a field, `card` is the outline, `portrait` the printed photo.
    `rotation` is by how many degrees the card is turned clockwise, to the next quarter. `layout` tells apart the two
    of the alien card and of the passport.
    """

    seed: int
    id_type: IdType
    kind: Kind
    layout: str
    width: int
    height: int
    rotation: int
    greyscale: bool
    fields: dict[CardField, str]
    polygons: dict[CardField, tuple[Quad, ...]]
    card: Quad
    portrait: Quad


@dataclass(frozen=True, slots=True)
class Specimen:
    """A picture and its truth."""

    jpeg: bytes
    truth: Truth


def specimen(seed: int, id_type: IdType, kind: Kind = "flat") -> Specimen:
    """The specimen of this seed. Both kinds of a seed show the same card. Raises FontsMissingError."""
    fonts.require()
    card = drawn(seed, id_type)
    shot = SHOT[kind](Random(f"{id_type} {seed} {kind}"), card)

    def carried(box: tuple[float, float, float, float]) -> Quad:
        left, top, right, bottom = box
        corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float64)
        return tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(corners, shot.homography)[0])

    truth = Truth(
        seed=seed,
        id_type=id_type,
        kind=kind,
        layout=card.layout,
        width=shot.width,
        height=shot.height,
        rotation=shot.rotation,
        greyscale=shot.greyscale,
        fields=card.fields,
        polygons={name: tuple(map(carried, boxes)) for name, boxes in card.canvas.boxes.items()},
        card=carried((0, 0, card.canvas.width, card.canvas.height)),
        portrait=carried(card.portrait),
    )
    return Specimen(shot.jpeg, truth)


def drawn(seed: int, id_type: IdType) -> Card:
    """The card of a seed, before any camera."""
    return DRAWN[id_type](Random(f"{id_type} {seed}"), seed // 2)


def tuning(count: int) -> range:
    """Seeds that thresholds, layouts and patterns may be fitted to."""
    return range(0, 2 * count, 2)


def held_out(count: int) -> range:
    """Seeds that nothing is ever fitted to, and that figures are reported on.

    Odd ones below FIRST_HELD_OUT were held out once; their misreadings were looked at, and parsers changed for them.
    """
    return range(FIRST_HELD_OUT, FIRST_HELD_OUT + 2 * count, 2)
