"""Error rates, their intervals and the fitted map, on numbers whose answers are known."""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest

from workers.face import fit
from workers.face.calibration import Calibration
from workers.face.fit import FitError, Group, Pairs, false_match, false_non_match, lowest_cosine, together, wilson
from workers.face.persons import errors_at, highest_cosine, persons_of


def pairs(genuine, impostor) -> Pairs:
    return Pairs(np.sort(np.asarray(genuine, np.float32)), np.sort(np.asarray(impostor, np.float32)))


def at_angles(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)


def people(random, persons: int, pictures: int, *, alike: float = 0.0, own: float = 0.8, dimension: int = 128) -> Group:
    """Persons around one face that all of a group share (`alike`, 0..1), `own` of each picture being the person's."""
    common = random.normal(size=dimension)
    faces = alike * common + (1 - alike) * random.normal(size=(persons, dimension))
    rows = own * np.repeat(faces, pictures, 0) + (1 - own) * random.normal(size=(persons * pictures, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Group(rows.astype(np.float32), [f"p{n}" for n in range(persons) for _ in range(pictures)])


def as_calibration(made: fit.Fit) -> Calibration:
    """Refuses knots that do not rise from (-1, 0) to (1, 1)."""
    return Calibration(models=("m",), measured="", knots=made.knots)


def test_every_two_pictures_are_one_pair():
    made = together({"g": Group(at_angles(0, 60, 90, 90), ["a", "a", "b", "b"])})
    assert made.genuine == pytest.approx([0.5, 1.0], abs=1e-6)
    sine60 = math.sqrt(3) / 2
    assert made.impostor == pytest.approx([0, 0, sine60, sine60], abs=1e-6)


def test_persons_of_two_groups_are_no_pair():
    groups = {"g": Group(at_angles(0, 60), ["a", "b"]), "h": Group(at_angles(0, 60), ["a", "a"])}
    made = together(groups)
    assert made.genuine == made.impostor == pytest.approx([0.5], abs=1e-6)


@pytest.mark.parametrize(
    ("persons", "missing"), [(["a", "b"], "two usable pictures"), (["a", "a"], "one person"), ([], "two usable")]
)
def test_a_set_without_pairs_of_one_kind_is_refused(persons, missing):
    with pytest.raises(FitError, match=missing):
        together({"g": Group(np.eye(len(persons), 4, dtype=np.float32), persons)})


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(errors, trials, low, high):
    rate = wilson(errors, trials)
    assert (rate.low, rate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert rate.value == errors / trials


def test_an_interval_of_nothing_says_nothing():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    assert wilson(5, 5).high == 1


def test_errors_are_counted_by_person_and_a_pair_at_the_threshold_matches():
    cosine = float(at_angles(0)[0] @ at_angles(60)[0])
    errors = errors_at(at_angles(0, 60, 90, 10), ["a", "a", "b", "c"], cosine)
    assert errors.names == ("a", "b", "c")
    match, missed = false_match(errors), false_non_match(errors)
    # a-b: 90° and 30°; a-c: 10° and 50°; b-c: 80°. a with itself: 60°, which is the threshold.
    assert (match.errors, match.trials) == (3, 5)
    assert (missed.errors, missed.trials) == (0, 1)
    assert errors.false_matches == pytest.approx([3 / 4, 1 / 3, 2 / 3])
    assert errors.false_non_matches[0] == 0
    assert np.isnan(errors.false_non_matches[1:]).all()


def test_rates_and_pairs_agree():
    group = people(np.random.default_rng(8), 9, 5, alike=0.4)
    for cosine in (0.1, 0.3, 0.5, 0.7):
        errors = group.errors(cosine)
        match, missed = false_match(errors), false_non_match(errors)
        assert match.errors == (group.pairs.impostor >= np.float32(cosine)).sum()
        assert match.trials == group.pairs.impostor.size == 36 * 25
        assert missed.errors == (group.pairs.genuine < np.float32(cosine)).sum()
        assert missed.trials == group.pairs.genuine.size == 9 * 10


def test_an_interval_by_persons_is_wider_where_one_person_makes_the_errors():
    """Ten people, two of them one face: as many errors as of independent pairs, and less known of others."""
    random = np.random.default_rng(7)
    group = people(random, 10, 6, own=0.9)
    twins = group.embeddings.copy()
    twins[:6] = twins[6:12]
    match = false_match(errors_at(twins, group.persons, 0.7))
    plain = wilson(match.errors, match.trials)
    assert match.errors >= 36
    assert match.low == 0.0 < plain.low
    assert match.high > 2 * plain.high
    assert match == false_match(errors_at(twins, group.persons, 0.7)), "the draws are seeded"


def test_the_cosine_of_a_rate_is_the_normal_tail_of_the_angles():
    """Of many persons who are all equally alike, the hard person is as the others, and the interval is narrow."""
    group = people(np.random.default_rng(6), 300, 2, alike=0.5)
    angles = np.arccos(group.pairs.impostor.astype(np.float64))
    expected = math.cos(angles.mean() + NormalDist().inv_cdf(0.001) * angles.std())
    cosine, upper = highest_cosine(persons_of(group.embeddings, group.persons), 0.001)
    assert cosine == pytest.approx(expected, abs=0.04)
    assert cosine < upper < cosine + 0.02
    assert lowest_cosine(group.pairs, 0.001) == pytest.approx(cosine, abs=0.05)


def test_the_map_is_made_for_the_worst_group_and_moved_by_no_other():
    random = np.random.default_rng(4)
    easy, hard = people(random, 40, 3), people(random, 40, 3, alike=0.5)
    made = fit.fit({"easy": easy, "hard": hard})
    assert "hard person of hard" in made.placed
    assert made.knots == fit.fit({"hard": hard}).knots
    assert made.target > fit.fit({"easy": easy}).target
    calibration = as_calibration(made)
    assert calibration.cosine(0.7) == pytest.approx(made.target)
    for score, most in ((0.7, 0.001), (0.6, 0.01)):
        for group in (easy, hard):
            assert false_match(group.errors(calibration.cosine(score))).value <= most


def test_fewer_persons_are_met_with_a_higher_cosine():
    """The same people, photographed in smaller groups: what is less certain is asked for more."""
    group = people(np.random.default_rng(3), 60, 3, alike=0.3)
    few = [Group(group.embeddings[at : at + 15], group.persons[at : at + 15]) for at in range(0, 180, 15)]
    targets = [fit.fit({"few": one}).target for one in few]
    assert np.mean(targets) > fit.fit({"all": group}).target


def test_what_was_not_photographed_is_held_too():
    """The map of half of the persons holds its rate among the other half."""
    group = people(np.random.default_rng(2), 80, 3, alike=0.4)
    half = len(group.persons) // 2
    target = fit.fit({"seen": Group(group.embeddings[:half], group.persons[:half])}).target
    unseen = Group(group.embeddings[half:], group.persons[half:])
    assert false_match(unseen.errors(target)).value <= 0.001


def test_the_lowest_cosine_of_few_pairs_lies_above_the_highest():
    assert lowest_cosine(pairs([], [0.1, 0.25]), 0.001) == pytest.approx(0.2501, abs=1e-4)
    assert lowest_cosine(pairs([0.5], []), 0.001) == -1


@pytest.mark.parametrize(
    ("rows", "persons"),
    [
        (at_angles(0, 0, 180), ["a", "a", "b"]),
        (at_angles(0, 180, 0), ["a", "a", "b"]),
        (at_angles(0, 0, 0, 0), ["a", "a", "b", "b"]),
        (at_angles(0, 90, 90), ["a", "a", "b"]),
        (at_angles(0, 1, 1.5, 2), ["a", "a", "b", "c"]),
        (at_angles(0, 0.2, 0.1), ["a", "a", "b"]),
    ],
)
def test_the_map_rises_strictly_whatever_the_pairs_are(rows, persons):
    calibration = as_calibration(fit.fit({"g": Group(rows, persons)}))
    assert calibration.score(-1) == 0
    assert calibration.score(1) == 1


def test_the_map_rises_strictly_on_random_sets():
    random = np.random.default_rng(3)
    for _ in range(60):
        size = random.integers(2, 6, 2)
        group = people(random, *size, alike=random.uniform(0, 1), own=random.uniform(0, 1), dimension=8)
        calibration = as_calibration(fit.fit({"g": group}))
        scores = [calibration.score(cosine) for cosine in np.linspace(-1, 1, 101)]
        assert all(low < high for low, high in pairwise(scores))


def test_a_small_set_is_called_small_and_a_large_one_is_not():
    random = np.random.default_rng(1)
    small = {"small": people(random, 5, 2)}
    told = fit.warnings(small, {"small": 0.0})
    assert [line.split()[:2] for line in told] == [["small:", "5"], ["small:", "40"], ["small:", "5"]]
    assert "7.50%" in told[1]
    assert fit.warnings({"large": people(random, 100, 4)}, {"large": 0.0}) == []


def test_an_engine_that_refuses_nearly_everybody_is_called_so():
    group = people(np.random.default_rng(1), 100, 4)
    (told,) = fit.warnings({"g": group}, {"g": 0.85})
    assert "misses 85% of the genuine pairs" in told
