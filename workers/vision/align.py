"""A face turned and scaled so that its eyes, nose and mouth lie where an embedding was trained to see them.

The similarity transform (rotation, one scale, translation) that brings five landmarks closest to their places, in the
least-squares sense: Umeyama 1991, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns".
In two dimensions, with complex numbers for points, it has a closed form and needs no SVD.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray

SIDE = 112
# ArcFace's places of left eye, right eye, nose, left and right corner of the mouth in 112 x 112 (InsightFace).
PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)


def similarity(points: FloatArray, places: FloatArray = PLACES) -> NDArray[np.float64]:
    """The float64[2, 3] matrix that brings `points` to `places` (both float32[n, 2], n >= 2, not all in one point).

    With centred points p and places q as complex numbers, the least-squares rotation and scale is conj(p)·q / |p|².
    """
    source = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    target = places[:, 0].astype(np.float64) + 1j * places[:, 1]
    source_mean, target_mean = complex(source.mean()), complex(target.mean())
    centred = source - source_mean
    spread = float((np.abs(centred) ** 2).sum())
    turn = complex(cast("complex", np.vdot(centred, target - target_mean))) / spread if spread else complex(1)
    shift = target_mean - turn * source_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def tilt(landmarks: FloatArray) -> float:
    """By how many degrees a head is turned clockwise in the picture, by all five landmarks; right at any angle."""
    matrix = similarity(landmarks)
    return -math.degrees(math.atan2(float(matrix[1, 0]), float(matrix[0, 0])))


def crop(
    pixels: NDArray[np.uint8], landmarks: FloatArray, places: FloatArray = PLACES, side: int = SIDE
) -> NDArray[np.uint8]:
    """Return the face with its landmarks at `places`, uint8[side, side, 3]; black where it leaves the picture."""
    matrix = similarity(landmarks, places)
    return cast("NDArray[np.uint8]", cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_LINEAR))
