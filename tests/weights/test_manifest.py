"""The manifest that the product ships with."""

import pytest

from shared.settings import Weights
from shared.weights import DETECTOR, RECOGNISER, UnknownWeightError, WeightStore, candidates
from shared.weights.manifest import load


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("role", [DETECTOR, RECOGNISER])
def test_every_weight_of_a_role_is_a_candidate_on_any_machine(role, gpu):
    assert sorted(candidates(role, gpu=gpu)) == sorted(weight.name for weight in load().of_role(role))


def test_what_is_asked_for_by_name_has_no_substitute():
    assert candidates(DETECTOR, "scrfd_10g", gpu=False) == ("scrfd_10g",)


def test_a_cpu_and_a_gpu_find_a_published_weight_for_each_role_first_or_second():
    for role in (DETECTOR, RECOGNISER):
        for gpu in (False, True):
            assert any(load().named(name).urls for name in candidates(role, gpu=gpu)[:2])


def test_the_files_beside_the_checkout_have_the_hashes_and_sizes_of_the_manifest(tmp_path):
    store = WeightStore(Weights(cache=str(tmp_path)))
    there = [weight for weight in store.manifest.weight if store.find(weight.name)]
    if not there:
        pytest.skip("needs ../shared/models beside the checkout")
    for weight in there:
        assert store.locate(weight.name, fresh=True).path.stat().st_size == weight.bytes


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(UnknownWeightError, match="scrfd_500m"):
        load().named("scrfd")
