"""From the cosine of two embeddings to a score in 0..1 that means the same for every model.

A score of 0.7 is where a login, verify, compare and identify begin to match, 0.6 where monitoring does; at which cosine
a model is that sure differs from model to model. The map is piecewise linear through the knots of `calibration.toml`,
strictly rising, so that it changes no ranking.
"""

from __future__ import annotations

from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from shared.weights import WeightsError

if TYPE_CHECKING:
    from pathlib import Path


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
