"""From the bytes of an image file to upright pixels, or to the reason why not: reduced, or every pixel of it.

The header is read first (Pillow, which decodes nothing then), so that a bomb is refused before it takes memory. OpenCV
decodes and applies the EXIF orientation.

`decode` is for what is only looked at. A large JPEG comes at a half, a quarter or an eighth of its size, which libjpeg
does in a fraction of the time: a detector looks at 640 pixels, an embedding at 112 pixels of a face.

`decode_whole` is for what goes out again: every pixel, upright and with its transparency, and a view for a detector.

    JPEG, CMYK or MPO ─ its first picture in colour ─┐                     ┌─ pixels, for whoever paints on them
    PNG, WebP, grey, palette, 16 bit ─ in 8 bit ─────┼─ EXIF orientation ──┤
    the same with transparency ─ in four channels ───┘                     └─ seen, reduced, for a detector

What moves (APNG, animated WebP) goes out as its first frame: it is what is looked at, too. A detector sees the colours
without the transparency, so that a face which an editor only hid is masked as well. OpenCV does not know a transparent
grey (tRNS of a grey PNG), and such a picture goes out opaque.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cv2
import numpy as np
import PIL.Image

from shared.contracts import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A face of 7% of the longer side still has the 112 pixels that an embedding takes.
KEEP_SIDE = 1600
# OpenCV's warps take no picture of more pixels in a row or a column (SHRT_MAX).
MAX_SIDE = 32_766
FORMATS = ("JPEG", "PNG", "WEBP")
# The bound on pixels is the setting's, and is looked at before anything is decoded; Pillow's own would only warn.
PIL.Image.MAX_IMAGE_PIXELS = None

# What else Pillow calls its modes has three colours: RGB, P (a palette), and what is made of YCbCr.
_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B")

# By what a picture is reduced, the most first.
_FLAGS = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
# What ends a run of entropy-coded data: in it an FF is followed by 00 or by a restart marker; 01 has no segment either.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_END_OF_IMAGE = b"\xd9"
_MAX_SEGMENTS = 4096  # 83 photos have 6 to 24; 10 MB of a colour profile and notes have 160
EXIF_ORIENTATION = 0x0112
# From EXIF's orientation (JEITA CP-3451, 4.6.4 A) to upright: is it transposed, and how is it flipped after that?
# OpenCV's flips: 1 left and right, 0 top and bottom, -1 both. 1, and any value that EXIF does not have, stays as it is.
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


class ImageError(Exception):
    """An input that cannot be worked on; `tasks` answers it as a Failed."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """`pixels` is BGR uint8[height, width, 3], upright; `width` and `height` are the file's, upright, too.

    `scale` is the size of `pixels` over the file's: 1, 1/2, 1/4 or 1/8. Coordinates go back by dividing by it.
    `channels` are the file's, see `Header`. `gain` is by what the pixels were made brighter than the file's (`light`).
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    scale: float
    channels: int = 3
    gain: float = 1.0

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Image:
        """Pixels that are no file's, as a picture of their own size."""
        return cls(pixels, pixels.shape[1], pixels.shape[0], 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """`pixels` is BGR or BGRA uint8[height, width, 3 or 4], to paint on; `seen` may share its memory."""

    pixels: NDArray[np.uint8]
    seen: Image


class Header(NamedTuple):
    """What a file says of its picture: JPEG, PNG or WEBP, and its size in pixels as stored, before the orientation.

    `channels`: 1 grey, 2 grey with alpha, 3 colour (a palette, too), 4 colour with alpha, or CMYK. A transparent colour
    (PNG's tRNS) counts as alpha.
    """

    kind: str
    width: int
    height: int
    channels: int
    has_alpha: bool


def decode(data: bytes, *, max_pixels: int, keep_side: int = KEEP_SIDE) -> Image:
    """Decode a JPEG, PNG or WebP file.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels` or MAX_SIDE.
    """
    header = read_header(data, max_pixels=max_pixels)
    divisor = divisor_of(header.width, header.height, keep_side) if header.kind == "JPEG" else 1
    check_side(header, divisor)
    pixels = decoded(data, _FLAGS[divisor])
    width, height = header.width, header.height
    # libjpeg rounds a reduced size up. Where the sides do not fit as they are, the orientation has swapped them.
    if pixels.shape[:2] != (-(-height // divisor), -(-width // divisor)):
        width, height = height, width
    return Image(pixels, width, height, 1 / divisor, header.channels)


def decode_whole(data: bytes, header: Header, *, keep_alpha: bool, keep_side: int = KEEP_SIDE) -> Whole:
    """Every pixel of the file that `header` is of. Without `keep_alpha` what is transparent lies on white.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over MAX_SIDE.
    """
    check_side(header)
    pixels = _with_alpha(data) if header.has_alpha else decoded(data, cv2.IMREAD_COLOR)
    if pixels.shape[2] == 3:
        return Whole(pixels, reduced(pixels, header.channels, keep_side))
    colours = cast("NDArray[np.uint8]", cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR))
    seen = reduced(colours, header.channels, keep_side)
    return Whole(pixels if keep_alpha else _on_white(colours, pixels), seen)


def reduced(pixels: NDArray[np.uint8], channels: int, keep_side: int = KEEP_SIDE) -> Image:
    """As large as a detector needs it, whatever the format: what `decode` does to a JPEG on the way.

    By areas, which is nearest to what libjpeg does.
    """
    height, width = pixels.shape[:2]
    divisor = divisor_of(width, height, keep_side)
    if divisor > 1:
        size = -(-width // divisor), -(-height // divisor)
        pixels = cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return Image(pixels, width, height, 1 / divisor, channels)


def read_header(data: bytes, *, max_pixels: int) -> Header:
    """The header of a file that reaches its end, without decoding anything.

    Raises ImageError: BAD_IMAGE, or IMAGE_TOO_LARGE over `max_pixels`.
    """
    # Before the header, because Pillow takes seconds over a file of a million empty segments.
    if not _is_whole(data):
        raise ImageError(Failure.BAD_IMAGE, "the file is truncated")
    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as image:
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            has_alpha = image.has_transparency_data
            channels = 4 if image.mode == "CMYK" else (1 if image.mode in _GREY_MODES else 3) + has_alpha
            header = Header(kind, image.width, image.height, channels, has_alpha)
    except Exception:  # noqa: BLE001 — a hostile header may make Pillow raise almost anything: SyntaxError, struct.error …
        raise ImageError(Failure.BAD_IMAGE, "the file is not a readable JPEG, PNG or WebP") from None
    if header.width * header.height > max_pixels:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {max_pixels // 1_000_000} megapixels")
    return header


def divisor_of(width: int, height: int, keep_side: int) -> int:
    """By how much a picture is reduced so that its longer side keeps `keep_side` pixels: 8, 4, 2 or 1."""
    return next((divisor for divisor in _FLAGS if max(width, height) >= divisor * keep_side), 1)


def check_side(header: Header, divisor: int = 1) -> None:
    """Raises ImageError, IMAGE_TOO_LARGE, for a picture that is over MAX_SIDE once it is reduced."""
    if max(header.width, header.height) > MAX_SIDE * divisor:
        raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {MAX_SIDE:,} pixels in a row or column")


def decoded(data: bytes, flag: int) -> NDArray[np.uint8]:
    """OpenCV's BGR pixels, upright. Raises ImageError, BAD_IMAGE."""
    try:
        pixels = cast("NDArray[np.uint8] | None", cv2.imdecode(np.frombuffer(data, np.uint8), flag))
    except cv2.error:
        pixels = None
    if pixels is None or pixels.ndim != 3 or not pixels.size:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    return pixels


def _is_whole(data: bytes) -> bool:
    """Does the file reach its end? OpenCV returns half a picture without a word. What is no picture passes.

    JPEG: see `_jpeg_ends`. PNG (ISO/IEC 15948, 5.6): an IEND chunk. WebP: RIFF's own length. Bytes behind the end are
    no harm: phones append previews and videos.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg_ends(data)
    if data.startswith(b"\x89PNG"):
        return b"IEND" in data
    return not data.startswith(b"RIFF") or len(data) >= int.from_bytes(data[4:8], "little") + 8


def _jpeg_ends(data: bytes) -> bool:
    """Does the picture's own last scan reach its end-of-image marker (ITU-T T.81, annex B)?

    Walks from segment to segment, since neither the first nor the last such marker in the file is the picture's: an
    EXIF thumbnail inside a segment has one, and among the bytes of an appended film any two may be met, in any order.
    """
    position = 2
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None:
            return False
        position = marker.end()
        if marker[1] == _END_OF_IMAGE:
            return True
        position += int.from_bytes(data[position : position + 2])
    return False


def _with_alpha(data: bytes) -> NDArray[np.uint8]:
    """BGRA, or BGR where OpenCV sees no alpha. Raises ImageError, BAD_IMAGE."""
    try:
        # With the metadata that OpenCV itself goes by in the other flags; in this one it leaves the orientation alone.
        read = cast("Any", cv2.imdecodeWithMetadata)(np.frombuffer(data, np.uint8), None, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        read = None, (), ()
    pixels, kinds, metadata = cast("tuple[NDArray[Any] | None, tuple[int, ...], tuple[NDArray[np.uint8], ...]]", read)
    if pixels is None or not pixels.size:
        raise ImageError(Failure.BAD_IMAGE, "the file cannot be decoded")
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        return decoded(data, cv2.IMREAD_COLOR)
    if pixels.dtype == np.uint16:
        # The upper half, as OpenCV does for colours; a detector sees the same pixels in either way.
        pixels = pixels >> 8
    exif = next((block for kind, block in zip(kinds, metadata, strict=True) if kind == cv2.IMAGE_METADATA_EXIF), None)
    return _upright(pixels.astype(np.uint8, copy=False), 1 if exif is None else _orientation(exif))


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    transposed, flip = _UPRIGHT.get(orientation, (False, None))
    turned = cv2.transpose(pixels) if transposed else pixels
    return cast("NDArray[np.uint8]", turned if flip is None else cv2.flip(turned, flip))


def _orientation(exif: NDArray[np.uint8]) -> int:
    """1 for what cannot be read: a picture with a broken EXIF block is a picture."""
    read = PIL.Image.Exif()
    try:
        read.load(b"Exif\0\0" + exif.tobytes())
        return int(read.get(EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 — as for a hostile header
        return 1


def _on_white(colours: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`colours` with the alpha of `pixels` over white: 255 - (255 - colour) * alpha / 255."""
    alpha = cv2.cvtColor(cv2.extractChannel(pixels, 3), cv2.COLOR_GRAY2BGR)
    ink = cv2.multiply(cv2.bitwise_not(colours), alpha, scale=1 / 255)
    return cast("NDArray[np.uint8]", cv2.bitwise_not(ink))
