"""FIDOX_WEIGHTS_LICENCE=commercial: what its licence forbids is neither loaded nor fetched, and says so by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.settings import Settings, SettingsError, Weights
from shared.weights import (
    DETECTOR,
    RECOGNISER,
    LicenceError,
    WeightStore,
    choose,
    fetch,
)
from tests.conftest import SHARED, need

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def commercial(tmp_path: Path) -> WeightStore:
    return WeightStore(Weights(cache=str(tmp_path), licence="commercial"))


def test_a_weight_for_research_is_refused_by_name_with_its_licence(commercial: WeightStore) -> None:
    with pytest.raises(LicenceError, match=r"^scrfd_500m: its licence \(InsightFace, non-commercial\) does not allow"):
        commercial.locate("scrfd_500m")
    with pytest.raises(LicenceError, match="FIDOX_WEIGHTS_LICENCE=commercial"):
        fetch(commercial, "scrfd_500m")
    assert commercial.find("scrfd_500m") is None


@pytest.mark.parametrize("gpu", [False, True])
def test_the_pair_that_may_be_used_commercially_is_chosen(commercial: WeightStore, gpu: bool) -> None:
    need(SHARED / "models" / "yunet_2023mar.onnx")
    assert choose(commercial, DETECTOR, gpu=gpu).weight.name == "yunet_2023mar"
    assert choose(commercial, RECOGNISER, gpu=gpu).weight.name == "face_reidentification_retail_0095_onnx"


def test_any_licence_is_allowed_unless_it_is_set(tmp_path: Path) -> None:
    store = WeightStore(Weights(cache=str(tmp_path)))
    assert all(store.allows(weight) for weight in store.manifest.weight)


def test_another_word_than_the_two_is_refused() -> None:
    assert Settings.from_env({"FIDOX_WEIGHTS_LICENCE": "commercial"}).weights.licence == "commercial"
    with pytest.raises(SettingsError, match=r"FIDOX_WEIGHTS_LICENCE: .*any \| commercial"):
        Settings.from_env({"FIDOX_WEIGHTS_LICENCE": "mine"})
