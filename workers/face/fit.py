"""From labelled embeddings to error rates and to a calibration: the arithmetic of `fidox calibrate`.

Every two pictures of a group make a pair: genuine where they show one person, impostor otherwise. A threshold on the
cosine has

    false match rate       the share of impostor pairs at or above it
    false non-match rate   the share of genuine pairs below it

and `fit` lays a map from cosine to score on which a score *is* a false match rate, in the group in which it is the
highest (see SCALE).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workers.face.calibration import LOGIN, LOGIN_SCORE, MONITORING, MONITORING_SCORE, tail
from workers.face.persons import Errors, errors_at, highest_cosine, persons_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cosines: TypeAlias = NDArray[np.float32]
Knots: TypeAlias = tuple[tuple[float, float], ...]

# Two-sided 95 % of the normal distribution.
Z95 = 1.959964
# What a score means: the false match rate. 0.6 and 0.7 are where monitoring and login match, and the two that are
# measured; those around them come from the tail through both. A tenth is a power of ten down to one in ten thousand,
# and less beyond, so that there is room up to the cosine 1.
SCALE = (
    (0.5, 0.1),
    (0.1, 0.5),
    (MONITORING, MONITORING_SCORE),
    (LOGIN, LOGIN_SCORE),
    (1e-4, 0.8),
    (1e-5, 0.85),
    (1e-6, 0.88),
    (1e-7, 0.9),
)
LEAST_GAP = 0.0005  # between the cosines of two knots, so that rounding to 4 places never makes two of them equal
# Rule of three: where none of n pairs fails, the rate is below 3/n with 95 % confidence (ISO/IEC 19795-1, annex B).
ENOUGH_IMPOSTOR = 3000  # for a false match rate of one in a thousand
ENOUGH_GENUINE = 300  # for a false non-match rate of one in a hundred
ENOUGH_PERSONS = 100  # chosen: pairs of few persons repeat the same faces, and say little of others
# Where an engine misses more than this at 0.7 it holds the false match rate by refusing nearly everybody.
TOO_MANY_MISSED = 0.5


class FitError(ValueError):
    """The pictures make no pairs of one kind; the message says what is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The cosines of all pairs, float32, sorted."""

    genuine: Cosines
    impostor: Cosines


@dataclass(frozen=True, eq=False)
class Group:
    """Pictures of persons who may be mistaken for one another: float32[n, dimension], L2-normalised, and whose each is.

    Pairs are made within a group alone: that persons of two groups look different says nothing about either.
    """

    embeddings: NDArray[np.float32]
    persons: Sequence[str]

    @cached_property
    def pairs(self) -> Pairs:
        """Either kind of pair may be missing."""
        return every_pair(self.embeddings, self.persons)

    def errors(self, cosine: float) -> Errors:
        """What matches at `cosine`, by person."""
        return errors_at(self.embeddings, self.persons, cosine)


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `trials`, with the 95 % interval `low` to `high`; all of them shares in 0..1."""

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


def every_pair(embeddings: NDArray[np.float32], persons: Sequence[str]) -> Pairs:
    """All pairs of `embeddings`, float32[n, dimension], L2-normalised; `persons` names the person of each row."""
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


def together(groups: Mapping[str, Group]) -> Pairs:
    """The pairs within all groups. Raises FitError where there is no genuine or no impostor pair."""
    found = [group.pairs for group in groups.values()]
    pairs = Pairs(
        np.sort(np.concatenate([one.genuine for one in found])),
        np.sort(np.concatenate([one.impostor for one in found])),
    )
    if not pairs.genuine.size:
        raise FitError("no person has two usable pictures; add some")
    if not pairs.impostor.size:
        raise FitError("there is only one person; add folders of others")
    return pairs


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


def false_match(errors: Errors) -> Rate:
    """The rate of a group, with an interval that takes in both Wilson's and that of other persons.

    Drawing persons says nothing where no pair failed, and Wilson's takes pairs of the same persons as independent.
    """
    match, pairs = errors.match - np.diag(np.diag(errors.match)), errors.pairs - np.diag(np.diag(errors.pairs))
    return _widened(round(match.sum() / 2), round(pairs.sum() / 2), errors.false_match_interval())


def false_non_match(errors: Errors) -> Rate:
    """As `false_match`, of the genuine pairs."""
    match, pairs = np.diag(errors.match), np.diag(errors.pairs)
    return _widened(round(pairs.sum() - match.sum()), round(pairs.sum()), errors.false_non_match_interval())


def _widened(errors: int, trials: int, interval: tuple[float, float]) -> Rate:
    rate = wilson(errors, trials)
    return Rate(errors, trials, min(rate.low, interval[0]), max(rate.high, interval[1])) if trials else rate


def lowest_cosine(pairs: Pairs, false_match_rate: float) -> float:
    """Return the lowest cosine, in steps of 0.0001, that no larger share of the impostor pairs reaches.

    Of too few pairs for the rate it lies above the highest.
    """
    if not pairs.impostor.size:
        return -1.0
    allowed = int(false_match_rate * pairs.impostor.size)
    highest_refused = float(pairs.impostor[-1 - allowed])
    return (math.floor(highest_refused * 10_000) + 1) / 10_000


def fit(groups: Mapping[str, Group]) -> Fit:
    """The map on which 0.7 is a false match rate of one in a thousand in the worst of `groups`, and 0.6 one in 100.

    Of each group the cosine is taken that is high enough for its hard persons (`persons.HARD`), whoever else had been
    photographed (the upper end of the interval by drawing persons), and for all its pairs as they are: a rate that
    holds on average protects neither the group nor the person for whom it does not hold. The highest of the groups'
    cosines is the map's.

    The other knots lie on the normal tail of the angle that goes through these two (see SCALE). The genuine pairs move
    nothing: what a threshold costs in misses is reported, not weighed against who is let in. Raises FitError where no
    group has an impostor pair.
    """
    usable = {name: group for name, group in groups.items() if group.pairs.impostor.size}
    if not usable:
        raise FitError("there is only one person; add folders of others")
    at: dict[float, tuple[float, str]] = {}
    for rate in (MONITORING, LOGIN):
        at[rate] = max((_limit(group, rate), name) for name, group in usable.items())
    target, worst = at[LOGIN]
    target = min(max(target, -1 + 4 * LEAST_GAP), 1 - 5 * LEAST_GAP)
    monitoring = min(max(at[MONITORING][0], -1 + 3 * LEAST_GAP), target - LEAST_GAP)
    knots = _knots(monitoring, target)
    group = usable[worst]
    placed = (
        f"where one in a thousand impostor pairs of a hard person of {worst} match, at the upper end of the 95 %"
        f" interval over its {len(set(group.persons))} persons"
    )
    return Fit(knots, next(cosine for cosine, score in knots if score == LOGIN_SCORE), placed)


def _limit(group: Group, rate: float) -> float:
    _, upper = highest_cosine(persons_of(group.embeddings, group.persons), rate)
    pairs = group.pairs
    # Of fewer pairs the highest cosine would be the limit, which is no measure of a rate.
    return max(upper, lowest_cosine(pairs, rate)) if rate * pairs.impostor.size >= 1 else upper


def _knots(monitoring: float, login: float) -> Knots:
    """The tail through both cosines, at the rates of SCALE, between the ends of the scale; strictly rising."""
    cosines = [tail(monitoring, login, rate) for rate, _ in SCALE]
    # Room for every knot on either side, the two that were measured first.
    fixed = [rate for rate, _ in SCALE].index(LOGIN)
    cosines[fixed - 1 : fixed + 1] = monitoring, login
    for position in range(fixed + 1, len(cosines)):
        most = 1 - (len(cosines) - position) * LEAST_GAP
        cosines[position] = min(max(cosines[position], cosines[position - 1] + LEAST_GAP), most)
    for position in range(fixed - 2, -1, -1):
        least = -1 + (position + 1) * LEAST_GAP
        cosines[position] = max(min(cosines[position], cosines[position + 1] - LEAST_GAP), least)
    inner = ((round(cosine, 4), score) for cosine, (_, score) in zip(cosines, SCALE, strict=True))
    return ((-1.0, 0.0), *inner, (1.0, 1.0))


def warnings(groups: Mapping[str, Group], missed: Mapping[str, float]) -> list[str]:
    """What these groups are too small to say; nothing for those that are large enough.

    `missed` is the false non-match rate at 0.7 of the groups that have genuine pairs.
    """
    found: list[str] = []
    for name, group in groups.items():
        persons, pairs = len(set(group.persons)), group.pairs
        if persons < ENOUGH_PERSONS:
            found.append(
                f"{name}: {persons} persons are few: the pairs repeat the same faces ({ENOUGH_PERSONS} or more are"
                " wanted)"
            )
        if pairs.impostor.size < ENOUGH_IMPOSTOR:
            least = f"{3 / pairs.impostor.size:.2%}" if pairs.impostor.size else "100%"
            found.append(
                f"{name}: {pairs.impostor.size} impostor pairs cannot show a false match rate below {least}"
                f" ({ENOUGH_IMPOSTOR} or more are wanted)"
            )
        if pairs.genuine.size < ENOUGH_GENUINE:
            least = f"{min(3 / pairs.genuine.size, 1):.2%}" if pairs.genuine.size else "100%"
            found.append(
                f"{name}: {pairs.genuine.size} genuine pairs cannot show a false non-match rate below {least}"
                f" ({ENOUGH_GENUINE} or more are wanted)"
            )
        if missed.get(name, 0.0) > TOO_MANY_MISSED:
            found.append(
                f"{name}: at 0.7 the engine misses {missed[name]:.0%} of the genuine pairs: it keeps strangers out by"
                " refusing nearly everybody, and is no recogniser for such faces"
            )
    return found
