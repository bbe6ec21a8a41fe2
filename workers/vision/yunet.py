"""YuNet (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector"); OpenCV Zoo's 2023mar file, under MIT.

At each cell of three grids (8, 16 and 32 pixels wide) the network answers once:

    cls, obj    how much it looks like a face, how well the box fits: together the score
    box         its centre in cell widths from the cell's corner, the logarithms of its sides in cell widths
    landmarks   in cell widths from the cell's corner, in our order (left to right as one looks at the picture)

The decoding is that of OpenCV's `FaceDetectorYN` (modules/objdetect/src/face_detect.cpp), for all cells at once. What
differs is the confidence, see EXPONENT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.vision.grid import STRIDES, Candidates, GridDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray

# YuNet scores higher than SCRFD: at a score of 0.5 it has 25 false faces in the three WIDER crowds at hand, where SCRFD
# 500m has none at its 0.5, and it takes flags beside a head for faces of the same size. At a score of 0.73 it has 3 and
# no photo of one person has a second face. That score is put at a confidence of 0.5, so that one default serves both
# detectors. What a tight crop loses by it, the second look finds: of 95 close portraits, most of them masked, 91.
# score ** 2.2 is monotone, 0 at 0 and 1 at 1.
EXPONENT = 2.2


class Yunet(GridDetector):
    """One YuNet file; keeps nothing between calls, so threads may share it."""

    def _blob(self, canvas: NDArray[np.uint8]) -> FloatArray:
        return cast("FloatArray", cv2.dnn.blobFromImage(canvas))  # BGR, 0..255

    def _decode(self, outputs: list[FloatArray], size: tuple[int, int], confidence: float) -> Candidates:
        return decode(outputs, size, confidence)


def decode(outputs: list[FloatArray], size: tuple[int, int], confidence: float) -> Candidates:
    """The cells with a confidence of at least `confidence`.

    `outputs` are twelve arrays, cls[1, N, 1], obj[1, N, 1], box[1, N, 4] and landmarks[1, N, 10], each for the three
    strides in order. `size` is the input's width and height.
    """
    scores: list[FloatArray] = []
    boxes: list[FloatArray] = []
    landmarks: list[FloatArray] = []
    for level, stride in enumerate(STRIDES):
        likeness, fit = (np.clip(output.reshape(-1), 0, 1) for output in (outputs[level], outputs[level + 3]))
        box, points = outputs[level + 6].reshape(-1, 4), outputs[level + 9].reshape(-1, 5, 2)
        # The score is the geometric mean of the two.
        score = (likeness * fit) ** (EXPONENT / 2)
        kept = np.flatnonzero(score >= confidence)
        row, column = np.divmod(kept, size[0] // stride)
        corner = np.stack((column, row), axis=-1).astype(np.float32)
        centre, half = corner + box[kept, :2], cast("FloatArray", np.exp(box[kept, 2:]) / 2)
        scores.append(score[kept])
        boxes.append(np.concatenate((centre - half, centre + half), axis=1) * stride)
        landmarks.append((corner[:, None] + points[kept]) * stride)
    return Candidates(np.concatenate(scores), np.concatenate(boxes), np.concatenate(landmarks))
