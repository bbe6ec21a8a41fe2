"""Error rates, their intervals and the fitted map, on numbers whose answers are known."""

import math
from itertools import pairwise

import numpy as np
import pytest

from workers.face.calibration import Calibration
from workers.face.fit import (
    FitError,
    Pairs,
    false_match,
    false_non_match,
    fit,
    lowest_cosine,
    pair_up,
    warnings,
    wilson,
)


def pairs(genuine, impostor) -> Pairs:
    return Pairs(np.sort(np.asarray(genuine, np.float32)), np.sort(np.asarray(impostor, np.float32)))


def as_calibration(made: Pairs) -> Calibration:
    """Refuses knots that do not rise from (-1, 0) to (1, 1)."""
    return Calibration(models=("m",), measured="", knots=fit(made).knots)


def test_every_two_pictures_are_one_pair():
    angles = np.radians([0, 60, 90, 90])
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    made = pair_up(vectors, ["a", "a", "b", "b"])
    assert made.genuine == pytest.approx([0.5, 1.0], abs=1e-6)
    sine60 = math.sqrt(3) / 2
    assert made.impostor == pytest.approx([0, 0, sine60, sine60], abs=1e-6)


@pytest.mark.parametrize(
    ("persons", "missing"), [(["a", "b"], "two usable pictures"), (["a", "a"], "one person"), ([], "two usable")]
)
def test_a_set_without_pairs_of_one_kind_is_refused(persons, missing):
    with pytest.raises(FitError, match=missing):
        pair_up(np.eye(len(persons), 4, dtype=np.float32), persons)


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


def test_a_pair_at_the_threshold_matches():
    made = pairs([0.25, 0.5, 0.75], [0.0, 0.5])
    assert false_match(made, 0.5).errors == 1
    assert false_non_match(made, 0.5).errors == 1


def test_the_anchor_lies_between_what_separates():
    rng = np.random.default_rng(1)
    made = pairs(rng.normal(0.65, 0.05, 500), rng.normal(0.0, 0.05, 5000))
    target = fit(made).target
    # 99.9 % of N(0, 0.05) is 0.155 and 1 % of N(0.65, 0.05) is 0.534.
    assert target == pytest.approx((0.155 + 0.534) / 2, abs=0.02)
    assert as_calibration(made).cosine(0.7) == pytest.approx(target)
    assert false_match(made, target).errors == false_non_match(made, target).errors == 0


def test_few_pairs_do_not_pull_the_anchor_to_their_extremes():
    few = pairs([0.6, 0.7], [0.0, 0.1, 0.2])
    assert "impostors' upper end 0.352" in fit(few).placed  # 0.1 + 3.09 · 0.0816, not 0.2


def test_what_separates_but_has_wide_tails_stays_separated():
    wide = pairs([0.5, 0.9, 0.9, 0.9], [-0.4, 0.0, 0.0, 0.4])
    assert "the tails overlap" in fit(wide).placed
    assert fit(wide).target == pytest.approx(0.45)


def test_where_the_kinds_overlap_a_false_match_is_the_worse_error():
    rng = np.random.default_rng(2)
    made = pairs(rng.normal(0.4, 0.1, 1000), rng.normal(0.2, 0.1, 10_000))
    assert "overlap" in fit(made).placed
    assert false_match(made, fit(made).target).value == pytest.approx(0.001, abs=0.0005)


def test_a_harder_group_moves_the_anchor_until_its_own_false_match_rate_holds():
    rng = np.random.default_rng(4)
    easy = pairs(rng.normal(0.7, 0.05, 500), rng.normal(0.0, 0.05, 5000))
    hard = pairs([], rng.normal(0.2, 0.1, 3000))
    made = fit(easy, {"easy": easy, "hard": hard})
    assert "3000 impostor pairs of hard" in made.placed
    assert false_match(hard, made.target).errors == 3
    assert false_match(hard, made.target - 0.0002).errors >= 3
    assert fit(easy, {"easy": easy}).knots == fit(easy).knots


def test_the_lowest_cosine_of_few_pairs_lies_above_the_highest():
    assert lowest_cosine(pairs([], [0.1, 0.25])) == pytest.approx(0.2501, abs=1e-4)
    assert lowest_cosine(pairs([0.5], [])) == -1


@pytest.mark.parametrize(
    ("genuine", "impostor"),
    [
        ([1.0], [-1.0]),
        ([-1.0], [1.0]),
        ([1.0, 1.0], [1.0, 1.0]),
        ([0.0], [0.0]),
        ([-1.0, -1.0], [-1.0]),
        ([0.9931, 0.9932], [0.993, 0.9929]),
        ([0.99999], [0.99998]),
    ],
)
def test_the_map_rises_strictly_whatever_the_pairs_are(genuine, impostor):
    calibration = as_calibration(pairs(genuine, impostor))
    assert calibration.score(-1) == 0
    assert calibration.score(1) == 1


def test_the_map_rises_strictly_on_random_sets():
    rng = np.random.default_rng(3)
    for _ in range(300):
        size = rng.integers(1, 12, 2)
        centre, spread = rng.uniform(-1, 1, 2), rng.uniform(0, 0.5)
        made = pairs(
            np.clip(rng.normal(centre[0], spread, size[0]), -1, 1),
            np.clip(rng.normal(centre[1], spread, size[1]), -1, 1),
        )
        calibration = as_calibration(made)
        scores = [calibration.score(cosine) for cosine in np.linspace(-1, 1, 101)]
        assert all(low < high for low, high in pairwise(scores))


def test_a_small_set_is_called_small_and_a_large_one_is_not():
    small = pairs([0.5] * 9, [0.0] * 57)
    assert [line.split()[0] for line in warnings(small, 5)] == ["5", "57", "9"]
    assert "5.26%" in warnings(small, 5)[1]
    assert warnings(pairs([0.5] * 300, [0.0] * 3000), 100) == []
