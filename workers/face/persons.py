"""How much the persons of a group differ in being mistaken for one another, and what that leaves uncertain.

All pairs of two persons are alike in how alike those two are, so the pairs of few persons say less than their number
promises. What is uncertain is therefore found by drawing *persons* with replacement (Efron 1979; for biometric pairs
Bolle, Ratha & Pankanti 2004, "Error analysis of pattern recognition systems: the subsets bootstrap"). A pair of the
persons i and j counts as often as both were drawn, w_i · w_j times; a person is never an impostor of themselves.

The draws are seeded: the same pictures give the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Table: TypeAlias = NDArray[np.float64]

DRAWS = 1000
SEED = 1979
# The two-sided 95 % interval.
LOW, HIGH = 0.025, 0.975
# Which person a rate is held for: the one that 95 % of all persons are less easily mistaken than, by the plotting
# position i / (n + 1) (Weibull; Gumbel 1958, section 1.2). Of fewer than 39 persons that is the hardest at hand, since
# others like them have harder ones; of many it is not the very hardest, who would be a twin. The average person's rate
# would leave half of the persons without protection.
HARD = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Persons:
    """The angles between pictures of a group's persons, summed by pairs of persons; each table is float64[k, k].

    `count`, `total` and `squares` are the number of impostor pairs, the sum of their angles and of the squares
    (radians); symmetric, with a diagonal of zeros.
    """

    names: tuple[str, ...]
    count: Table
    total: Table
    squares: Table


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """What a threshold does, by pairs of persons; each table is float64[k, k], symmetric.

    `match` are pairs at or above the threshold, `pairs` all of them. On the diagonal are the genuine pairs.
    """

    names: tuple[str, ...]
    match: Table
    pairs: Table

    @property
    def false_matches(self) -> Table:
        """Of each person, the share of impostor pairs that match: float64[k], NaN without a pair."""
        return _share(_off_diagonal(self.match).sum(1), _off_diagonal(self.pairs).sum(1))

    @property
    def false_non_matches(self) -> Table:
        """Of each person, the share of genuine pairs that do not match: float64[k], NaN without a pair."""
        pairs = np.diag(self.pairs)
        return _share(pairs - np.diag(self.match), pairs)

    def false_match_interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the false match rate by drawing persons."""
        match, pairs, drawn = _off_diagonal(self.match), _off_diagonal(self.pairs), draws(len(self.names))
        return _interval(_share(((drawn @ match) * drawn).sum(1), ((drawn @ pairs) * drawn).sum(1)))

    def false_non_match_interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the false non-match rate by drawing persons."""
        pairs, drawn = np.diag(self.pairs), draws(len(self.names))
        return _interval(_share(drawn @ (pairs - np.diag(self.match)), drawn @ pairs))


def persons_of(embeddings: NDArray[np.float32], persons: Sequence[str]) -> Persons:
    """Sum the angles of `embeddings`, float32[n, dimension], L2-normalised; `persons` names the person of each row."""
    names, count, (total, squares) = _by_pairs(
        embeddings, persons, lambda cosines: (angle := np.arccos(np.clip(cosines, -1, 1)), angle * angle)
    )
    for table in (count, total, squares):
        np.fill_diagonal(table, 0)
    return Persons(names, count, total, squares)


def errors_at(embeddings: NDArray[np.float32], persons: Sequence[str], cosine: float) -> Errors:
    """Count what matches at `cosine`, for the same arguments as `persons_of`."""
    names, pairs, (match,) = _by_pairs(
        embeddings, persons, lambda cosines: ((cosines >= np.float32(cosine)).astype(np.float64),)
    )
    # A picture with itself is no pair, though its cosine matches; every other genuine pair was counted twice.
    pictures = np.sqrt(np.diag(pairs))
    np.fill_diagonal(match, (np.diag(match) - pictures) / 2)
    np.fill_diagonal(pairs, (np.diag(pairs) - pictures) / 2)
    return Errors(names, match, pairs)


def highest_cosine(persons: Persons, false_match_rate: float) -> tuple[float, float]:
    """Return the cosine at which a hard person has this false match rate, and the upper end of its 95 % interval.

    Of one person's impostor pairs the angles are taken as normal: that is what can be said of rates beyond the number
    of pairs. (Angles, because a cosine near 1 has no room for a tail.) The hard person is the one at `HARD`. Returns
    (-1, -1) where there is no impostor pair.
    """
    drawn = np.vstack([np.ones(len(persons.names)), draws(len(persons.names))])
    count = drawn @ persons.count
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (drawn @ persons.total) / count
        deviation = np.sqrt(np.maximum((drawn @ persons.squares) / count - mean * mean, 0))
    quantile = NormalDist().inv_cdf(false_match_rate)
    cosines = np.cos(np.maximum(mean + quantile * deviation, 0))
    # Sorted by cosine, the first that as many of those drawn as `HARD` says do not exceed, or the last.
    weights = np.where(np.isnan(cosines), 0, drawn)
    order = np.argsort(cosines, axis=1)
    share = np.take_along_axis(weights, order, 1).cumsum(1)
    usable = share[:, -1] > 0
    if not usable[0]:
        return -1.0, -1.0
    needed = np.minimum(HARD * (share[:, -1:] + 1), share[:, -1:])
    positions = (share < needed - 1e-9).sum(1)
    found = np.take_along_axis(np.take_along_axis(cosines, order, 1), positions[:, np.newaxis], 1)[:, 0]
    return float(found[0]), float(np.quantile(found[usable], HIGH))


@cache
def draws(persons: int) -> Table:
    """How often each of `persons` was drawn in each of the draws: float64[DRAWS, persons]."""
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, persons, (DRAWS, persons))
    return np.stack([np.bincount(row, minlength=persons) for row in drawn]).astype(np.float64)


def _by_pairs(
    embeddings: NDArray[np.float32], persons: Sequence[str], of: Callable[[Table], tuple[Table, ...]]
) -> tuple[tuple[str, ...], Table, tuple[Table, ...]]:
    """Sum what `of` makes of the cosines by pairs of persons: names, the number of cosines, and the sums."""
    names, labels = np.unique(np.asarray(persons, np.str_), return_inverse=True)
    order = np.argsort(labels, kind="stable")
    rows, sizes = embeddings[order], np.bincount(labels, minlength=len(names))
    starts = np.concatenate([[0], sizes.cumsum()[:-1]]).astype(np.intp) if len(names) else np.zeros(0, np.intp)
    # One person at a time: the whole matrix of cosines would not fit for tens of thousands of pictures.
    sums: list[list[Table]] = []
    for start, size in zip(starts, sizes, strict=True):
        tables = of((rows[start : start + size] @ rows.T).astype(np.float64))
        sums.append([np.add.reduceat(table.sum(0), starts) for table in tables])
    count = np.outer(sizes, sizes).astype(np.float64)
    return tuple(names.tolist()), count, tuple(np.array(table) for table in zip(*sums, strict=True))


def _off_diagonal(table: Table) -> Table:
    return table - np.diag(np.diag(table))


def _share(part: Table, whole: Table) -> Table:
    with np.errstate(invalid="ignore", divide="ignore"):
        return part / whole


def _interval(rates: Table) -> tuple[float, float]:
    """Of draws in which there was a pair."""
    rates = rates[~np.isnan(rates)]
    if not rates.size:
        return 0.0, 1.0
    low, high = np.quantile(rates, (LOW, HIGH))
    return float(low), float(high)
