"""What is printed on a card beside its text: guilloche, the portrait and its ghost, the seal, the QR code."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from tests.specimens import fonts

if TYPE_CHECKING:
    from random import Random

    from tests.specimens.canvas import Colour

PEOPLE = Path(__file__).parents[3] / "shared" / "testdata" / "people"
# Middle of the face and its height, as shares of the photo's width and height; found with dlib's detector.
FACES = {
    "alex_lacamoire/img1.jpg": (0.494, 0.301, 0.267),
    "biden/biden.jpg": (0.588, 0.174, 0.154),
    "biden/biden2.jpg": (0.562, 0.436, 0.384),
    "kit_harington/john1.jpeg": (0.617, 0.288, 0.218),
    "kit_harington/test1.jpg": (0.467, 0.229, 0.186),
    "obama/obama.jpg": (0.542, 0.229, 0.186),
    "obama/obama2.jpg": (0.481, 0.374, 0.223),
    "rose_leslie/img2.jpg": (0.498, 0.362, 0.320),
}
MODULES = 29


def guilloche(rng: Random, width: int, height: int, tints: tuple[Colour, Colour, Colour]) -> Image.Image:
    """Security paper: a wash from the first tint to the second, waves and rosettes in shades of the third."""
    start, end, line = (np.array(tint, dtype=np.float64) for tint in tints)
    corners = np.array([[start, start * 0.3 + end * 0.7], [start * 0.7 + end * 0.3, end]]).round().astype(np.uint8)
    paper = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    xs = np.linspace(0, width, 160)
    for _ in range(rng.randint(2, 3)):
        colour = tuple(int(value) for value in line + rng.uniform(-10, 14))
        step, swing = rng.uniform(9, 17), rng.uniform(14, 46)
        waves = [(rng.uniform(120, 700), rng.uniform(0, 6.3), rng.uniform(0.2, 1)) for _ in range(3)]
        shape = sum(swing * share * np.sin(2 * math.pi * xs / length + phase) for length, phase, share in waves)
        slope = rng.uniform(-0.25, 0.25)
        drift = rng.uniform(0.0, 0.02)
        curves = []
        for at in np.arange(-180, height + 180, step):
            ys = at + shape * (1 + drift * (at - height / 2) / step) + slope * (xs - width / 2)
            curves.append(np.stack([xs, ys], axis=1))
        _strokes(paper, curves, colour)
    for _ in range(rng.randint(1, 3)):
        colour = tuple(int(value) for value in line + rng.uniform(-6, 12))
        _strokes(paper, [_rosette(rng, width, height)], colour)
    return Image.fromarray(paper)


def portrait(rng: Random, width: int, height: int, *, grey: bool = False) -> Image.Image:
    """A head and shoulders of that size: one of the photos beside the checkout, or a drawn one where there are none."""
    known = _people()
    photo = _cropped(rng, known, width / height) if known else _drawn(rng, width, height)
    photo = photo.resize((width, height), Image.Resampling.LANCZOS)
    photo = ImageEnhance.Brightness(photo).enhance(rng.uniform(0.95, 1.15))
    return photo.convert("L").convert("RGB") if grey else ImageEnhance.Color(photo).enhance(rng.uniform(0.6, 1.0))


def ghost(face: Image.Image, height: int, rng: Random) -> Image.Image:
    """The portrait once more, small, grey and fading out to its edges: RGBA."""
    small = face.resize((round(face.width * height / face.height), height), Image.Resampling.LANCZOS)
    mask = Image.new("L", small.size, 0)
    ImageDraw.Draw(mask).ellipse((2, 2, small.width - 2, small.height - 2), fill=round(rng.uniform(60, 110)))
    small = small.convert("L").convert("RGB")
    small.putalpha(mask.filter(ImageFilter.GaussianBlur(height / 14)))
    return small


def hologram(rng: Random, card: Image.Image) -> Image.Image:
    """The card under a foil that shimmers in one place: a faint rainbow in rings, over text and all."""
    pixels = np.array(card)
    reach = round(rng.uniform(0.18, 0.38) * card.height)
    x, y = round(rng.uniform(0.3, 0.7) * card.width), round(rng.uniform(0.3, 0.8) * card.height)
    part = pixels[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach]
    ys, xs = np.indices(part.shape[:2], np.float32)
    ys, xs = ys - min(y, reach), xs - min(x, reach)
    away = np.hypot(xs, ys)
    strength = np.clip(1.2 * (1 - away / reach), 0, 1) * rng.uniform(6, 24)
    angle = np.arctan2(ys, xs) * 3 + away / rng.uniform(14, 40)
    for channel, phase in enumerate((0.0, 2.1, 4.2)):
        part[:, :, channel] = np.clip(part[:, :, channel] + np.sin(angle + phase) * strength, 0, 255)
    return Image.fromarray(pixels)


def seal(text: str, size: int) -> Image.Image:
    """A red square seal with `text` in columns of two or three: RGBA, with unprinted paper seen through."""
    picture = Image.new("RGBA", (size, size), (200, 40, 40, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((2, 2, size - 3, size - 3), size // 10, outline=(200, 40, 40, 200), width=max(2, size // 22))
    per_column = 3 if len(text) > 4 else 2
    columns = [text[at : at + per_column] for at in range(0, len(text), per_column)][:3]
    font = fonts.SEAL.at(size * 0.8 / max(per_column, len(columns)))
    for column, letters in enumerate(columns):
        x = size - size * (column + 0.5) / len(columns) * 0.92 - size * 0.04
        for row, letter in enumerate(letters):
            draw.text(
                (x, size * (0.08 + 0.84 * (row + 0.5) / per_column)), letter, (200, 40, 40, 190), font, anchor="mm"
            )
    return picture


def flag(width: int) -> Image.Image:
    """The round device in red and blue that stands for the flag: RGBA."""
    picture = Image.new("RGBA", (width * 4, width * 4), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    red, blue, side = (198, 52, 66, 255), (24, 70, 150, 255), width * 4 - 1
    draw.pieslice((0, 0, side, side), 200, 380, fill=red)
    draw.pieslice((0, 0, side, side), 20, 200, fill=blue)
    turn = math.radians(20)
    for colour, sign in ((red, -1), (blue, 1)):
        x, y = side / 2 + sign * math.cos(turn) * side / 4, side / 2 + sign * math.sin(turn) * side / 4
        draw.ellipse((x - side / 4, y - side / 4, x + side / 4, y + side / 4), fill=colour)
    return picture.resize((width, width), Image.Resampling.LANCZOS)


def qr_code(rng: Random, size: int) -> Image.Image:
    """What looks like a QR code and says nothing."""
    cells = np.array([[rng.random() < 0.5 for _ in range(MODULES)] for _ in range(MODULES)])
    for top, left in ((0, 0), (0, MODULES - 7), (MODULES - 7, 0)):
        cells[max(top - 1, 0) : top + 8, max(left - 1, 0) : left + 8] = False
        cells[top : top + 7, left : left + 7] = True
        cells[top + 1 : top + 6, left + 1 : left + 6] = False
        cells[top + 2 : top + 5, left + 2 : left + 5] = True
    code = Image.fromarray(np.where(cells, 30, 245).astype(np.uint8))
    return code.resize((size, size), Image.Resampling.NEAREST).convert("RGB")


def _strokes(paper: np.ndarray, curves: list[np.ndarray], colour: tuple[int, ...]) -> None:
    # cv2 takes fixed-point coordinates: four bits of fraction make smooth curves.
    cv2.polylines(paper, [np.round(curve * 16).astype(np.int32) for curve in curves], False, colour, 1, cv2.LINE_AA, 4)


def _rosette(rng: Random, width: int, height: int) -> np.ndarray:
    radius = rng.uniform(0.12, 0.3) * height
    petals, wind = rng.randint(7, 19), rng.randint(3, 6)
    turns = np.linspace(0, 2 * math.pi, 900)
    reach = radius * (0.7 + 0.3 * np.cos(petals * turns * wind / 3))
    centre = np.array([rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height])
    return centre + reach[:, None] * np.stack([np.cos(wind * turns), np.sin(wind * turns)], axis=1)


@lru_cache(maxsize=1)
def _people() -> tuple[Image.Image, ...]:
    return tuple(_opened(name, face) for name, face in FACES.items() if (PEOPLE / name).exists())


def _opened(name: str, face: tuple[float, float, float]) -> Image.Image:
    """Around the face, as wide as twice and as high as two and a half times its height, 600 pixels high."""
    with Image.open(PEOPLE / name) as file:
        photo = file.convert("RGB")
    x, y, size = face[0] * photo.width, face[1] * photo.height, face[2] * photo.height
    box = (x - size, y - size * 1.1, x + size, y + size * 1.4)
    return photo.transform((480, 600), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)


def _cropped(rng: Random, known: tuple[Image.Image, ...], ratio: float) -> Image.Image:
    photo = rng.choice(known)
    height = photo.height * rng.uniform(0.82, 0.96)
    width = min(height * ratio, photo.width)
    height = width / ratio
    left = (photo.width - width) / 2 + rng.uniform(-8, 8)
    top = (photo.height - height) * 0.4
    cropped = photo.crop((round(left), round(top), round(left + width), round(top + height)))
    return cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else cropped


def _drawn(rng: Random, width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), (205, 214, 224))
    draw = ImageDraw.Draw(picture)
    skin = (rng.randint(195, 230), rng.randint(160, 185), rng.randint(135, 160))
    hair = (rng.randint(20, 60),) * 3
    x, w, h = width / 2, width, height
    draw.ellipse((x - 0.48 * w, 0.78 * h, x + 0.48 * w, 1.4 * h), fill=(50, 55, rng.randint(60, 110)))
    draw.rectangle((x - 0.11 * w, 0.62 * h, x + 0.11 * w, 0.85 * h), fill=skin)
    draw.ellipse((x - 0.31 * w, 0.1 * h, x + 0.31 * w, 0.62 * h), fill=hair)
    draw.ellipse((x - 0.26 * w, 0.18 * h, x + 0.26 * w, 0.72 * h), fill=skin)
    for side in (-1, 1):
        draw.ellipse(
            (x + side * 0.11 * w - 0.05 * w, 0.4 * h, x + side * 0.11 * w + 0.05 * w, 0.44 * h), fill=(250,) * 3
        )
        draw.ellipse(
            (x + side * 0.11 * w - 0.02 * w, 0.4 * h, x + side * 0.11 * w + 0.02 * w, 0.44 * h), fill=(30,) * 3
        )
        draw.line((x + side * 0.05 * w, 0.36 * h, x + side * 0.17 * w, 0.36 * h), fill=hair, width=max(2, width // 40))
    draw.line((x, 0.42 * h, x - 0.03 * w, 0.54 * h, x + 0.02 * w, 0.54 * h), fill=(150, 110, 95), width=2)
    draw.line((x - 0.09 * w, 0.61 * h, x + 0.09 * w, 0.61 * h), fill=(165, 70, 70), width=max(2, width // 50))
    return picture.filter(ImageFilter.GaussianBlur(width / 120))
