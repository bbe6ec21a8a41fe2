"""From the cosine of two embeddings to a score in 0..1 that means the same for every model.

A score is a false match rate: at 0.7, where a login, verify and compare begin to match, one pair of strangers in a
thousand does, and at 0.6, monitoring's, one in a hundred, in the group of people that is told apart the worst. At which
cosine that is differs from model to model. The map is piecewise linear through the knots of `calibration.toml`, which
`workers.face.fit` makes; it rises strictly, so that it changes no ranking.
"""

from __future__ import annotations

import math
from importlib.resources import files
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from shared.weights import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

# The false match rates that are measured, and the scores that stand for them.
MONITORING, LOGIN = 0.01, 0.001
MONITORING_SCORE, LOGIN_SCORE = 0.6, 0.7


class Calibration(msgspec.Struct, frozen=True):
    """`knots` are (cosine, score), rising in both, from (-1, 0) to (1, 1)."""

    models: tuple[str, ...]
    measured: str
    knots: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        cosines, scores = zip(*self.knots, strict=True)
        if not (self.knots[0] == (-1, 0) and self.knots[-1] == (1, 1) and _rises(cosines) and _rises(scores)):
            raise ValueError(f"calibration of {', '.join(self.models)}: the knots must rise from (-1, 0) to (1, 1)")

    def score(self, cosine: float) -> float:
        """The score, 0..1, of a cosine; one a little outside -1..1 by rounding is taken as the end."""
        cosines, scores = zip(*self.knots, strict=True)
        return float(np.interp(cosine, cosines, scores))

    def cosine(self, score: float) -> float:
        """The cosine that a score stands for."""
        cosines, scores = zip(*self.knots, strict=True)
        return float(np.interp(score, scores, cosines))

    def cosine_at(self, false_match_rate: float) -> float:
        """The cosine that a pair of strangers reaches at this rate, 0 to 0.5 (exclusive), by the normal tail of `tail`.

        1 where the tail ends before: no cosine is proof enough then.
        """
        return tail(self.cosine(MONITORING_SCORE), self.cosine(LOGIN_SCORE), false_match_rate)


def tail(monitoring: float, login: float, false_match_rate: float) -> float:
    """Return the cosine of a false match rate, on the tail through the cosines of MONITORING and LOGIN.

    The angles of impostor pairs are taken as normal; two points give their mean and deviation. Angles, because a cosine
    near 1 has no room for a tail.
    """
    normal = NormalDist()
    steep = math.acos(monitoring) - math.acos(login)
    deviation = steep / (normal.inv_cdf(MONITORING) - normal.inv_cdf(LOGIN))
    mean = math.acos(login) - normal.inv_cdf(LOGIN) * deviation
    return math.cos(min(max(mean + normal.inv_cdf(false_match_rate) * deviation, 0), math.pi))


class _File(msgspec.Struct):
    calibration: tuple[Calibration, ...]


def _rises(values: tuple[float, ...]) -> bool:
    return all(low < high for low, high in pairwise(values))


# Read when the module is loaded, by the thread that imports it: msgspec's first look at a type is not safe in several
# threads at once (a worker loads its engines in threads, and one in sixty processes ended with SIGSEGV).
_ALL = msgspec.toml.decode(files("workers.face").joinpath("calibration.toml").read_bytes(), type=_File).calibration


def calibration_in(file: Path, model_id: str) -> Calibration:
    """Return the calibration of a model from a file of `fidox calibrate --out`.

    Raises WeightsError where it cannot be read or has none of this model, with what to do.
    """
    todo = f"write it with `fidox calibrate FOLDER --out {file}`"
    try:
        found = msgspec.toml.decode(file.read_bytes(), type=_File).calibration
    except OSError as error:
        raise WeightsError(f"{model_id}: its calibration {file} cannot be read ({error.strerror}); {todo}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{model_id}: its calibration {file}: {error}; {todo}") from None
    for calibration in found:
        if model_id in calibration.models:
            return calibration
    raise WeightsError(f"{model_id}: {file} has no calibration of it; {todo}")


def uncalibrated(model_id: str) -> Calibration:
    """Return a map for a model that is being measured: its scores mean nothing."""
    return Calibration(models=(model_id,), measured="not measured", knots=((-1, 0), (1, 1)))


def calibration_of(model_id: str) -> Calibration:
    """The calibration of a model. Raises KeyError for one that has none: its scores would mean nothing."""
    for calibration in _ALL:
        if model_id in calibration.models:
            return calibration
    raise KeyError(f"{model_id} has no calibration in workers/face/calibration.toml")
