"""Engine `dlib`: HOG detector, five landmarks and ResNet embedding, which come with a Python package (public domain).

It is what remains where no weights can be fetched: it finds faces, if fewer than the others, in about 0.2 s a picture.
It hardly tells people apart. On faces of East Asia a half of all pairs of two persons are nearer than its authors'
threshold, so its calibration asks for so much that it recognises little more than the same photo (docs/accuracy.md).
Users who were enrolled by it alone should be registered again once another engine is there.

dlib holds Python's interpreter lock while it embeds, so a worker runs it in a process of its own (`IsolatedEngine`).

The network is a ResNet of 29 convolutions (after He et al. 2016), trained by D. King; two faces of one person are
said to be nearer than 0.6 in its space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import dlib
import numpy as np

from workers.face.calibration import calibration_of
from workers.face.examined import Examined
from workers.vision.decode import Image
from workers.vision.detection import Detection
from workers.vision.dlib_hog import DlibHog

if TYPE_CHECKING:
    from workers.inference.network import FloatArray
    from workers.vision.detection import Detections, DetectOptions

MODEL_ID = "dlib_resnet_v1"
DIMENSION = 128


class DlibResnet:
    """See `Engine`. Not safe to share between threads: dlib's objects keep buffers."""

    name = "dlib"
    model_id = MODEL_ID
    dimension = DIMENSION
    networks = ()

    def __init__(self, landmarks: str, embedding: str) -> None:
        """Load the files at these paths."""
        self.calibration = calibration_of(MODEL_ID)
        self._hog = DlibHog()
        self.detector = self._hog.model_id
        library = cast("Any", dlib)
        self._landmarks = library.shape_predictor(landmarks)
        self._network = library.face_recognition_model_v1(embedding)
        self._rectangle = library.rectangle

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Engine.detect`."""
        return self._hog.detect(image, options)

    def embed(self, image: Image, face: Detection) -> FloatArray:
        """See `Engine.embed`."""
        pixels = cv2.cvtColor(image.pixels, cv2.COLOR_BGR2RGB)
        shape = self._landmarks(pixels, self._rectangle(*(round(float(edge)) for edge in face.box)))
        embedding = np.array(self._network.compute_face_descriptor(pixels, shape), np.float32)
        return cast("FloatArray", embedding / np.linalg.norm(embedding))

    def examine(self, image: Image, face: Detection) -> Examined:
        """See `Engine.examine`. dlib's embeddings say nothing by their length."""
        return Examined(self.embed(image, face))

    def warm_up(self) -> None:
        """See `Engine.warm_up`."""
        self._hog.warm_up()
        grey = Image.of(np.full((300, 300, 3), 128, np.uint8))
        self.embed(grey, Detection(np.array([75, 75, 225, 225], np.float32), 1.0, None))
