"""Presentation attacks and living faces beside the checkout, by kind and by where they come from.

The kinds are those of ISO/IEC 30107-3, which calls them instrument species, told by eye. A source is one collection
with one way of taking pictures: what was learnt from the others can be tried on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.support.liveness import PEOPLE, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECOGNITION = PEOPLE.parent / "recognition"

PRINT, SCREEN, CUT_OUT, OTHER = "print", "screen", "screen, cut to the face", "neither by eye"
# By the number that the file name begins with. 001 shows two faces, and is not answered; the larger face of 002 lives.
KINDS = {
    **dict.fromkeys((9, 10, 11, 12, 13, 15), PRINT),
    **dict.fromkeys((1, 2, 14, 16), SCREEN),
    **dict.fromkeys(range(3, 9), CUT_OUT),
    0: OTHER,
}
SOURCES = {
    "portraits of the web": (0, 17, 18),
    "screenshots of a demo": (1, 2, 19),
    "cut to the face": (*range(3, 9), *range(20, 26)),
    "identity photos and selfies": (*range(9, 15), *range(26, 32)),
    "phone, close": (15, 16, 34),
    "office": (32, 33),
}


class Picture(NamedTuple):
    """One picture; `kind` is that of the attack, None where the face lives."""

    path: Path
    source: str
    kind: str | None = None


def pictures() -> list[Picture]:
    """Every attack, and every living, bare face."""
    return [*_demos(), *_samples(), *_photos()]


def masked() -> list[Picture]:
    """Living faces that wear masks, which the photo check was not made for."""
    return [Picture(path, "masked") for path in sorted((SAMPLES / "mask" / "with").iterdir())]


def _demos() -> Iterator[Picture]:
    for path in sorted((*(SAMPLES / "attacks").iterdir(), *(SAMPLES / "live").iterdir())):
        number = int(re.match(r"\d+", path.name)[0])
        source = next(name for name, numbers in SOURCES.items() if number in numbers)
        yield Picture(path, source, KINDS[number] if path.parent.name == "attacks" else None)


def _samples() -> Iterator[Picture]:
    kinds = {"image_F1.jpg": PRINT, "image_F2.jpg": SCREEN, "image_T1.jpg": None}
    for name, kind in kinds.items():
        yield Picture(SAMPLES / "photo" / name, "Silent-Face", kind)


def _photos() -> Iterator[Picture]:
    for path in sorted((SAMPLES / "mask" / "without").iterdir()):
        yield Picture(path, "bare, cut to the face")
    for group in ("people", "georgia_tech", "chinese", "korean"):
        root = PEOPLE if group == "people" else RECOGNITION / group
        for path in sorted(root.glob("[!_]*/*")):
            yield Picture(path, group)
