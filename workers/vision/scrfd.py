"""SCRFD (Guo et al. 2021, "Sample and Computation Redistribution for Efficient Face Detection").

The network says at each cell of three grids (8, 16 and 32 pixels wide), for two anchors each, how sure it is of a face
and how many cell widths its edges and landmarks lie from the cell's corner. Only what passes the confidence is decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.vision.grid import STRIDES, Candidates, GridDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray

ANCHORS = 2  # a cell
MEAN, SPREAD = 127.5, 128.0


class Scrfd(GridDetector):
    """One SCRFD file."""

    def _blob(self, canvas: NDArray[np.uint8]) -> FloatArray:
        return cast("FloatArray", cv2.dnn.blobFromImage(canvas, 1 / SPREAD, mean=(MEAN, MEAN, MEAN), swapRB=True))

    def _decode(self, outputs: list[FloatArray], size: tuple[int, int], confidence: float) -> Candidates:
        return decode(outputs, size, confidence)


def decode(outputs: list[FloatArray], size: tuple[int, int], confidence: float) -> Candidates:
    """The anchors with a score of at least `confidence`.

    `outputs` are nine arrays, score, box and landmarks of each stride, in the order of either export: [N, k] or
    [1, N, k], scores of all strides first, then boxes, then landmarks. `size` is the input's width and height.
    """
    scores: list[FloatArray] = []
    boxes: list[FloatArray] = []
    landmarks: list[FloatArray] = []
    for level, stride in enumerate(STRIDES):
        score = outputs[level].reshape(-1)
        kept = np.flatnonzero(score >= confidence)
        # The corner of an anchor's cell follows from its position, so there is no table of centres to keep.
        row, column = np.divmod(kept // ANCHORS, -(-size[0] // stride))
        corner = (np.stack((column, row), axis=-1) * stride).astype(np.float32)
        edges = outputs[level + 3].reshape(-1, 2, 2)[kept] * stride  # left and top, right and bottom, both outwards
        points = outputs[level + 6].reshape(-1, 5, 2)[kept] * stride
        scores.append(score[kept])
        boxes.append(np.concatenate((corner - edges[:, 0], corner + edges[:, 1]), axis=1))
        landmarks.append(corner[:, None] + points)
    return Candidates(np.concatenate(scores), np.concatenate(boxes), np.concatenate(landmarks))
