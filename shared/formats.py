"""The file formats of pictures: how a file is recognised, what HTTP calls it, and how its name ends."""

from __future__ import annotations

from shared.contracts import ImageFormat

MEDIA_TYPES = {ImageFormat.JPEG: "image/jpeg", ImageFormat.PNG: "image/png", ImageFormat.WEBP: "image/webp"}
SUFFIXES = {ImageFormat.JPEG: "jpg", ImageFormat.PNG: "png", ImageFormat.WEBP: "webp"}


def sniff(data: bytes) -> ImageFormat | None:
    """The format by the file's signature; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    return None
