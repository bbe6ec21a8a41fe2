"""An engine of any detector with landmarks and any recogniser: what is loaded is decided by the settings.

Engine `ezway` is SCRFD + ArcFace w600k, or, of weights that allow commercial use, YuNet + ArcFace LResNet100E-IR or
retail-0095.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.face.examined import Examined
    from workers.face.recognisers import Recogniser
    from workers.inference.network import FloatArray
    from workers.vision.decode import Image
    from workers.vision.detection import Detection, Detections, DetectOptions
    from workers.vision.detectors import Detector


class Pair:
    """See `Engine`. The model id is the recogniser's: what found a face does not change what its embedding means."""

    def __init__(self, name: str, detector: Detector, recogniser: Recogniser) -> None:
        self.name = name
        self.detector = detector.model_id
        self.model_id = recogniser.model_id
        self.dimension = recogniser.dimension
        self.networks = (*detector.networks, recogniser.network)
        self.calibration = recogniser.calibration
        self._detector = detector
        self._recogniser = recogniser

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Engine.detect`."""
        return self._detector.detect(image, options)

    def embed(self, image: Image, face: Detection) -> FloatArray:
        """See `Engine.embed`. Raises ValueError for a face without landmarks."""
        return self._recogniser.embed(image, face)

    def examine(self, image: Image, face: Detection) -> Examined:
        """See `Engine.examine`. Raises ValueError for a face without landmarks."""
        return self._recogniser.examine(image, face)

    def warm_up(self) -> None:
        """See `Engine.warm_up`."""
        self._detector.warm_up()
        self._recogniser.warm_up()
