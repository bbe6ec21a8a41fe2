"""Engines: each a detector and an embedding that belong together.

    ezway       a detector and a recogniser of the settings (`pair`): SCRFD + ArcFace, or YuNet + one for commercial use
    applemango  YuNet + face_reidentification_retail_0095, in a process of its own (`isolated`)
    dlib        HOG + ResNet of dlib, in a process of its own: what remains where no weights can be fetched

What differs between them stays behind this Protocol: the models, the runtime, the dimension, and what a cosine means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from workers.inference.circuit import Parts, PartSlot

if TYPE_CHECKING:
    from shared.contracts import LoadedNetwork
    from workers.face.calibration import Calibration
    from workers.face.examined import Examined
    from workers.inference.network import FloatArray
    from workers.vision.decode import Image
    from workers.vision.detection import Detection, Detections, DetectOptions


NO_ENGINE = "no face engine answers; an operator can see why in the face worker's log and with `fidox doctor`"


class Engine(Protocol):
    """Blocking, and safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """How callers and transactions call it."""
        ...

    @property
    def model_id(self) -> str:
        """What made an embedding. Embeddings of two model ids are never compared."""
        ...

    @property
    def detector(self) -> str:
        """What finds the faces: the name that a detection is answered with."""
        ...

    @property
    def networks(self) -> tuple[LoadedNetwork, ...]:
        """What it computes with, as far as those are networks of `workers.inference`."""
        ...

    @property
    def dimension(self) -> int:
        """Of an embedding."""
        ...

    @property
    def calibration(self) -> Calibration:
        """From this model's cosine to the score that thresholds are set on."""
        ...

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """The faces of an image, in pixels of `image.pixels`, the largest first."""
        ...

    def embed(self, image: Image, face: Detection) -> FloatArray:
        """One face as float32[dimension], L2-normalised."""
        ...

    def examine(self, image: Image, face: Detection) -> Examined:
        """The same, and what the embedding says of how well the face could be seen."""
        ...

    def warm_up(self) -> None:
        """Run everything once, so that the first request does not pay for it."""
        ...


Engines: TypeAlias = Parts[Engine]
EngineSlot: TypeAlias = PartSlot[Engine]
