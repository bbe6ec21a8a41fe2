"""What is on and what is off: each feature by its weights, and for what is off something that really helps."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from shared.settings import Settings
from shared.weights import Manifest, WeightStore, choice
from shared.weights.features import FeatureState, features, in_use_non_commercial, licence_note, needed
from shared.weights.manifest import load
from shared.weights.requirements import Feature

if TYPE_CHECKING:
    from pathlib import Path


class Machine:
    """A machine that has the named weights of the product's manifest and no other; their bytes are their names."""

    def __init__(self, root: Path, *present: str, **environment: str) -> None:
        self.settings = Settings.from_env({"FIDOX_CACHE_DIR": str(root), **environment})
        self.store = WeightStore(self.settings.weights, known=Manifest(tuple(map(_named, load().weight))), mirror=None)
        for name in present:
            for source in self.store.manifest.named(name).sources:
                path = root / source.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(source.file.encode())

    def states(self, **more) -> dict[str, FeatureState]:
        return {state.name: state for state in features(self.store, self.settings, gpu=False, **more)}


def _named(weight):
    def short(source, **other):
        right = {"sha256": hashlib.sha256(source.file.encode()).hexdigest(), "sha384": None, "bytes": None}
        return msgspec.structs.replace(source, **right, **other)

    # Packages and system files are whatever this machine has: here they are missing.
    gone = {
        name: f"{spec.partition(':')[0]}:/nowhere" for name in ("package", "system") if (spec := getattr(weight, name))
    }
    return short(weight, companions=tuple(map(short, weight.companions)), **gone)


SMALL = ("PP-OCRv6_small_det", "korean_mobile_v2.0_rec", "korean_mobile_v2.0_rec.yml", "PP-OCRv6_small_rec")


def test_every_feature_has_a_state_in_a_fixed_order(tmp_path) -> None:
    assert list(Machine(tmp_path).states()) == list(Feature)


@pytest.mark.parametrize(
    ("feature", "weights"),
    [
        (Feature.EZWAY, ("scrfd_10g", "w600k_r50")),
        (Feature.EZWAY, ("yunet_2023mar", "face_reidentification_retail_0095")),
        (Feature.APPLEMANGO, ("yunet_2023mar", "face_reidentification_retail_0095")),
        (Feature.APPLEMANGO, ("yunet_2023mar", "face_reidentification_retail_0095_onnx")),
        (Feature.DLIB, ("dlib_5_landmarks", "dlib_resnet_v1")),
        (Feature.HEAD_POSE, ("fsanet_1x1", "fsanet_var")),
        (Feature.FACE_QUALITY, ("lightqnet_dm100",)),
        (Feature.PHOTO, ("minifasnet_v2_2.7", "minifasnet_v1se_4.0", "scrfd_500m")),
        (Feature.DEEPFAKE, ("meso4_df", "mesoinception_df", "dlib_5_landmarks", "dlib_resnet_v1")),
        (Feature.MASK, ("face_mask_aizoo_260", "yunet_2023mar")),
        (Feature.ID_CARDS, SMALL),
        (
            Feature.ID_CARDS,
            (
                "PP-OCRv5_mobile_det",
                "korean_PP-OCRv5_mobile_rec",
                "korean_PP-OCRv5_mobile_rec.yml",
                "PP-OCRv6_small_rec",
            ),
        ),
    ],
)
def test_a_feature_is_on_with_all_of_its_weights_and_off_without_any_one(tmp_path, feature, weights) -> None:
    state = Machine(tmp_path / "all", *weights).states()[feature]
    assert (state.on, state.weights, state.because, state.get) == (True, weights, "", "")
    for left_out in weights:
        there = [name for name in weights if name != left_out]
        state = Machine(tmp_path / left_out, *there).states()[feature]
        assert not state.on
        assert state.get


def test_what_is_off_says_the_command_that_turns_it_on(tmp_path) -> None:
    state = Machine(tmp_path).states()[Feature.HEAD_POSE]
    assert state.because == "not on this machine: fsanet_1x1, fsanet_var"
    assert state.get == "`fidox weights fetch fsanet_1x1 fsanet_var`"
    assert state.line == f"head pose: off, because {state.because}; get it by: {state.get}"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"FIDOX_WEIGHTS_LICENCE": "commercial"},
        {"FIDOX_OCR_MODELS": "small"},
        {"FIDOX_DETECTOR": "scrfd_10g", "FIDOX_RECOGNISER": "w600k_mbf_dequantised"},
        {"FIDOX_DETECTOR": "scrfd_10g", "FIDOX_WEIGHTS_LICENCE": "commercial"},
        {"FIDOX_RECOGNISER": "face_reidentification_retail_0095_onnx", "FIDOX_ENGINES": "ezway"},
        {"FIDOX_DETECTOR": "w600k_mbf", "FIDOX_OCR_MODELS": "tiny"},
    ],
)
def test_nothing_without_an_address_or_permission_is_ever_to_be_fetched(tmp_path, environment) -> None:
    machine = Machine(tmp_path, **environment)
    states = machine.states().values()
    assert not any(state.on for state in states)
    assert all(state.get and state.because for state in states)
    named = [
        name
        for state in states
        for command in re.findall(r"`fidox weights fetch ([^`]*)`", state.get)
        for name in command.split()
    ]
    for name in {*named, *needed(machine.store, machine.settings, gpu=False)}:
        weight = machine.store.manifest.named(name)
        assert weight.is_published
        assert machine.store.allows(weight)


@pytest.mark.parametrize("licence", ["any", "commercial"])
@pytest.mark.parametrize("gpu", [False, True])
def test_what_is_needed_turns_on_everything_that_has_an_address(tmp_path, licence, gpu) -> None:
    """Of the rest, packages carry it: dlib's files and PP-OCRv6."""
    empty = Machine(tmp_path / "empty", FIDOX_WEIGHTS_LICENCE=licence)
    names = needed(empty.store, empty.settings, gpu=gpu)
    assert "arcface_lresnet100e_ir" not in names  # only where it is asked for
    packaged = ("dlib_5_landmarks", "dlib_resnet_v1", "PP-OCRv6_small_rec")
    after = Machine(tmp_path / "after", *names, *packaged, FIDOX_WEIGHTS_LICENCE=licence)
    states = after.states()
    assert all(state.on for state in states.values() if state.wanted)
    assert [name for name, state in states.items() if not state.wanted] == [Feature.DLIB]
    assert needed(after.store, after.settings, gpu=gpu) == []


def test_korean_text_without_an_address_is_replaced_by_one_that_has_one(tmp_path) -> None:
    state = Machine(tmp_path, "PP-OCRv6_small_det", "PP-OCRv6_small_rec").states()[Feature.ID_CARDS]
    assert state.get == "`fidox weights fetch korean_PP-OCRv5_mobile_rec korean_PP-OCRv5_mobile_rec.yml`"
    state = Machine(tmp_path, FIDOX_OCR_MODELS="small").states()[Feature.ID_CARDS]
    assert "put ocr/korean_mobile_v2.0_rec/inference.onnx" in state.get
    assert "FIDOX_OCR_MODELS=auto" in state.get


def test_what_the_settings_turn_off_is_off_and_not_wanted(tmp_path) -> None:
    states = Machine(tmp_path, FIDOX_ENGINES="applemango", FIDOX_LIVENESS_CHECKS="photo,mask").states()
    assert (states[Feature.EZWAY].wanted, states[Feature.EZWAY].get) == (False, "FIDOX_ENGINES=applemango,ezway")
    assert states[Feature.DEEPFAKE].get == "FIDOX_LIVENESS_CHECKS=photo,mask,deepfake"
    assert not states[Feature.EZWAY].fetchable
    assert states[Feature.PHOTO].wanted


@pytest.mark.parametrize(
    ("engines", "present", "loaded"),
    [
        ("ezway,applemango", (), "ezway,applemango,dlib"),
        ("ezway,applemango", ("scrfd_500m", "yunet_2023mar"), "ezway,applemango,dlib"),
        ("ezway,applemango", ("scrfd_500m", "w600k_mbf"), "ezway,applemango"),
        ("ezway,applemango", ("yunet_2023mar", "face_reidentification_retail_0095_onnx"), "ezway,applemango"),
        ("applemango", ("scrfd_500m", "w600k_mbf"), "applemango,dlib"),
        ("ezway", (), "ezway"),
        ("ezway,dlib", ("scrfd_500m", "w600k_mbf"), "ezway,dlib"),
        ("dlib,applemango", (), "dlib,applemango"),
    ],
)
def test_dlib_is_loaded_where_it_is_named_or_where_nothing_else_can_be(tmp_path, engines, present, loaded) -> None:
    machine = Machine(tmp_path, *present, FIDOX_ENGINES=engines)
    assert choice.engines(machine.store, machine.settings, gpu=False) == tuple(loaded.split(","))
    assert machine.states()[Feature.DLIB].wanted == ("dlib" in loaded)


def test_a_weight_that_a_setting_names_and_the_licence_forbids_says_both(tmp_path) -> None:
    environment = {"FIDOX_WEIGHTS_LICENCE": "commercial", "FIDOX_DETECTOR": "scrfd_10g"}
    state = Machine(tmp_path, "scrfd_10g", "face_reidentification_retail_0095", **environment).states()[Feature.EZWAY]
    assert state.because == "FIDOX_WEIGHTS_LICENCE=commercial, and the licence does not allow that: scrfd_10g"
    assert "FIDOX_DETECTOR=auto" in state.get


@pytest.mark.parametrize(
    ("environment", "because"),
    [
        ({"FIDOX_DETECTOR": "w600k_mbf"}, "FIDOX_DETECTOR: w600k_mbf is not one of scrfd_10g, scrfd_2.5g"),
        ({"FIDOX_RECOGNISER": "best"}, "FIDOX_RECOGNISER: best is not one of w600k_r50"),
    ],
)
def test_a_weight_of_another_kind_is_named_with_its_setting(tmp_path, environment, because) -> None:
    state = Machine(tmp_path, **environment).states()[Feature.EZWAY]
    assert state.because.startswith(because)
    assert state.get.endswith("=auto")


def test_after_a_fetch_that_failed_the_command_alone_is_no_advice(tmp_path) -> None:
    state = Machine(tmp_path).states(failed={"lightqnet_dm100": "github.com cannot be reached"})[Feature.FACE_QUALITY]
    assert state.because == "not on this machine and not fetched (github.com cannot be reached): lightqnet_dm100"
    for way in ("FIDOX_WEIGHTS_MIRROR", "`fidox weights import FILE`"):
        assert way in state.get


def test_a_wrong_file_is_called_one(tmp_path) -> None:
    machine = Machine(tmp_path, "lightqnet_dm100")
    (tmp_path / machine.store.manifest.named("lightqnet_dm100").file).write_bytes(b"something else")
    assert machine.states()[Feature.FACE_QUALITY].because == "another file lies in its place: lightqnet_dm100"


def test_weights_for_research_that_are_in_use_are_named_in_one_line(tmp_path) -> None:
    machine = Machine(tmp_path, "scrfd_500m", "scrfd_10g", "w600k_mbf", "fsanet_1x1", "fsanet_var")
    names = in_use_non_commercial(machine.store, machine.settings, gpu=False)
    assert names == ["scrfd_500m", "w600k_mbf"]  # what lies there and is not used does not count
    assert licence_note(names).startswith("non-commercial weights are in use: scrfd_500m, w600k_mbf;")
    free = Machine(tmp_path, "yunet_2023mar", FIDOX_WEIGHTS_LICENCE="commercial")
    assert in_use_non_commercial(free.store, free.settings, gpu=False) == []
    assert licence_note([]) == ""


def test_a_detector_that_the_licence_forbids_is_off_until_the_setting_is_auto(tmp_path: Path) -> None:
    environment = {"FIDOX_CACHE_DIR": str(tmp_path), "FIDOX_WEIGHTS_LICENCE": "commercial"}
    settings = Settings.from_env(environment | {"FIDOX_DETECTOR": "scrfd_10g", "FIDOX_RECOGNISER": "w600k_r50"})
    ezway = features(WeightStore(settings.weights, mirror=None), settings, gpu=False)[0]
    assert (
        ezway.because == "FIDOX_WEIGHTS_LICENCE=commercial, and the licence does not allow that: scrfd_10g, w600k_r50"
    )
    assert ezway.get == (
        "FIDOX_DETECTOR=auto, which takes what can be had; FIDOX_RECOGNISER=auto, which takes what can be had"
    )
