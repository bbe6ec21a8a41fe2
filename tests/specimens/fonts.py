"""The fonts that specimens are set in: free ones that Debian packages (see deploy/test-setup.sh).

All of them or none: with another set of fonts a seed would give another picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from random import Random

FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("~/.local/share/fonts").expanduser())


class FontsMissingError(Exception):
    """Names the packages that are not installed."""


@dataclass(frozen=True, slots=True)
class Typeface:
    """Two weights of a face, by their files' names. Where the bold one is the same file, it is thickened."""

    regular: str
    bold: str
    package: str

    def at(self, size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        """The face at a size in pixels."""
        return load(self.bold if bold else self.regular, round(size))


NANUM = "fonts-nanum"
BAEKMUK = "fonts-baekmuk"
UN = "fonts-unfonts-core"
TEXT = (
    Typeface("NanumGothic.ttf", "NanumGothicBold.ttf", NANUM),
    Typeface("NanumBarunGothic.ttf", "NanumBarunGothicBold.ttf", NANUM),
    Typeface("NanumMyeongjo.ttf", "NanumMyeongjoBold.ttf", NANUM),
    Typeface("dotum.ttf", "dotum.ttf", BAEKMUK),
    Typeface("gulim.ttf", "gulim.ttf", BAEKMUK),
    Typeface("UnDotum.ttf", "UnDotumBold.ttf", UN),
    Typeface("UnBatang.ttf", "UnBatangBold.ttf", UN),
)
TITLES = (
    Typeface("NanumSquareB.ttf", "NanumSquareB.ttf", NANUM),
    Typeface("NanumGothicBold.ttf", "NanumGothicBold.ttf", NANUM),
    Typeface("NanumMyeongjoBold.ttf", "NanumMyeongjoBold.ttf", NANUM),
    Typeface("hline.ttf", "hline.ttf", BAEKMUK),
    Typeface("UnGraphicBold.ttf", "UnGraphicBold.ttf", UN),
)
# Not every face above has hanja.
HANJA = (TEXT[0], TEXT[3], TEXT[6], Typeface("batang.ttf", "batang.ttf", BAEKMUK))
SEAL = Typeface("UnGungseo.ttf", "UnGungseo.ttf", UN)
MRZ = Typeface("OCRB.otf", "OCRB.otf", "fonts-ocr-b")


@dataclass(frozen=True, slots=True)
class Style:
    """The faces of one card: its title, its labels, its values."""

    title: Typeface
    label: Typeface
    value: Typeface


def style(rng: Random) -> Style:
    """Faces drawn by lot."""
    return Style(title=rng.choice(TITLES), label=rng.choice(TEXT), value=rng.choice(TEXT))


def missing() -> tuple[str, ...]:
    """The packages that have to be installed first; empty where every font is here."""
    faces = (*TEXT, *TITLES, *HANJA, SEAL, MRZ)
    return tuple(sorted({face.package for face in faces if not {face.regular, face.bold} <= _files().keys()}))


def require() -> None:
    """Raises FontsMissingError."""
    if absent := missing():
        raise FontsMissingError(f"needs the fonts of {', '.join(absent)}; deploy/test-setup.sh installs them")


@lru_cache(maxsize=256)
def load(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font file at a size in pixels."""
    # Basic layout: the other one depends on a library that not every build of Pillow has.
    return ImageFont.truetype(str(_files()[name]), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    found = (path for folder in FOLDERS if folder.is_dir() for path in sorted(folder.rglob("*.[ot]tf")))
    return {path.name: path for path in found}
