"""Which way up a card is: the lines say so.

Text stands along its lines, so where most outlines are taller than wide the picture lies on its side. Upright or upside
down is told line by line by a small network (PaddleOCR's text line classifier), and the lines vote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.inference.network import warm_up
from workers.inference.sessions import open_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from workers.inference.network import FloatArray

WIDTH, HEIGHT = 192, 48
# The widest lines vote: a short one (a date's dash, a seal) looks the same both ways up.
VOTERS = 12
# Of a line's height; a smaller outline says nothing of its direction.
ELONGATED = 1.5


class LineOrientation:
    """The network; keeps nothing between calls, so threads may share it."""

    def __init__(self, located: Located, settings: Inference) -> None:
        self.name = located.weight.name
        self._network = open_network(located, settings)
        self.network = self._network.loaded

    def upside_down(self, lines: Sequence[NDArray[np.uint8]]) -> float:
        """How sure it is that these lines (BGR uint8[h, w, 3]) stand on their heads, -1 (upright) to 1."""
        if not lines:
            return 0.0
        batch = np.zeros((len(lines), 3, HEIGHT, WIDTH), np.float32)
        for place, line in enumerate(lines):
            width = min(WIDTH, max(1, round(HEIGHT * line.shape[1] / line.shape[0])))
            # Padded with the mean, which is 0 after normalisation, as in its training.
            resized = cv2.resize(line, (width, HEIGHT)).astype(np.float32) / 127.5 - 1
            batch[place, :, :, :width] = resized.transpose(2, 0, 1)
        probabilities = self._network.run(batch)[0]
        return float((probabilities[:, 1] - probabilities[:, 0]).mean())

    def warm_up(self) -> None:
        """Run it once."""
        warm_up(self._network, (3, HEIGHT, WIDTH))


def lies_on_its_side(boxes: FloatArray) -> bool:
    """Do most of these outlines, float32[n, 4, 2], stand rather than lie? The longer ones count for more."""
    across, down = sizes(boxes)
    standing = down > ELONGATED * across
    lying = across > ELONGATED * down
    return float(down[standing].sum()) > float(across[lying].sum())


def voters(boxes: FloatArray) -> NDArray[np.int64]:
    """The indices of the lines that are asked which way up they are."""
    across, down = sizes(boxes)
    return cast("NDArray[np.int64]", np.argsort(-across / np.maximum(down, 1))[:VOTERS])


def sizes(boxes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How long outlines float32[n, 4, 2] are across and down, float32[n] each."""
    across = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1) + np.linalg.norm(boxes[:, 2] - boxes[:, 3], axis=1)
    down = np.linalg.norm(boxes[:, 3] - boxes[:, 0], axis=1) + np.linalg.norm(boxes[:, 2] - boxes[:, 1], axis=1)
    return across / 2, down / 2
