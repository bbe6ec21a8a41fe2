"""Is this picture good enough to be compared with for years? Register asks, and compare and verify for far less.

Four plain measures, each with what to change. All but the size are taken on the aligned face, so that they mean the
same for every picture:

    size       pixels between the eyes, as they would be from the front   (more is better)
    sharpness  variance of the Laplacian of the aligned face              (Pech-Pacheco et al. 2000)
    light      mean grey value of the face's middle, and its burnt-out share
    pose       where the nose lies between the eyes, and between eyes and mouth; how far the head is tilted

Two networks join in where their weights are there (`judges`): head pose, which also sees a head that looks up or down
and one without landmarks, and face quality, which is the sharper judge of sharpness. The Laplacian takes noise for
sharpness and a smooth, dim face for a blur. docs/accuracy.md has what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from workers.face.judges import PLAIN
from workers.vision import align
from workers.vision.align import tilt

if TYPE_CHECKING:
    from cv2.typing import MatLike

    from workers.face.judges import Judges
    from workers.face.pose import HeadPose
    from workers.inference.network import FloatArray
    from workers.vision.decode import Image
    from workers.vision.detection import Detection


@dataclass(frozen=True)
class Limits:
    """Chosen on 49 real photos so that all good ones pass; the ranges seen there stand beside."""

    eye_distance_px: float = 24.0  # 31 and more; a template of fewer pixels is a blur made larger
    sharpness: float = 60.0  # 154 and more; the same faces under a strong blur: below 40
    # 0.44 and more on 249 photos (SCRFD, YuNet), 0.52 and more on 95 % of them; dogs' faces 0.02 to 0.43, a face on its
    # head 0.29 in the median, one behind dark glasses 0.11.
    clarity: float = 0.43
    # What compare and verify need: of small, dark, blurred and compressed copies with less two thirds and more are
    # missed at a score of 0.7, of those with 0.4 to 0.45 a half.
    unfit: float = 0.4
    unfit_px: float = 22.0  # the height of a face: of 18 to 22 pixels 80 % are missed, of 22 to 26 a half
    # `detail_ratio`: 0.56 and more on 152 photos. Moved by a tenth of the face, of which more than one half are missed,
    # 0.28 in the median along a row and 0.41 aslant; by a twentieth 0.43.
    streaked: float = 0.36
    darkest: float = 35.0  # 55 to 183, and one of 21 that nobody could recognise
    brightest: float = 225.0
    burnt_out: float = 0.4  # at most 0.14 of the pixels
    nose_aside: float = 0.5  # at most 0.43 of the eye distance; about 40 degrees
    nose_high: float = 0.25  # 0.40 to 0.75 of the way from eyes to mouth
    nose_low: float = 0.9
    yaw_deg: float = 55.0  # at most 52, by the networks
    pitch_deg: float = 40.0  # -27 to 5, by the networks
    roll_deg: float = 50.0  # at most 41; beyond it a second engine sees no face, and the embedding begins to suffer


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
    Fault.SHARPNESS: "the face is not sharp: hold still, focus on the face, and let nothing cover it",
    Fault.LIGHT: "the light is bad: the face is too dark or too bright",
    Fault.POSE: "the face is turned away: look straight into the camera, head upright",
}


def faults(image: Image, face: Detection, judges: Judges = PLAIN, limits: Limits = LIMITS) -> tuple[Fault, ...]:
    """What is wrong, the most telling first; nothing for a good picture.

    A face without landmarks has a pose only if there is a network for it.
    """
    if face.landmarks is None:
        found = _without_landmarks(image, face, limits)
    else:
        found = _with_landmarks(image, face.landmarks, limits)
    if Fault.POSE not in found and _is_turned(judges.head_pose(image, face), face, limits):
        found.append(Fault.POSE)
    if not found:
        # It judges everything at once: only where no plain measure has a better word is it the sharpness.
        clarity = judges.how_clear(image, face)
        if clarity is not None and clarity < limits.clarity:
            found.append(Fault.SHARPNESS)
    return tuple(found)


def unfit(
    image: Image, face: Detection, clarity: float | None, *, is_poor: bool, limits: Limits = LIMITS
) -> tuple[Fault, ...]:
    """Return what makes a face one that is missed more often than it is known again; nothing for all others.

    `clarity` is LightQNet's score, or None where it was not asked for: then the embedding's length (`is_poor`) decides.
    A face that moved while the picture was taken is clear to LightQNet, so it is judged by itself (`detail_ratio`). The
    fault is named by the plain measures, so that the caller knows what to change.
    """
    if face.height < limits.unfit_px:
        return (Fault.SIZE,)
    moved = face.landmarks is not None and detail_ratio(_grey(image, face.landmarks)) < limits.streaked
    if not moved and (not is_poor if clarity is None else clarity >= limits.unfit):
        return ()
    plain = (
        _without_landmarks(image, face, limits)
        if face.landmarks is None
        else _with_landmarks(image, face.landmarks, limits)
    )
    return tuple(plain) or (Fault.SHARPNESS,)


# From the eyes' middle to the mouth's, of the distance between the eyes, in a face from the front (`align.PLACES`).
_MOUTH_OF_EYES = 1.15


def _with_landmarks(image: Image, landmarks: FloatArray, limits: Limits) -> list[Fault]:
    left_eye, right_eye, nose, left_mouth, right_mouth = landmarks.astype(np.float64)
    eyes = right_eye - left_eye
    distance = float(np.hypot(*eyes))
    from_eyes = nose - (left_eye + right_eye) / 2
    to_mouth = (left_mouth + right_mouth) / 2 - (left_eye + right_eye) / 2
    grey = _grey(image, landmarks)
    # A head that turns away brings its eyes together, and is no smaller for it.
    found = _size_light_sharpness(max(distance, float(np.hypot(*to_mouth)) / _MOUTH_OF_EYES), grey, image.gain, limits)
    # In the face's own axes: along the eyes, and at a right angle to them.
    along = eyes / max(distance, 1e-6)
    down = np.array([-along[1], along[0]])
    aside = float(from_eyes @ along) / max(distance, 1e-6)
    height = float(from_eyes @ down) / max(float(to_mouth @ down), 1e-6)
    if (
        abs(aside) > limits.nose_aside
        or not limits.nose_high <= height <= limits.nose_low
        or abs(tilt(landmarks)) > limits.roll_deg
    ):
        found.append(Fault.POSE)
    return found


def detail_ratio(grey: MatLike) -> float:
    """Return the least over the most fine detail among four directions of an aligned face, uint8[112, 112]: 0 to 1.

    Detail is the mean second difference in a row, a column and both diagonals; that of diagonals is raised by the root
    of two, by which it is smaller in faces that stand still. Movement takes detail away along its own direction, and
    nothing else does: small, unfocused, dark and compressed faces keep 0.47 and more.
    """
    face = grey[20:100, 20:92].astype(np.float32)
    centre = 2 * face[2:-2, 2:-2]
    detail = (
        np.abs(centre - face[2:-2, :-4] - face[2:-2, 4:]).mean(),
        np.abs(centre - face[:-4, 2:-2] - face[4:, 2:-2]).mean(),
        2**0.5 * np.abs(centre - face[1:-3, 1:-3] - face[3:-1, 3:-1]).mean(),
        2**0.5 * np.abs(centre - face[1:-3, 3:-1] - face[3:-1, 1:-3]).mean(),
    )
    return float(min(detail) / max(*detail, 1e-6))


def _grey(image: Image, landmarks: FloatArray) -> MatLike:
    return cv2.cvtColor(align.crop(image.pixels, landmarks), cv2.COLOR_BGR2GRAY)


def _is_turned(pose: HeadPose | None, face: Detection, limits: Limits) -> bool:
    if pose is None:
        return False
    # With landmarks the roll is known better, and has been looked at.
    roll = 0.0 if face.landmarks is not None else pose.roll
    return abs(pose.yaw) > limits.yaw_deg or abs(pose.pitch) > limits.pitch_deg or abs(roll) > limits.roll_deg


# Between the eyes' centres, of the width of dlib's box.
_EYES_OF_BOX = 0.42


def _without_landmarks(image: Image, face: Detection, limits: Limits) -> list[Fault]:
    x1, y1, x2, y2 = (round(float(edge)) for edge in face.box)
    inside = image.pixels[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]  # a box at the edge may be cut to a sliver
    grey = cv2.cvtColor(cv2.resize(inside, (align.SIDE, align.SIDE)), cv2.COLOR_BGR2GRAY)
    return _size_light_sharpness(_EYES_OF_BOX * face.width, grey, image.gain, limits)


def _size_light_sharpness(eye_distance_px: float, grey: MatLike, gain: float, limits: Limits) -> list[Fault]:
    """`grey` is the face, uint8[112, 112], made brighter by `gain`."""
    middle = grey[28:100, 26:86]  # without the corners, which in a tight crop lie outside the picture
    found: list[Fault] = []
    if eye_distance_px < limits.eye_distance_px:
        found.append(Fault.SIZE)
    if (
        not limits.darkest <= float(middle.mean()) / gain <= limits.brightest
        or float((middle > 250).mean()) > limits.burnt_out
    ):
        found.append(Fault.LIGHT)
    if float(cv2.Laplacian(grey, cv2.CV_64F).var()) < limits.sharpness:
        found.append(Fault.SHARPNESS)
    return found
