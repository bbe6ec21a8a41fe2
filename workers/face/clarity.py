"""How well a face can be recognised, by a small network that learnt it from what recognition makes of a face.

LightQNet: Chen et al. 2021, "LightQNet: Lightweight Deep Face Quality Assessment for Risk-Controlled Face Recognition".
One number for everything: blur, noise, dark, compression, a face that is covered or stands on its head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from workers.face import align

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.inference.network import FloatArray, Network

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
        """About 0 to 0.62; good photos have 0.37 and more."""
        crop = align.crop(pixels, landmarks, PLACES, SIDE)
        blob = cast("FloatArray", (crop.astype(np.float32) - MIDDLE)[np.newaxis] / np.float32(SPREAD))
        return float(self._network.run(blob)[0].ravel()[0])
