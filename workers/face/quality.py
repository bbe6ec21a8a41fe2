"""Is this picture good enough to be compared with for years? Only register asks.

Four plain measures, each with what to change. All but the size are taken on the aligned face, so that they mean the
same for every picture:

    size       pixels between the eyes                                 (more is better)
    sharpness  variance of the Laplacian of the aligned face           (Pech-Pacheco et al. 2000)
    light      mean grey value of the face's middle, and its burnt-out share
    pose       where the nose lies between the eyes, and between eyes and mouth
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from workers.face import align

if TYPE_CHECKING:
    from cv2.typing import MatLike

    from workers.face.detection import Detection
    from workers.face.images import Image


@dataclass(frozen=True)
class Limits:
    """Chosen on 49 real photos so that all good ones pass; the ranges seen there stand beside."""

    eye_distance_px: float = 24.0  # 31 and more; a template of fewer pixels is a blur made larger
    sharpness: float = 60.0  # 154 and more; the same faces under a strong blur: below 40
    darkest: float = 35.0  # 55 to 183, and one of 21 that nobody could recognise
    brightest: float = 225.0
    burnt_out: float = 0.4  # at most 0.14 of the pixels
    yaw: float = 0.5  # at most 0.43 of the eye distance; about 40 degrees
    pitch_low: float = 0.25  # 0.40 to 0.75 of the way from eyes to mouth
    pitch_high: float = 0.9


LIMITS = Limits()


class Fault(StrEnum):
    """What is wrong with a picture."""

    SIZE = "size"
    SHARPNESS = "sharpness"
    LIGHT = "light"
    POSE = "pose"

    @property
    def advice(self) -> str:
        """What the caller can change."""
        return _ADVICE[self]


_ADVICE = {
    Fault.SIZE: "the face is too small: come closer, or send a picture of more pixels",
    Fault.SHARPNESS: "the face is not sharp: hold still, and focus on the face",
    Fault.LIGHT: "the light is bad: the face is too dark or too bright",
    Fault.POSE: "the face is turned away: look straight into the camera",
}


def faults(image: Image, face: Detection, limits: Limits = LIMITS) -> tuple[Fault, ...]:
    """What is wrong, the most telling first; nothing for a good picture. A face without landmarks has no pose."""
    if face.landmarks is None:
        return _without_landmarks(image, face, limits)
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks.astype(np.float64)
    eyes = right_eye - left_eye
    distance = float(np.hypot(*eyes))
    grey = cv2.cvtColor(align.crop(image.pixels, face.landmarks), cv2.COLOR_BGR2GRAY)
    found = _size_light_sharpness(distance, grey, limits)
    # In the face's own axes: along the eyes, and at a right angle to them.
    along = eyes / max(distance, 1e-6)
    down = np.array([-along[1], along[0]])
    from_eyes = nose - (left_eye + right_eye) / 2
    to_mouth = (left_mouth + right_mouth) / 2 - (left_eye + right_eye) / 2
    yaw = float(from_eyes @ along) / max(distance, 1e-6)
    pitch = float(from_eyes @ down) / max(float(to_mouth @ down), 1e-6)
    if abs(yaw) > limits.yaw or not limits.pitch_low <= pitch <= limits.pitch_high:
        found.append(Fault.POSE)
    return tuple(found)


# Between the eyes' centres, of the width of dlib's box.
_EYES_OF_BOX = 0.42


def _without_landmarks(image: Image, face: Detection, limits: Limits) -> tuple[Fault, ...]:
    x1, y1, x2, y2 = (round(float(edge)) for edge in face.box)
    inside = image.pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]  # a box at the edge may be cut to a sliver
    grey = cv2.cvtColor(cv2.resize(inside, (align.SIDE, align.SIDE)), cv2.COLOR_BGR2GRAY)
    return tuple(_size_light_sharpness(_EYES_OF_BOX * face.width, grey, limits))


def _size_light_sharpness(eye_distance_px: float, grey: MatLike, limits: Limits) -> list[Fault]:
    """`grey` is the face, uint8[112, 112]."""
    middle = grey[28:100, 26:86]  # without the corners, which in a tight crop lie outside the picture
    found: list[Fault] = []
    if eye_distance_px < limits.eye_distance_px:
        found.append(Fault.SIZE)
    if (
        not limits.darkest <= float(middle.mean()) <= limits.brightest
        or float((middle > 250).mean()) > limits.burnt_out
    ):
        found.append(Fault.LIGHT)
    if float(cv2.Laplacian(grey, cv2.CV_64F).var()) < limits.sharpness:
        found.append(Fault.SHARPNESS)
    return found
