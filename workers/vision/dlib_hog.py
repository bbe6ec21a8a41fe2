"""dlib's face detector: HOG and a linear classifier, five of them for five directions of the head.

It needs no weights and no network, and sees fewer faces than SCRFD: hardly any below 40 pixels or turned away by more
than about 30 degrees. Its objects keep buffers, so it is not safe to share between threads.

Dalal & Triggs 2005, "Histograms of Oriented Gradients for Human Detection".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import cv2
import dlib
import numpy as np

from workers.vision.decode import Image
from workers.vision.detection import Detection, Detections, DetectionTimes, DetectOptions, Stopwatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_ID = "dlib_hog"
# A picture is looked at with this longer side, doubled once: faces from 4% of it on. Measured on 14 photos: 75 ms and
# every face; 640 pixels not doubled 53 ms and all but one; 640 doubled 217 ms.
SIDE = 500
DOUBLED = 1
# As for SCRFD: a face that fills the picture is found with a margin around it (16 to 17 of 30 tight crops, without 11).
MARGIN = 0.25
# HOG's score is a distance to a hyperplane: above 0 it is a face, and good ones have 1 to 3. The logistic curve puts
# 0 at a confidence of 0.5 and 1.5 at 0.95.
STEEPNESS = 2.0


class DlibHog:
    """See `Detector`, but for threads."""

    model_id = MODEL_ID
    networks = ()

    def __init__(self) -> None:
        self._detector = cast("Any", dlib).get_frontal_face_detector()

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Detector.detect`. dlib suppresses overlaps itself: `nms_threshold` has no effect."""
        found = self._look(image, options, 0.0)
        return found if found.faces else self._look(image, options, MARGIN)

    def warm_up(self) -> None:
        """See `Detector.warm_up`."""
        self.detect(Image.of(np.full((300, 300, 3), 128, np.uint8)), DetectOptions())

    def _look(self, image: Image, options: DetectOptions, margin: float) -> Detections:
        times, watch = DetectionTimes(), Stopwatch()
        height, width = image.pixels.shape[:2]
        border = round(max(width, height) * margin)
        pixels = cv2.cvtColor(image.pixels, cv2.COLOR_BGR2RGB)
        if border:
            pixels = cv2.copyMakeBorder(pixels, border, border, border, border, cv2.BORDER_CONSTANT)
        scale = min(1.0, SIDE / max(pixels.shape[:2]))
        small = cast("NDArray[np.uint8]", cv2.resize(pixels, None, fx=scale, fy=scale) if scale < 1 else pixels)
        times.preprocess_ms = watch.lap()
        lowest = _score(options.confidence)
        boxes, scores, _ = self._detector.run(small, DOUBLED, lowest)
        times.inference_ms = watch.lap()
        faces = [
            Detection(
                box=np.clip(
                    np.array([box.left(), box.top(), box.right(), box.bottom()], np.float32) / scale - border,
                    0,
                    np.array([width, height, width, height], np.float32),
                ),
                confidence=1 / (1 + math.exp(-STEEPNESS * score)),
                landmarks=None,
            )
            for box, score in zip(boxes, scores, strict=True)
        ]
        faces = sorted((face for face in faces if face.area > 0), key=lambda face: face.area, reverse=True)
        times.postprocess_ms = watch.lap()
        return Detections(
            faces=tuple(faces[: options.max_faces or None]),
            detector=MODEL_ID,
            candidates_before_nms=len(faces),
            candidates_after_nms=len(faces),
            input_size=(small.shape[1] << DOUBLED, small.shape[0] << DOUBLED),
            scale=scale * 2**DOUBLED,
            times=times,
        )


def _score(confidence: float) -> float:
    """HOG's score for a confidence; the ends are cut where dlib would list the whole picture, or nothing ever."""
    bounded = min(max(confidence, 0.02), 0.999)
    return math.log(bounded / (1 - bounded)) / STEEPNESS
