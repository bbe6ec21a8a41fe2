"""A card that is being drawn, and where on it each field came to stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from PIL import Image, ImageDraw

from shared.contracts import CardField

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom
Colour: TypeAlias = tuple[int, int, int]
INK: Colour = (28, 26, 30)


class Canvas:
    """An RGB picture of one side of a card. `boxes` has the ink of every line of a field, top line first.

    All text is thickened by `stroke` pixels: printers differ.
    """

    def __init__(self, image: Image.Image, stroke: float = 0.0) -> None:
        self.image = image
        self.stroke = stroke
        self.boxes: dict[CardField, list[Box]] = {}
        self._draw = ImageDraw.Draw(image)

    @property
    def width(self) -> int:
        """In pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.image.height

    def text(
        self,
        at: tuple[float, float],
        text: str,
        font: FreeTypeFont,
        *,
        fill: Colour = INK,
        field: CardField | None = None,
        tracking: float = 0.0,
        align: str = "left",
    ) -> Box:
        """Set one line with its baseline's left end (or middle, or right end, by `align`) at `at`; its ink's box.

        `tracking` is the space added after each character, in pixels.
        """
        x, y = at
        advance = font.getlength(text) if not tracking else sum(font.getlength(one) + tracking for one in text)
        x -= {"left": 0.0, "centre": advance / 2, "right": advance}[align]
        box = self._ink(x, y, text, font, advance if tracking else None)
        if tracking:
            for one in text:
                self._draw.text((x, y), one, fill, font, anchor="ls", stroke_width=self.stroke)
                x += font.getlength(one) + tracking
        else:
            self._draw.text((x, y), text, fill, font, anchor="ls", stroke_width=self.stroke)
        if field is not None:
            self.mark(field, box)
        return box

    def wrapped(
        self,
        at: tuple[float, float],
        text: str,
        font: FreeTypeFont,
        *,
        width: float,
        leading: float,
        field: CardField,
    ) -> float:
        """Set `text` in lines of at most `width` pixels, broken at spaces; where the next line's baseline would be."""
        x, y = at
        line = ""
        for word in text.split(" "):
            if line and font.getlength(f"{line} {word}") > width:
                self.text((x, y), line, font, field=field)
                line, y = "", y + leading
            line = f"{line} {word}".strip()
        self.text((x, y), line, font, field=field)
        return y + leading

    def number(self, at: tuple[float, float], number: str, font: FreeTypeFont, *, tracking: float = 0.0) -> None:
        """Set a registration number, whose first part is the birth date."""
        box = self.text(at, number, font, field=CardField.ID_NUMBER, tracking=tracking)
        birth = font.getlength(number[:6]) + 6 * tracking
        self.mark(CardField.BIRTH_DATE, (box[0], box[1], at[0] + birth, box[3]))

    def mark(self, field: CardField, box: Box) -> None:
        """Note that a line of `field` stands in `box`."""
        self.boxes.setdefault(field, []).append(box)

    def paste(self, picture: Image.Image, left: float, top: float, opacity: float = 1.0) -> Box:
        """Lay a picture on the card; with an alpha channel only its inked part."""
        x, y = round(left), round(top)
        mask = picture.getchannel("A") if picture.mode == "RGBA" else Image.new("L", picture.size, 255)
        self.image.paste(picture.convert("RGB"), (x, y), mask.point(lambda value: round(value * opacity)))
        return x, y, x + picture.width, y + picture.height

    @staticmethod
    def _ink(x: float, y: float, text: str, font: FreeTypeFont, advance: float | None) -> Box:
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        return x + left, y + top, x + (right if advance is None else advance), y + bottom
