"""Which face of a picture is meant: the largest, if it dominates.

A selfie has passers-by in it, and an ID card a small ghost portrait: a second face that is much smaller is no error.
Two of comparable size are, since nobody can say which one the caller means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.contracts import Failure
from workers.vision.decode import ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.vision.detection import Detection

# Of the largest face's area. Two people posing together have 0.7 and more on the photos at hand; a ghost portrait is
# printed at half the portrait's size or less, which is 0.25.
COMPARABLE = 0.4
NO_FACE = "send a picture in which one face can be seen well, from the front"


def primary_face(faces: Sequence[Detection]) -> Detection:
    """The face that is meant; `faces` are the largest first. Raises ImageError: NO_FACE or MULTIPLE_FACES."""
    if not faces:
        raise ImageError(Failure.NO_FACE, NO_FACE)
    if len(faces) > 1 and faces[1].area >= COMPARABLE * faces[0].area:
        raise ImageError(Failure.MULTIPLE_FACES, "send a picture of one person, or cut it to that person's face")
    return faces[0]
