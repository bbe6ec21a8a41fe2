"""Which way a head is turned, in degrees, by two small networks together.

FSA-Net: Yang et al. 2019, "FSA-Net: Learning Fine-Grained Structure Aggregation for Head Pose Estimation from a Single
Image"; of its variants the one with 1 x 1 convolutions and the one with variances, whose mean is better than either.

They were trained on heads that are nearly upright: of a picture that is turned by 60 degrees they say anything. So the
head is first put upright by its landmarks. Measured on 8 photos, turned by up to 60 degrees in the plane: yaw and pitch
then have a standard deviation of under a degree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.vision import align

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workers.inference.network import FloatArray, Network
    from workers.vision.detection import Detection

SIDE = 64
MEAN, SPREAD = 127.5, 128.0
# Of the face's side, on each side of it. Measured on 41 photos: mirrored, yaw is off by 2.3 degrees on average with
# 0.2, 1.7 with 0.3 and 1.4 with 0.4; from there on the black around a tight crop begins to count as pitch.
MARGIN = 0.3


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees. `yaw` is positive where the nose points to the picture's left edge, `pitch` where it points up.

    `roll` is positive where the head is turned clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float


class HeadPoses:
    """The mean of `networks`, each [1, 3, 64, 64] -> yaw, pitch, roll."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = tuple(network.loaded for network in networks)
        self._networks = networks

    def of(self, pixels: NDArray[np.uint8], face: Detection) -> HeadPose:
        """The pose of a face. One without landmarks is taken as it stands: right up to a roll of 35 degrees."""
        roll = 0.0 if face.landmarks is None else align.tilt(face.landmarks)
        blob = cv2.dnn.blobFromImage(_upright(pixels, face, roll), 1 / SPREAD, mean=(MEAN, MEAN, MEAN))
        answers = [network.run(cast("FloatArray", blob))[0][0] for network in self._networks]
        yaw, pitch, rest = (float(angle) for angle in np.mean(answers, axis=0))
        return HeadPose(yaw, pitch, roll + rest)


def _upright(pixels: NDArray[np.uint8], face: Detection, roll: float) -> NDArray[np.uint8]:
    """The head with its margin, turned back by `roll`: uint8[64, 64, 3], black outside the picture."""
    # Of the area, which a turn in the plane changes least of all that a box has.
    side = max(math.sqrt(face.area), 1.0) * (1 + 2 * MARGIN)
    # A larger crop is averaged down: sampled once a pixel, sharp hair and skin would be noise.
    size = SIDE * min(math.ceil(side / SIDE), 8)
    scale = size / side
    x, y = (float(edge) for edge in (face.box[:2] + face.box[2:]) / 2)
    cosine, sine = scale * math.cos(math.radians(roll)), scale * math.sin(math.radians(roll))
    matrix = np.array(
        [[cosine, sine, size / 2 - cosine * x - sine * y], [-sine, cosine, size / 2 + sine * x - cosine * y]]
    )
    crop = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return cast("NDArray[np.uint8]", cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
