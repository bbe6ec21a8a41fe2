"""Faces made unrecognisable, in place: four methods and one strength.

    gaussian    the padded box blurred                 strength: the blur's kernel in pixels
    elliptical  the ellipse inscribed in it blurred    strength: the same
    pixelate    the padded box in squares              strength: a square's side in pixels
    solid       the padded box black and opaque        strength means nothing

A kernel that hides a face of 200 pixels shows one of 2,000. So `strength` holds for a face of up to REFERENCE_SIDE
pixels, and grows in proportion for a larger one. At the default of 199 every method hides a face of any size. Less is
the caller's choice, and hides less (see REFERENCE_SIDE): a mosaic of 32, as in the API document's sample, has six
squares across a face, which ArcFace does not match but a friend may recognise; a blur of 51 hides nobody.

A blur loses little for good: with its kernel known, deconvolution brings some of a face back, and more of it out of a
blur at full resolution (ArcFace's score rises from 0.27 to 0.68 at two thirds of the default; to 0.52 as it is done
here). So a region is averaged over a coarse grid first, blurred there, rounded to 8 bits and spread out again: what was
finer than a cell is gone, and of the coarser the small differences are rounded off. It costs hardly anything, too.

Of blurs and squares something always stays: whoever has a short list of persons can mask their photos in the same way
and see whose comes nearest (McPherson et al. 2016, "Defeating Image Obfuscation with Deep Learning"). `solid` leaves
nothing but the face's place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

import cv2
import numpy as np

from shared.contracts import MaskMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from shared.contracts import Face, MaskFaces

    Pixels: TypeAlias = NDArray[np.uint8]

# The longer side of a face's box, in pixels, up to which a strength is what it says. Measured on 12 photos of 5 persons
# with faces made 60, 200 and 600 pixels long, against ArcFace (w600k_mbf) that was told the landmarks of the
# original; the highest calibrated score with the same or another photo of the person. Different persons reach 0.25, a
# match begins at 0.7. "Attacked" is the best of Wiener filters of six noise levels and of Richardson-Lucy of 20, 100
# and 400 steps, at full resolution and on the coarse grid, with the kernel known. Faces of 200 pixels:
#
#     strength                     51     99    149    199   199, padding 0
#     gaussian     as it comes   0.78   0.35   0.26   0.26   0.34
#                  attacked      0.91   0.70   0.41   0.32   0.40
#     elliptical   attacked                           0.36   0.53
#     strength                     32     64    100    199
#     pixelate     smoothed      0.35   0.29   0.22   0.20
#
# At 199 the other sizes are within 0.04 of these. So 200 is right for the default, and leaves room for a better model.
REFERENCE_SIDE = 200
# The blur in cells of the coarse grid. With 2 a region is within 3 grey levels of cv2.GaussianBlur at strength 199 (0.6
# on average), and within 5 at 63. With 1.5 it is within 6; with 3 it is no nearer, and an attack gets a little more
# (0.34 for 0.32).
GRID_SIGMA = 2.0
# A cell's mean is taken of this many points along each side: reading every pixel of a face of 2,000 takes 17 ms.
SAMPLES = 8
# A face that comes nearer to the picture's edge than this part of its size is cut by it.
EDGE = 0.02
# By how much of its size a box without landmarks is grown, left, top, right, bottom: dlib's reaches from the brows to
# the mouth, and this is what it lacks of SCRFD's at most (17 faces). Without it ArcFace gives a face under a black box
# 0.58, with it 0.14, and attacked 0.36 under a blur.
NARROW = (0.1, 0.35, 0.1, 0.2)
_SHIFT = 4  # the fraction bits of cv2.ellipse's coordinates


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One face to hide: `region` is a view of its padded box in the picture, uint8[height, width, 3 or 4].

    `strength` is in pixels of this face. The ellipse is given in pixels of the region, whose corner is 0, 0; where the
    picture cuts the face or the padding it reaches beyond the region.
    """

    region: Pixels
    strength: float
    centre: tuple[float, float]
    axes: tuple[float, float]


def mask_faces(pixels: Pixels, faces: Iterable[Face], operation: MaskFaces) -> None:
    """Hide `faces` in `pixels`, uint8[height, width, 3 or 4]; all channels, so that alpha keeps no silhouette.

    `strength` is at least 1, `padding` at least 0 and at most a few. Nothing outside the padded boxes is touched. Each
    face is painted over what the ones before it left, so where boxes overlap nothing of a face comes back.
    """
    method = _METHODS[operation.method]
    for face in faces:
        target = _target(pixels, face, operation)
        if target.region.size:
            method(target)


def _target(pixels: Pixels, face: Face, operation: MaskFaces) -> Target:
    """Where to paint: the padded box, rounded outwards, within the picture."""
    height, width = pixels.shape[:2]
    x, y, face_width, face_height = _box(face)
    pad_x, pad_y = operation.padding * face_width, operation.padding * face_height
    x1, x2 = max(math.floor(x - pad_x), 0), min(math.ceil(x + face_width + pad_x), width)
    y1, y2 = max(math.floor(y - pad_y), 0), min(math.ceil(y + face_height + pad_y), height)
    centre_x, axis_x = _reach(x, face_width, pad_x, width)
    centre_y, axis_y = _reach(y, face_height, pad_y, height)
    return Target(
        region=pixels[y1:y2, x1:x2],
        strength=operation.strength * max(1.0, max(face_width, face_height) / REFERENCE_SIDE),
        centre=(centre_x - x1, centre_y - y1),
        axes=(axis_x, axis_y),
    )


def _box(face: Face) -> tuple[float, float, float, float]:
    """Left, top, width and height of the whole face, whichever detector found it."""
    if face.landmarks:
        return face.x, face.y, face.width, face.height
    left, top, right, bottom = NARROW
    return (
        face.x - left * face.width,
        face.y - top * face.height,
        (1 + left + right) * face.width,
        (1 + top + bottom) * face.height,
    )


def _reach(start: float, size: float, padding: float, limit: int) -> tuple[float, float]:
    """Centre and half axis of the ellipse along one side of a face from `start` to `start + size`.

    A face that ends at the picture's edge goes on behind it, as far as anybody knows: an ellipse inscribed in what
    is seen of it would be at its narrowest there, and leave the eyes of a head cut at the eyes.
    """
    before = size if start <= EDGE * size else padding
    after = size if start + size >= limit - EDGE * size else padding
    return start + (size + after - before) / 2, (size + after + before) / 2


def _gaussian(target: Target) -> None:
    target.region[...] = _blurred(target)


def _elliptical(target: Target) -> None:
    region, blurred = target.region, _blurred(target)
    cover = np.zeros(region.shape[:2], np.uint8)
    # OpenCV's whole coordinates are the centres of pixels, a box's are their corners.
    centre = _fixed(target.centre[0] - 0.5), _fixed(target.centre[1] - 0.5)
    axes = _fixed(target.axes[0]), _fixed(target.axes[1])
    cv2.ellipse(cover, centre, axes, 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    # Only the rim, a pixel or two wide, mixes the two; the rest is copied.
    rows, columns = np.divmod(np.flatnonzero((cover > 0) & (cover < 255)), region.shape[1])
    share = cover[rows, columns, None].astype(np.uint16)
    blurred[rows, columns] = (blurred[rows, columns] * share + region[rows, columns] * (255 - share)) // 255
    cv2.copyTo(blurred, cover, region)


def _fixed(value: float) -> int:
    """For `cv2.ellipse`, which takes whole numbers of a sixteenth of a pixel."""
    return round(value * (1 << _SHIFT))


def _pixelate(target: Target) -> None:
    height, width = target.region.shape[:2]
    squares = _coarse(target.region, target.strength)
    target.region[...] = cv2.resize(squares, (width, height), interpolation=cv2.INTER_NEAREST)


def _solid(target: Target) -> None:
    target.region[..., :3] = 0
    target.region[..., 3:] = 255


def _blurred(target: Target) -> Pixels:
    """The region under a Gaussian of the kernel `strength`, in memory of its own; its edges are mirrored."""
    height, width = target.region.shape[:2]
    # What cv2.GaussianBlur takes for a kernel's size (its `getGaussianKernel`): 30.2 pixels for 199.
    sigma = 0.15 * target.strength + 0.35
    coarse = _coarse(target.region, sigma / GRID_SIGMA)
    rows, columns = coarse.shape[:2]
    smooth = cv2.GaussianBlur(
        coarse, (0, 0), sigmaX=sigma * columns / width, sigmaY=sigma * rows / height, borderType=cv2.BORDER_REFLECT
    )
    return cast("Pixels", cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC))


def _coarse(region: Pixels, cell: float) -> Pixels:
    """The means of cells of about `cell` pixels; all are of one size, and at least of that."""
    height, width = region.shape[:2]
    cell = max(cell, 1.0)
    columns, rows = max(1, math.floor(width / cell)), max(1, math.floor(height / cell))
    sampled = SAMPLES * columns, SAMPLES * rows
    if sampled[0] < width and sampled[1] < height:
        region = cast("Pixels", cv2.resize(region, sampled, interpolation=cv2.INTER_LINEAR))
    return cast("Pixels", cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA))


_METHODS: dict[MaskMethod, Callable[[Target], None]] = {
    MaskMethod.GAUSSIAN: _gaussian,
    MaskMethod.ELLIPTICAL: _elliptical,
    MaskMethod.PIXELATE: _pixelate,
    MaskMethod.SOLID: _solid,
}
