"""What a detector answers, whichever detector it is: faces, what was left out, and where the time went."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.contracts import Detecting
    from workers.inference.network import FloatArray


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """What one call asks for: `confidence` and `nms_threshold` (an IoU) in 0..1; `max_faces` 0 for no limit."""

    confidence: float = 0.5
    nms_threshold: float = 0.4
    max_faces: int = 0

    @classmethod
    def of(cls, operation: Detecting) -> DetectOptions:
        """What an operation asks for."""
        return cls(operation.confidence, operation.nms_threshold, operation.max_faces)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face, in pixels of the decoded image.

    `box` is float32[4], x1 y1 x2 y2, inside the image. `landmarks` is float32[5, 2] as x, y: the eye, then the other
    eye from left to right as one looks at the picture, the nose, the left and the right corner of the mouth. They may
    lie outside a face that the edge cuts. None from a detector that has no such points.
    """

    box: FloatArray
    confidence: float
    landmarks: FloatArray | None

    @property
    def width(self) -> float:
        """Of the box, in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def height(self) -> float:
        """Of the box, in pixels."""
        return float(self.box[3] - self.box[1])

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        return self.width * self.height


@dataclass(slots=True)
class DetectionTimes:
    """Milliseconds, summed over the passes that a picture took."""

    preprocess_ms: float = 0.0
    blob_ms: float = 0.0
    inference_ms: float = 0.0
    postprocess_ms: float = 0.0
    nms_ms: float = 0.0

    def __add__(self, other: DetectionTimes) -> DetectionTimes:
        """Return the times of both looks together."""
        return DetectionTimes(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Detections:
    """The faces of one image, largest first; how many candidates there were, and what the detector looked at.

    `input_size` is width and height of the detector's input in pixels, `scale` its size over the decoded image's.
    """

    faces: tuple[Detection, ...]
    detector: str
    candidates_before_nms: int
    candidates_after_nms: int
    input_size: tuple[int, int]
    scale: float
    times: DetectionTimes


class Stopwatch:
    """Milliseconds from lap to lap."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap, or since the start."""
        now = time.perf_counter()
        elapsed, self._last = now - self._last, now
        return elapsed * 1000.0
