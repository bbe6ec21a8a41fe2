"""Networks that give one face a probability of being genuine, run by their forms (shared/weights/forms.py).

    face ─┬─ network ─┬─ crop, edge repeated ─ log-odds ─┐
          │           └─ crop, moved inside  ─ log-odds ─┼─ mean ─ map ─ score
          └─ network ─── …                   ─ log-odds ─┘

The mean is one of log-odds, since a network's 0.98 and 0.9998 differ more than its 0.50 and 0.52, and each is limited:
a network that is sure beyond LIMIT for want of any experience with such a picture must not outvote all others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np

from shared.weights import WeightsError
from shared.weights.forms import Classifier as Form
from workers.inference.network import warm_up
from workers.inference.sessions import open_network
from workers.liveness.crops import around, leaves, middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from workers.inference.network import FloatArray

# A probability of 0.953. Chosen: from 2 to 7 the rates hardly differ (docs/liveness.md).
LIMIT = 3.0


class Logistic(NamedTuple):
    """A map from mean log-odds to a probability: 1 / (1 + exp(-slope * (log-odds - middle)))."""

    slope: float
    middle: float

    def __call__(self, log_odds: float) -> float:
        """Return the probability, 0..1; half at `middle`."""
        return 1 / (1 + math.exp(-self.slope * (log_odds - self.middle)))


# What the log-odds say themselves.
PLAIN = Logistic(1.0, 0.0)


class Classifier:
    """One network and its form. Keeps nothing between calls, so threads may share it."""

    def __init__(self, settings: Inference, located: Located, *, limit: float = LIMIT) -> None:
        """Open it; log-odds are within -limit..limit. Raises WeightsError where its form says another input."""
        form = located.weight.form
        if not isinstance(form, Form):
            raise WeightsError(f"{located.weight.name} has no form of a classifier, so it cannot be part of a check")
        self.name = located.weight.name
        self.form = form
        self._limit = limit
        self._network = open_network(located, settings)
        self.network = self._network.loaded
        expected = (3, form.side, form.side)
        takes = tuple(self._network.input_shape[1:])
        if len(takes) != len(expected) or any(
            one not in {None, other} for one, other in zip(takes, expected, strict=True)
        ):
            raise WeightsError(f"{self.name}: its form says an input of {expected}; the file takes {takes}")

    def log_odds(self, pixels: NDArray[np.uint8], box: FloatArray) -> list[float]:
        """Return the log-odds of "genuine" of each view.

        `pixels` is BGR uint8[height, width, 3]; `box` float32[4], x1 y1 x2 y2. Raises WeightsError where the output is
        not what the form says.
        """
        form = self.form
        if form.crop is None:
            return [self._one(middle(pixels, form.resize or form.side, form.side))]
        # Inside the picture every way is the same.
        edges = form.edges if leaves(pixels, box, form.crop, square=form.square) else form.edges[:1]
        seen = [self._one(around(pixels, box, form.crop, form.side, square=form.square, edge=edge)) for edge in edges]
        return seen * (len(form.edges) // len(seen))

    def warm_up(self) -> None:
        """Run it once, and see that its output is what the form says."""
        warm_up(self._network, (3, self.form.side, self.form.side))
        self._one(np.zeros((self.form.side, self.form.side, 3), np.uint8))

    def _one(self, shown: NDArray[np.uint8]) -> float:
        form = self.form
        if form.rgb:
            shown = cast("NDArray[np.uint8]", cv2.cvtColor(shown, cv2.COLOR_BGR2RGB))
        mean, spread = np.array(form.mean, np.float32), np.array(form.spread, np.float32)
        scaled = (shown.astype(np.float32) - mean) / spread
        values = self._network.run(np.ascontiguousarray(scaled.transpose(2, 0, 1)[None]))[0].reshape(-1)
        return max(-self._limit, min(self._limit, self._read(values.astype(np.float64))))

    def _read(self, values: NDArray[np.float64]) -> float:
        """Return the log-odds of "genuine" that an output means."""
        form = self.form
        if form.answer == "logit":
            if values.size != 1:
                raise WeightsError(f"{self.name}: its form says one logit; the file gives {values.size} values")
            return float(values[0]) if form.genuine else -float(values[0])
        if values.size < 2 or form.genuine >= values.size:
            raise WeightsError(
                f"{self.name}: its form says that class {form.genuine} is genuine; there are {values.size}"
            )
        if form.answer == "probabilities":
            values = np.log(np.maximum(values, 1e-12))
        others = np.delete(values, form.genuine)
        return float(values[form.genuine] - others.max() - np.log(np.exp(others - others.max()).sum()))


class ClassifierCheck:
    """See `LivenessCheck`: the mean of the log-odds of every view of every network, through `fitted`."""

    def __init__(self, classifiers: Sequence[Classifier], fitted: Logistic = PLAIN) -> None:
        self.model_id = "+".join(one.name for one in classifiers)
        self.networks = tuple(one.network for one in classifiers)
        self._classifiers = classifiers
        self._fitted = fitted

    def log_odds(self, pixels: NDArray[np.uint8], box: FloatArray) -> float:
        """Return the mean, before the map; see `score`."""
        views = [view for one in self._classifiers for view in one.log_odds(pixels, box)]
        return sum(views) / len(views)

    def score(self, pixels: NDArray[np.uint8], box: FloatArray) -> float:
        """See `LivenessCheck.score`."""
        return self._fitted(self.log_odds(pixels, box))

    def warm_up(self) -> None:
        """See `LivenessCheck.warm_up`."""
        for one in self._classifiers:
            one.warm_up()
