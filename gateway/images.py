"""Images as they come in: base64 made bytes, the type sniffed, the size bounded. Nothing is decoded here.

The type is read off the first bytes, never off a name or a header that the client chose.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.base64text import Base64Error, decode_base64
from gateway.refusals import refuse
from shared import formats
from shared.contracts import Failure, ImageFormat

if TYPE_CHECKING:
    from collections.abc import Collection


class ImageType(StrEnum):
    """What a dialect may take."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"


_TYPES = {ImageFormat.JPEG: ImageType.JPEG, ImageFormat.PNG: ImageType.PNG, ImageFormat.WEBP: ImageType.WEBP}
# What a JPEG, a PNG and a WebP begin with, in base64.
_ENCODED_TWICE = (b"/9j/", b"iVBORw0KGgo", b"UklGR", b"data:image/")


def sniff(data: bytes) -> ImageType | None:
    """The type by its signature; None for anything else."""
    found = formats.sniff(data)
    return _TYPES[found] if found else None


def check_image(data: bytes, *, position: int, types: Collection[ImageType], max_bytes: int) -> bytes:
    """`data` itself where it is an image that the dialect takes. Raises RefusedError."""
    if not data:
        raise refuse(Failure.BAD_IMAGE, "the image is empty", image=position)
    if len(data) > max_bytes:
        raise refuse(Failure.IMAGE_TOO_LARGE, f"an image may have at most {max_bytes >> 20} MB", image=position)
    if sniff(data) not in types:
        raise refuse(Failure.UNSUPPORTED_IMAGE, f"send {' or '.join(types)}", image=position)
    return data


def image_of_base64(text: str, *, position: int, types: Collection[ImageType], max_bytes: int) -> bytes:
    """An image file from base64 text, as `base64text` takes it. Raises RefusedError."""
    # The bound is looked at before anything is copied: 4 characters hold 3 bytes; a third more is room for line breaks.
    if len(text) > max_bytes * 2:
        raise refuse(Failure.IMAGE_TOO_LARGE, f"an image may have at most {max_bytes >> 20} MB", image=position)
    try:
        data = decode_base64(text)
    except Base64Error as error:
        raise refuse(Failure.BAD_IMAGE, f"the image is not valid base64: {error}", image=position) from None
    if data.startswith(_ENCODED_TWICE):
        raise refuse(Failure.BAD_IMAGE, "the image is in base64 twice; encode the file once", image=position)
    return check_image(data, position=position, types=types, max_bytes=max_bytes)


def images_of_base64(*texts: str, types: Collection[ImageType], max_bytes: int) -> list[bytes]:
    """The images of a request, in their order. Raises RefusedError."""
    return [
        image_of_base64(text, position=position, types=types, max_bytes=max_bytes)
        for position, text in enumerate(texts)
    ]
