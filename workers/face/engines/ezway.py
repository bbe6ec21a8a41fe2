"""Engine `ezway`: SCRFD and ArcFace on ONNX Runtime, on CUDA where there is a GPU.

ArcFace: Deng et al. 2019, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition"; the weights were trained
on WebFace600K (w600k), with a MobileFaceNet or a ResNet-50.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.face import align
from workers.face.calibration import calibration_of
from workers.inference.network import warm_up
from workers.inference.sessions import open_network
from workers.vision.scrfd import Scrfd

if TYPE_CHECKING:
    from pathlib import Path

    from workers.inference.network import FloatArray
    from workers.vision.decode import Image
    from workers.vision.detection import Detection, Detections, DetectOptions

MEAN = SPREAD = 127.5
DIMENSION = 512


class Ezway:
    """See `Engine`. `detector` and `recogniser` are the names of the weights; the latter's is the model id."""

    name = "ezway"
    dimension = DIMENSION

    def __init__(self, detector: tuple[str, Path], recogniser: tuple[str, Path], *, threads: int = 1) -> None:
        self.model_id = recogniser[0]
        self.detector = detector[0]
        self.calibration = calibration_of(self.model_id)
        self._scrfd = Scrfd(open_network(detector[1], threads=threads), detector[0])
        self._arcface = open_network(recogniser[1], threads=threads)

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Engine.detect`."""
        return self._scrfd.detect(image, options)

    def embed(self, image: Image, face: Detection) -> FloatArray:
        """See `Engine.embed`."""
        if face.landmarks is None:
            raise ValueError("SCRFD gives landmarks with every face")
        aligned = align.crop(image.pixels, face.landmarks)
        blob = cast("FloatArray", cv2.dnn.blobFromImage(aligned, 1 / SPREAD, mean=(MEAN, MEAN, MEAN), swapRB=True))
        (embedding,) = self._arcface.run(blob)[0]
        return cast("FloatArray", embedding / np.linalg.norm(embedding))

    def warm_up(self) -> None:
        """See `Engine.warm_up`."""
        self._scrfd.warm_up()
        warm_up(self._arcface, (3, align.SIDE, align.SIDE))
