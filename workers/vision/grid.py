"""Detectors that answer for every cell of three grids laid over the picture: what SCRFD and YuNet have in common.

    image ─ letterbox ─ blob ─ network ─ decode ─ NMS ─ back to the image's pixels
              (top left, 640)               └ differs from one to the other, as the blob does

Where nothing is found the picture is looked at once more with a margin of half its size on every side: neither finds a
face that fills the picture (SCRFD found 13 of 22 crops from ID cards), and with the margin they do (22 of 22).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from workers.inference.network import warm_up
from workers.vision.detection import Detection, Detections, DetectionTimes, DetectOptions, Stopwatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workers.inference.network import FloatArray, Network
    from workers.vision.decode import Image

STRIDES = (8, 16, 32)  # of the grids, in pixels
SIDE = 640  # what the files were trained and measured with
# Heights and widths that are compiled where each costs memory: for 4:3 and all that is longer, both ways up, and for
# what is nearer to a square. A quarter of the time is what most photos gain; a fourth size would gain 16:9 a tenth.
SIZES = ((SIDE, SIDE), (480, SIDE), (SIDE, 480))
# Where none is compiled, as near as the coarsest grid allows.
ANY_SIZE = tuple(size for side in range(STRIDES[-1], SIDE + 1, STRIDES[-1]) for size in {(SIDE, side), (side, SIDE)})
MARGIN = 0.5  # of the picture's size, on every side, in the second look
# With a confidence near 0 every cell is a candidate; NMS is quadratic, and no picture has so many faces.
MAX_CANDIDATES = 3000


class Letterbox(NamedTuple):
    """How an image lies in the detector's input: `scale` and `offset` per axis, then the input's width and height."""

    scale: tuple[float, float]
    offset: tuple[int, int]
    placed: tuple[int, int]
    size: tuple[int, int]


class Candidates(NamedTuple):
    """Decoded cells in pixels of the detector's input: float32 [N], [N, 4] as x1 y1 x2 y2, and [N, 5, 2]."""

    scores: FloatArray
    boxes: FloatArray
    landmarks: FloatArray


class GridDetector(ABC):
    """See `Detector`. Keeps nothing between calls, so threads may share it."""

    def __init__(self, network: Network, model_id: str) -> None:
        self.model_id = model_id
        self._network = network
        self.networks = (network.loaded,)
        height, width = network.input_shape[2:4]
        # A free input size spares the rows and columns that would be padding: a 4:3 photo takes three quarters of the
        # time. On a GPU every new size costs a choice of kernels instead, and the batcher wants one size.
        free = ANY_SIZE if height is None and width is None and not network.on_gpu else ((SIDE, SIDE),)
        self._sizes = network.sizes or free

    @abstractmethod
    def _blob(self, canvas: NDArray[np.uint8]) -> FloatArray:
        """Return uint8[height, width, 3] BGR as the network's input, float32[1, 3, height, width]."""

    @abstractmethod
    def _decode(self, outputs: list[FloatArray], size: tuple[int, int], confidence: float) -> Candidates:
        """Return the cells with a confidence of at least `confidence`; `size` is the input's width and height."""

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Detector.detect`."""
        times = DetectionTimes()
        found = self._look(image.pixels, options, 0.0, times)
        return found if found.faces else self._look(image.pixels, options, MARGIN, times)

    def warm_up(self) -> None:
        """See `Detector.warm_up`: every size that was compiled, else the full one."""
        for size in self._network.sizes or ((SIDE, SIDE),):
            warm_up(self._network, (3, *size))

    def _look(
        self, pixels: NDArray[np.uint8], options: DetectOptions, margin: float, times: DetectionTimes
    ) -> Detections:
        watch = Stopwatch()
        height, width = pixels.shape[:2]
        frame = letterbox(width, height, margin, self._sizes)
        canvas = place(pixels, frame)
        times.preprocess_ms += watch.lap()
        blob = self._blob(canvas)
        times.blob_ms += watch.lap()
        outputs = self._network.run(blob)
        times.inference_ms += watch.lap()
        candidates = self._decode(outputs, frame.size, options.confidence)
        times.postprocess_ms += watch.lap()
        kept = suppress(candidates, options.nms_threshold)
        times.nms_ms += watch.lap()
        faces = to_image(candidates, kept, frame, (width, height))
        times.postprocess_ms += watch.lap()
        return Detections(
            faces=faces[: options.max_faces or None],
            detector=self.model_id,
            candidates_before_nms=len(candidates.scores),
            candidates_after_nms=len(kept),
            input_size=frame.size,
            scale=max(frame.placed) / max(width, height),
            times=times,
        )


def letterbox(width: int, height: int, margin: float, sizes: Sequence[tuple[int, int]]) -> Letterbox:
    """Where an image of `width` x `height` pixels goes, with `margin` of its size free on every side.

    The input is the smallest of `sizes`, heights and widths, that holds it; SIDE x SIDE is one of them.
    """
    scale = SIDE / ((1 + 2 * margin) * max(width, height))
    placed = max(1, round(width * scale)), max(1, round(height * scale))
    offset = round(placed[0] * margin), round(placed[1] * margin)
    across, down = (min(SIDE, there + 2 * free) for there, free in zip(placed, offset, strict=True))
    high, wide = min((size for size in sizes if size[0] >= down and size[1] >= across), key=math.prod)
    # Rounding to whole pixels makes the two axes differ a little; coordinates go back by what was really done.
    return Letterbox((placed[0] / width, placed[1] / height), offset, placed, (wide, high))


def place(pixels: NDArray[np.uint8], frame: Letterbox) -> NDArray[np.uint8]:
    """The detector's input as uint8[height, width, 3], black where the image is not."""
    canvas = np.zeros((frame.size[1], frame.size[0], 3), np.uint8)
    (left, top), (width, height) = frame.offset, frame.placed
    # Linear, as in training; INTER_AREA costs 5 ms on a megapixel and finds no more.
    canvas[top : top + height, left : left + width] = cv2.resize(
        pixels, (width, height), interpolation=cv2.INTER_LINEAR
    )
    return canvas


def suppress(candidates: Candidates, nms_threshold: float) -> NDArray[np.int64]:
    """Greedy non-maximum suppression: the indices of the candidates to keep, best first.

    A candidate goes if its IoU with a better one that stays is above `nms_threshold`.
    """
    if not len(candidates.scores):
        return np.empty(0, np.int64)
    corners, sizes = candidates.boxes[:, :2], candidates.boxes[:, 2:] - candidates.boxes[:, :2]
    kept = cv2.dnn.NMSBoxes(
        np.concatenate((corners, sizes), axis=1).tolist(),
        candidates.scores.tolist(),
        score_threshold=0.0,  # the confidence was applied before
        nms_threshold=nms_threshold,
        top_k=MAX_CANDIDATES,
    )
    return np.asarray(kept, np.int64).reshape(-1)


def to_image(
    candidates: Candidates, kept: NDArray[np.int64], frame: Letterbox, image_size: tuple[int, int]
) -> tuple[Detection, ...]:
    """The kept candidates in pixels of the image, boxes clipped to it, largest first."""
    scale, offset = np.asarray(frame.scale, np.float32), np.asarray(frame.offset, np.float32)
    limit = np.asarray(image_size, np.float32)
    boxes = np.clip((candidates.boxes[kept].reshape(-1, 2, 2) - offset) / scale, 0, limit).reshape(-1, 4)
    landmarks = (candidates.landmarks[kept] - offset) / scale
    faces = [
        Detection(box=box, confidence=float(score), landmarks=points)
        for box, score, points in zip(boxes, candidates.scores[kept], landmarks, strict=True)
    ]
    # In the margin of the second look there is nothing to find; what was found there has no area left.
    return tuple(sorted((face for face in faces if face.area > 0), key=lambda face: face.area, reverse=True))
