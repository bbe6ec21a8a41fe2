"""Mask: a face that is partly covered.

AIZOO's FaceMaskDetection (2020), a single-shot detector with the classes "mask" and "no mask". It looks at twice the
face's box, so that the face that is meant is the middle half of what it sees, and only anchors that lie there count.
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

SIDE = 260
SCALE = 2.0
# The five grids, the two anchor sizes of each as shares of the input, and the shapes, as AIZOO trained them.
GRIDS = (33, 17, 9, 5, 3)
SIZES = ((0.04, 0.056), (0.08, 0.11), (0.16, 0.22), (0.32, 0.45), (0.64, 0.72))
RATIOS = (1.0, 0.62, 0.42)
VARIANCES = (0.1, 0.2)  # of centre and size, as in SSD (Liu et al. 2016)
# The face that is meant, in a crop of twice its box; a detection is of it from this IoU on.
MEANT = (0.25, 0.25, 0.75, 0.75)
SAME_FACE = 0.3


class MaskCheck:
    """See `LivenessCheck`."""

    def __init__(self, settings: Inference, located: Located) -> None:
        self.model_id = located.weight.name
        self._network = open_network(located, settings)
        self.networks = (self._network.loaded,)
        self._anchors = anchors()

    def score(self, pixels: NDArray[np.uint8], box: FloatArray) -> float:
        """See `LivenessCheck.score`: of the surest detection of this face, the share of "no mask".

        A detector that is sure of neither leaves it at the little that it gives "no mask", and one that sees no face
        here at all at 0: a face that was found before and that it cannot make out is not seen to be bare. None of the
        77 faces that were measured came out so.
        """
        face = around(pixels, box, SCALE, SIDE)
        blob = cv2.cvtColor(face, cv2.COLOR_BGR2RGB)[None].astype(np.float32) / np.float32(255)
        # The two have another order in each container that the network is published in.
        offsets, classes = sorted(
            (output[0] for output in self._network.run(blob)), key=lambda output: -output.shape[1]
        )
        near = np.flatnonzero(overlap(boxes(self._anchors, offsets)) >= SAME_FACE)
        if not near.size:
            return 0.0
        mask, bare = (float(value) for value in classes[near[classes[near].max(axis=1).argmax()]])
        # The two are no distribution: a doubtful detection has much of both, or little.
        return bare / max(1.0, mask + bare)

    def warm_up(self) -> None:
        """See `LivenessCheck.warm_up`."""
        warm_up(self._network, (SIDE, SIDE, 3))


def anchors() -> FloatArray:
    """The 5,972 anchors as float32[5972, 4], x y of the centre, width, height, in shares of the input.

    Each cell has both sizes as squares, and the smaller one in the two upright shapes, too.
    """
    levels: list[FloatArray] = []
    for grid, (small, large) in zip(GRIDS, SIZES, strict=True):
        shapes = [(small, small), (large, large)]
        shapes += [(small * ratio**0.5, small / ratio**0.5) for ratio in RATIOS[1:]]
        y, x, shape = np.meshgrid(np.arange(grid), np.arange(grid), np.arange(len(shapes)), indexing="ij")
        centres = (np.stack((x, y), axis=-1) + 0.5) / grid
        levels.append(np.concatenate((centres, np.array(shapes)[shape]), axis=-1).reshape(-1, 4).astype(np.float32))
    return np.concatenate(levels)


def boxes(priors: FloatArray, offsets: FloatArray) -> FloatArray:
    """What the network says of each anchor as float32[n, 4], x1 y1 x2 y2 in shares of the input."""
    centres = priors[:, :2] + offsets[:, :2] * VARIANCES[0] * priors[:, 2:]
    halves = priors[:, 2:] * np.exp(offsets[:, 2:] * VARIANCES[1]) / 2
    return cast("FloatArray", np.concatenate((centres - halves, centres + halves), axis=1))


def overlap(found: FloatArray) -> FloatArray:
    """The IoU of each box with MEANT."""
    meant = np.array(MEANT, np.float32)
    common = np.clip(np.minimum(found[:, 2:], meant[2:]) - np.maximum(found[:, :2], meant[:2]), 0, None).prod(axis=1)
    union = (found[:, 2:] - found[:, :2]).prod(axis=1) + (meant[2:] - meant[:2]).prod() - common
    return cast("FloatArray", common / union)
