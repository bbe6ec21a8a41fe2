"""Deepfake: a face that a network has generated, or put in the place of another.

By itself Meso4 and MesoInception-4 (Afchar et al. 2018, "MesoNet: a Compact Facial Video Forgery Detection Network"),
trained on one kind of forgery of that year. They call newer forgeries real (shared/weights/cautions.py), and small,
blurred or recompressed real faces forged. FIDOX_DEEPFAKE_NETWORKS names others, which run by their forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from shared.weights.forms import Classifier as Form
from workers.inference.network import warm_up
from workers.inference.sessions import open_network
from workers.liveness.classifiers import Classifier, ClassifierCheck
from workers.liveness.crops import around
from workers.liveness.mesonet import as_onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from workers.inference.network import FloatArray
    from workers.liveness.checks import LivenessCheck

SIDE = 256
# About how the authors' own samples are cut: the whole head and little else. At 1.2 more real faces are called forged;
# from 1.8 on a forged face is lost among what is around it.
SCALE = 1.5
# From MesoNet's probability of "real" to a score. Below its threshold, 0.07, it is as it was. Above, where many real
# photos have 0.1 to 0.5 and none of 133 forgeries had less, it tells nothing: the score is the share of genuine faces
# that any picture has, 0.85 as in photo.py, and hardly rises.
KNOTS = np.array([[0.0, 0.0], [0.07, 0.07], [0.1, 0.85], [1.0, 0.9]])


def deepfake_check(settings: Inference, *located: Located) -> LivenessCheck:
    """Return the check on these networks. Raises WeightsError where one is not what its entry says."""
    if any(isinstance(one.weight.form, Form) for one in located):
        return ClassifierCheck([Classifier(settings, one) for one in located])
    return MesoNetCheck(settings, *located)


class MesoNetCheck:
    """See `LivenessCheck`."""

    def __init__(self, settings: Inference, meso4: Located, inception: Located) -> None:
        self.model_id = f"{meso4.weight.name}+{inception.weight.name}"
        self._networks = [open_network(located, settings, onnx=as_onnx(located.path)) for located in (meso4, inception)]
        self.networks = tuple(network.loaded for network in self._networks)

    def score(self, pixels: NDArray[np.uint8], box: FloatArray) -> float:
        """See `LivenessCheck.score`: the mean of both networks' probabilities of "real", through KNOTS."""
        face = around(pixels, box, SCALE, SIDE, square=True)
        blob = cast("FloatArray", cv2.dnn.blobFromImage(face, 1 / 255, swapRB=True))
        real = sum(float(network.run(blob)[0].item()) for network in self._networks) / len(self._networks)
        return float(np.interp(real, KNOTS[:, 0], KNOTS[:, 1]))

    def warm_up(self) -> None:
        """See `LivenessCheck.warm_up`."""
        for network in self._networks:
            warm_up(network, (3, SIDE, SIDE))
