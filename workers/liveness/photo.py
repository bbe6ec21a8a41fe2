"""Print and screen: a face that was photographed from paper or from a display.

Two MiniFASNets (Silent-Face-Anti-Spoofing, minivision 2020), one that sees the face closely and one that sees more of
what is around it: the frame of a screen, the edge of a sheet. Either alone misses one of the four spoofs that were
tried, the mean of both none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.inference.network import warm_up
from workers.inference.sessions import open_network
from workers.liveness.crops import around

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from workers.inference.network import FloatArray

SIDE = 80
# What each was trained on: the box about its centre, so many times as large.
SCALES = (2.7, 4.0)
REAL = 1  # of three classes; the others are spoofs in two and in three dimensions


class PhotoCheck:
    """See `LivenessCheck`. `near` is MiniFASNetV2 at 2.7, `wide` MiniFASNetV1SE at 4.0."""

    def __init__(self, settings: Inference, near: Located, wide: Located) -> None:
        self.model_id = f"{near.weight.name}+{wide.weight.name}"
        self._networks = [open_network(located, settings) for located in (near, wide)]
        self.networks = tuple(network.loaded for network in self._networks)

    def score(self, pixels: NDArray[np.uint8], box: FloatArray) -> float:
        """See `LivenessCheck.score`: the mean of both networks' probabilities of "real"."""
        real: list[float] = []
        for network, scale in zip(self._networks, SCALES, strict=True):
            # BGR and 0..255: these two exports take the pixels as they are.
            blob = cast("FloatArray", cv2.dnn.blobFromImage(around(pixels, box, scale, SIDE)))
            real.append(softmax(network.run(blob)[0][0])[REAL])
        return sum(real) / len(real)

    def warm_up(self) -> None:
        """See `LivenessCheck.warm_up`."""
        for network in self._networks:
            warm_up(network, (3, SIDE, SIDE))


def softmax(logits: FloatArray) -> list[float]:
    """Probabilities of float32[n] logits."""
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    return cast("list[float]", (powers / powers.sum()).tolist())
