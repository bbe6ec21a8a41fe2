"""Pictures with drawn faces that the detector finds: nobody's, so they may stand in a repository, and in a screenshot.

A face is a few soft shapes laid over one another: a detector looks for light and shadow where eyes, nose and mouth are
rather than for detail. The same seed gives the same picture.
"""

from __future__ import annotations

import io
from random import Random
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, HEIGHT = 330, 424
SKINS = ((224, 182, 152), (206, 160, 128), (234, 198, 172), (160, 112, 84), (190, 142, 108))
HAIRS = ((34, 28, 26), (58, 40, 28), (92, 60, 36), (24, 24, 28), (120, 116, 112))
CLOTHES = ((52, 58, 96), (92, 44, 48), (40, 84, 76), (96, 90, 82), (44, 46, 52))
WALLS = ((205, 214, 224), (214, 208, 196), (188, 206, 198), (222, 214, 220), (176, 186, 200))
LIPS, IRIS = (178, 92, 88), (62, 42, 30)


def _times(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def _ellipse(draw: ImageDraw.ImageDraw, box: tuple[float, ...]) -> None:
    draw.ellipse(box, fill=255)


def _lid(draw: ImageDraw.ImageDraw, box: tuple[float, ...]) -> None:
    draw.arc(box, 190, 350, fill=255, width=4)


def _brow(draw: ImageDraw.ImageDraw, box: tuple[float, ...]) -> None:
    draw.arc(box, 200, 340, fill=255, width=7)


def _fringe(draw: ImageDraw.ImageDraw, box: tuple[float, ...]) -> None:
    draw.chord(box, 180, 360, fill=255)


def drawing(seed: int, faces: int = 1, kind: str = "JPEG") -> bytes:
    """A picture of so many people side by side, before a wall."""
    rng = Random(seed)
    wall = rng.choice(WALLS)
    room = round(0.62 * WIDTH)
    size = (room * (faces + 1) + rng.randint(0, 160), HEIGHT + rng.randint(20, 120))
    picture = Image.new("RGB", size, wall)
    middle = (size[0] - room * (faces - 1)) / 2
    for n in range(faces):
        person, outline = head(rng, wall)
        scale = rng.uniform(0.86, 1.0)
        fitted = (round(WIDTH * scale), round(HEIGHT * scale))
        place = (round(middle + n * room - fitted[0] / 2), size[1] - fitted[1])
        picture.paste(person.resize(fitted, Image.Resampling.LANCZOS), place, outline.resize(fitted))
    buffer = io.BytesIO()
    big = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
    big.save(buffer, kind, quality=88)
    return buffer.getvalue()


def head(rng: Random, wall: tuple[int, int, int]) -> tuple[Image.Image, Image.Image]:
    """A head and shoulders, and where they are: the wall's colour and a mask around them."""
    skin, hair, cloth = rng.choice(SKINS), rng.choice(HAIRS), rng.choice(CLOTHES)
    dark = _times(skin, 0.62)
    light = _times(skin, 1.12)
    picture = Image.new("RGB", (WIDTH, HEIGHT), wall)
    outline = Image.new("L", picture.size, 0)

    def lay(
        colour: tuple[int, int, int],
        opacity: float,
        blur: float,
        *box: float,
        of: Callable[[ImageDraw.ImageDraw, tuple[float, ...]], None] = _ellipse,
        is_outline: bool = False,
    ) -> None:
        """A shape around x, y (shares of the size; x from the middle) with the radii that follow, softened."""
        x, y, rx, ry = box
        corners = ((0.5 + x - rx) * WIDTH, (y - ry) * HEIGHT, (0.5 + x + rx) * WIDTH, (y + ry) * HEIGHT)
        mask = Image.new("L", picture.size, 0)
        of(ImageDraw.Draw(mask), corners)
        mask = mask.filter(ImageFilter.GaussianBlur(blur * WIDTH)).point(lambda value: round(value * opacity))
        picture.paste(colour, mask=mask)
        if is_outline:
            outline.paste(255, mask=mask)

    if rng.random() < 0.5:  # long hair
        lay(hair, 1, 0.01, 0, 0.55, 0.33, 0.4, is_outline=True)
    lay(hair, 1, 0.01, 0, 0.40, 0.315, 0.33, is_outline=True)
    lay(cloth, 1, 0.01, 0, 1.12, 0.5, 0.32, is_outline=True)
    lay(dark, 1, 0.01, 0, 0.78, 0.12, 0.12, is_outline=True)
    lay(skin, 1, 0.008, 0, 0.47, 0.25, 0.295, is_outline=True)
    # Light comes from the left.
    lay(dark, 0.45, 0.05, 0.15, 0.52, 0.09, 0.2)
    lay(light, 0.6, 0.04, 0, 0.32, 0.15, 0.07)
    for side in (-1, 1):
        lay(dark, 0.6, 0.018, side * 0.11, 0.425, 0.075, 0.035)
        lay((240, 236, 232), 1, 0.003, side * 0.11, 0.432, 0.052, 0.020)
        lay(IRIS, 1, 0.003, side * 0.11, 0.431, 0.024, 0.0195)
        lay((10, 8, 8), 1, 0.002, side * 0.11, 0.431, 0.011, 0.009)
        lay((40, 28, 24), 0.9, 0.004, side * 0.11, 0.436, 0.056, 0.026, of=_lid)
        lay(hair, 0.9, 0.007, side * 0.115, 0.400, 0.078, 0.035, of=_brow)
        lay((70, 40, 36), 0.9, 0.005, side * 0.024, 0.580, 0.011, 0.006)
    lay(dark, 0.45, 0.014, 0.022, 0.50, 0.016, 0.07)
    lay(light, 0.7, 0.012, -0.006, 0.50, 0.014, 0.07)
    lay(dark, 0.6, 0.012, 0, 0.577, 0.045, 0.016)
    lay(LIPS, 0.9, 0.007, 0, 0.655, 0.085, 0.020)
    lay((90, 36, 38), 0.9, 0.003, 0, 0.655, 0.082, 0.003)
    lay(dark, 0.5, 0.014, 0, 0.700, 0.06, 0.012)
    lay(hair, 1, 0.012, 0, 0.25, 0.27, 0.14, of=_fringe)
    return picture, outline
