"""From labelled embeddings to error rates and to a calibration: the arithmetic of `fidox calibrate`.

Every two pictures make a pair: genuine where they show one person, impostor otherwise. A threshold on the cosine has

    false match rate       the share of impostor pairs at or above it
    false non-match rate   the share of genuine pairs below it

and `fit` lays a map from cosine to score so that 0.7 stands between the two kinds (see `Fit.placed`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cosines: TypeAlias = NDArray[np.float32]
Knots: TypeAlias = tuple[tuple[float, float], ...]

# Two-sided 95 % of the normal distribution.
Z95 = 1.959964
# The ends that 0.7 lies between: of a thousand impostor pairs one is above, of a hundred genuine pairs one is below.
IMPOSTOR_QUANTILE, IMPOSTOR_Z = 0.999, 3.0902
GENUINE_QUANTILE, GENUINE_Z = 0.01, -2.3263
ANCHOR = 0.7
# Where between the impostors' median (score 0.1) and the anchor the knots below it lie: the shape that the first,
# hand-laid map had. 0.6 (monitoring) is a fifth of the way down.
BELOW = ((0.0, 0.1), (0.625, 0.45), (0.8, 0.6))
LEAST_GAP = 0.002  # between the cosines of two knots, so that rounding to 4 places never makes two of them equal
# Rule of three: where none of n pairs fails, the rate is below 3/n with 95 % confidence (ISO/IEC 19795-1, annex B).
ENOUGH_IMPOSTOR = 3000  # for a false match rate of one in a thousand
ENOUGH_GENUINE = 300  # for a false non-match rate of one in a hundred
ENOUGH_PERSONS = 100  # chosen: pairs of few persons repeat the same faces, and say little of others


class FitError(ValueError):
    """The pictures make no pairs of one kind; the message says what is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The cosines of all pairs, float32, sorted."""

    genuine: Cosines
    impostor: Cosines


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `trials`, with the 95 % Wilson interval `low` to `high`; all of them shares in 0..1."""

    errors: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share; 0 where there was no trial."""
        return self.errors / self.trials if self.trials else 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """A map from cosine to score. `target` is the cosine of score 0.7; `placed` says in words why it lies there."""

    knots: Knots
    target: float
    placed: str


def pair_up(embeddings: NDArray[np.float32], persons: Sequence[str]) -> Pairs:
    """All pairs of `embeddings`, float32[n, dimension], L2-normalised; `persons` names the person of each row.

    Raises FitError where there is no genuine or no impostor pair.
    """
    pairs = every_pair(embeddings, persons)
    if not pairs.genuine.size:
        raise FitError("no person has two usable pictures; add some")
    if not pairs.impostor.size:
        raise FitError("there is only one person; add folders of others")
    return pairs


def every_pair(embeddings: NDArray[np.float32], persons: Sequence[str]) -> Pairs:
    """As `pair_up`, but either kind of pair may be missing."""
    labels = np.unique(np.asarray(persons), return_inverse=True)[1] if persons else np.empty(0, int)
    genuine: list[Cosines] = [np.empty(0, np.float32)]
    impostor: list[Cosines] = [np.empty(0, np.float32)]
    # Row by row: the whole matrix would take twice the memory, and indices as much again.
    for row in range(len(labels) - 1):
        cosines = embeddings[row + 1 :] @ embeddings[row]
        same = labels[row + 1 :] == labels[row]
        genuine.append(cosines[same])
        impostor.append(cosines[~same])
    return Pairs(np.sort(np.concatenate(genuine)), np.sort(np.concatenate(impostor)))


def wilson(errors: int, trials: int) -> Rate:
    """A rate with its score interval (Wilson 1927), which is right for few trials and for no errors, too.

    It takes the pairs as independent. Pairs that share a picture are not, so the truth is wider for few persons.
    """
    if not trials:
        return Rate(0, 0, 0.0, 1.0)
    share, squared = errors / trials, Z95 * Z95
    middle = (share + squared / (2 * trials)) / (1 + squared / trials)
    reach = Z95 / (1 + squared / trials) * math.sqrt(share * (1 - share) / trials + squared / (4 * trials * trials))
    # At the ends the interval is exact; rounding would leave 1e-18 there.
    low = 0.0 if errors == 0 else middle - reach
    high = 1.0 if errors == trials else middle + reach
    return Rate(errors, trials, low, high)


def false_match(pairs: Pairs, cosine: float) -> Rate:
    """Of impostor pairs, those at or above `cosine`."""
    return wilson(int((pairs.impostor >= cosine).sum()), pairs.impostor.size)


def false_non_match(pairs: Pairs, cosine: float) -> Rate:
    """Of genuine pairs, those below `cosine`."""
    return wilson(int((pairs.genuine < cosine).sum()), pairs.genuine.size)


def lowest_cosine(pairs: Pairs) -> float:
    """Return the lowest cosine, in steps of 0.0001, that at most one in a thousand impostor pairs reaches.

    Of fewer than a thousand pairs it lies above the highest.
    """
    if not pairs.impostor.size:
        return -1.0
    allowed = int((1 - IMPOSTOR_QUANTILE) * pairs.impostor.size)
    highest_refused = float(pairs.impostor[-1 - allowed])
    return (math.floor(highest_refused * 10_000) + 1) / 10_000


def fit(pairs: Pairs, strangers: Mapping[str, Pairs] | None = None) -> Fit:
    """The map whose 0.7 stands between impostors and genuine pairs.

    Cosine of score 0.7: the middle between the impostors' upper and the genuine pairs' lower end. An end is the
    quantile (99.9 % and 1 %), or what a normal distribution of the same mean and spread has there, whichever is nearer
    to the other kind: the extreme of a few pairs is no measure of the tail. Where these ends cross, the plain quantiles
    are taken, and where those cross too, the impostors' quantile: a false match is the worse error.

    `strangers` are pairs of further groups by name. Where more than one in a thousand impostor pairs of any of them
    would match at 0.7, it moves up until they do not: a rate that holds on average does not protect the group in which
    it does not hold.

    The knots around it: the impostors' median is 0.1, the genuine pairs' median 0.9, and the ends of the scale are
    fixed, so that the map rises strictly whatever the pairs are.
    """
    target, placed = _target(pairs)
    floors = {name: lowest_cosine(group) for name, group in (strangers or {}).items()}
    if floors and (hardest := max(floors, key=floors.__getitem__)) and floors[hardest] > target:
        count = strangers[hardest].impostor.size if strangers else 0
        placed = f"where one in a thousand of {count} impostor pairs of {hardest} match; without them {placed}"
        target = floors[hardest]
    low, high = float(np.median(pairs.impostor)), float(np.median(pairs.genuine))
    # Room for every knot on either side, in this order of precedence: the anchor, then the medians.
    target = min(max(target, -1 + 10 * LEAST_GAP), 1 - 3 * LEAST_GAP)
    low = min(max(low, -1 + LEAST_GAP), target - 8 * LEAST_GAP)
    high = min(max(high, target + LEAST_GAP), 1 - LEAST_GAP)
    below = [(round(low + share * (target - low), 4), score) for share, score in BELOW]
    knots = ((-1.0, 0.0), *below, (round(target, 4), ANCHOR), (round(high, 4), 0.9), (1.0, 1.0))
    return Fit(knots, round(target, 4), placed)


def _target(pairs: Pairs) -> tuple[float, str]:
    # "higher" and "lower" take a pair that was seen; on few pairs these are the extremes.
    top = float(np.quantile(pairs.impostor, IMPOSTOR_QUANTILE, method="higher"))
    bottom = float(np.quantile(pairs.genuine, GENUINE_QUANTILE, method="lower"))
    careful_top = max(top, float(pairs.impostor.mean() + IMPOSTOR_Z * pairs.impostor.std()))
    careful_bottom = min(bottom, float(pairs.genuine.mean() + GENUINE_Z * pairs.genuine.std()))
    if careful_top < careful_bottom:
        words = "the middle between the impostors' upper end {:.3f} and the genuine pairs' lower end {:.3f}"
        return (careful_top + careful_bottom) / 2, words.format(careful_top, careful_bottom)
    if top < bottom:
        words = "the middle between the highest impostors {:.3f} and the lowest genuine pairs {:.3f}; the tails overlap"
        return (top + bottom) / 2, words.format(top, bottom)
    words = "the impostors' 99.9 % quantile, since impostors ({:.3f}) and genuine pairs ({:.3f}) overlap"
    return top, words.format(top, bottom)


def warnings(pairs: Pairs, persons: int) -> list[str]:
    """What this set is too small to say; nothing for one that is large enough."""
    found: list[str] = []
    if persons < ENOUGH_PERSONS:
        found.append(
            f"{persons} persons are few: the pairs repeat the same faces, and the intervals are too narrow"
            f" ({ENOUGH_PERSONS} or more are wanted)"
        )
    if pairs.impostor.size < ENOUGH_IMPOSTOR:
        found.append(
            f"{pairs.impostor.size} impostor pairs cannot show a false match rate below {3 / pairs.impostor.size:.2%}"
            f" ({ENOUGH_IMPOSTOR} or more are wanted)"
        )
    if pairs.genuine.size < ENOUGH_GENUINE:
        found.append(
            f"{pairs.genuine.size} genuine pairs cannot show a false non-match rate below"
            f" {min(3 / pairs.genuine.size, 1):.2%} ({ENOUGH_GENUINE} or more are wanted)"
        )
    return found
