"""How well a face can be recognised, by a small network that learnt it from what recognition makes of a face.

LightQNet: Chen et al. 2021, "LightQNet: Lightweight Deep Face Quality Assessment for Risk-Controlled Face Recognition".
One number for everything: blur, noise, dark, compression, a face that is covered or stands on its head.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

import numpy as np

from workers.inference.optional import open_optional
from workers.vision import align

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import WeightStore
    from workers.inference.network import FloatArray, Network
    from workers.vision.decode import Image
    from workers.vision.detection import Detection

log = logging.getLogger(__name__)

WEIGHT = "lightqnet_dm100"
SIDE = 96
MIDDLE = SPREAD = 128.0
# The whole aligned face at the network's size. Its score orders spoilt photos by the harm done to their embedding with
# a rank correlation of 0.76; that of the detector's box, with 0.67.
PLACES = (align.PLACES * (SIDE / align.SIDE)).astype(np.float32)


class Clarity:
    """`network` is [1, 96, 96, 3] -> [1, 1]."""

    def __init__(self, network: Network) -> None:
        self.networks = (network.loaded,)
        self._network = network

    def of(self, pixels: NDArray[np.uint8], landmarks: FloatArray) -> float:
        """Return about 0 to 0.62 for the face whose `landmarks`, float32[5, 2], lie in BGR `pixels`.

        Good photos have 0.5 and more.
        """
        crop = align.crop(pixels, landmarks, PLACES, SIDE)
        blob = cast("FloatArray", (crop.astype(np.float32) - MIDDLE)[np.newaxis] / np.float32(SPREAD))
        return float(self._network.run(blob)[0].ravel()[0])

    def judge(self, image: Image, face: Detection) -> float | None:
        """Return `of` for a detected face; None for one without landmarks, and, with a line in the log, on a fault."""
        if face.landmarks is None:
            return None
        try:
            return self.of(image.pixels, face.landmarks)
        except Exception as error:  # noqa: BLE001 — whatever a session raises, the plain measures stand
            log.warning("no face quality: %s: %s", type(error).__name__, error)
            return None


def open_clarity(store: WeightStore, settings: Inference) -> Clarity | None:
    """Load the network; None, with a line in the log, where its weights are missing or cannot be loaded."""
    # In f32: in bf16 a face on its head passes as a sharp one.
    network = open_optional(store, WEIGHT, settings)
    return None if network is None else Clarity(network)
