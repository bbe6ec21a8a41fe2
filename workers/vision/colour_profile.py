"""Colours of another profile made sRGB, before the profile is dropped: phones write Display P3.

Little CMS does it, through Pillow. What it is given is bounded: an RGB profile of a display of at most MOST_BYTES. What
cannot be used is ignored, as a viewer does; a profile is never a reason to refuse a picture.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import PIL.Image
import PIL.ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

# Display P3 has 0.5 kB and ProPhoto 1 kB; scanners' tables have up to 1 MB.
MOST_BYTES = 2 * 1024 * 1024
# Of a profile's header (ICC.1:2022, 7.2): device class and colour space.
_CLASS, _SPACE = slice(12, 16), slice(16, 20)
_CLASSES = (b"mntr", b"scnr", b"spac")
# Where no colour of a coarse cube moves by more, it is sRGB by whatever name.
NOT_SEEN = 3
# Rows at a time: Pillow has another order of colours, and a copy of 50 megapixels costs 150 MB.
ROWS = 512


def to_srgb(pixels: NDArray[np.uint8], profile: bytes) -> None:
    """Convert BGR or BGRA uint8[height, width, 3 or 4] from an ICC `profile` to sRGB, in place; alpha stays."""
    transform = _transform(profile)
    if transform is None:
        return
    for top in range(0, pixels.shape[0], ROWS):
        band = pixels[top : top + ROWS]
        band[..., :3] = _applied(transform, np.ascontiguousarray(band[..., :3]))


def _transform(profile: bytes) -> PIL.ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB; None where that changes nothing or cannot be."""
    if not 128 <= len(profile) <= MOST_BYTES or profile[_CLASS] not in _CLASSES or profile[_SPACE] != b"RGB ":
        return None
    try:
        source = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = PIL.ImageCms.ImageCmsProfile(cast("Any", PIL.ImageCms).createProfile("sRGB"))
        transform = PIL.ImageCms.buildTransform(source, target, "RGB", "RGB", PIL.ImageCms.Intent.RELATIVE_COLORIMETRIC)
        steps = np.linspace(0, 255, 6).astype(np.uint8)
        cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(36, 6, 3)
        moved = np.abs(_applied(transform, cube).astype(int) - cube).max()
    except Exception as error:  # noqa: BLE001 — a hostile profile may make Little CMS raise anything
        log.info("a colour profile is ignored: %s", type(error).__name__)
        return None
    return transform if moved > NOT_SEEN else None


def _applied(transform: PIL.ImageCms.ImageCmsTransform, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = PIL.Image.fromarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    PIL.ImageCms.applyTransform(image, transform, inPlace=True)
    return cast("NDArray[np.uint8]", cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR))
