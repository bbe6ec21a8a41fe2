"""Model files: a right one is found in the documented order and a wrong one is never used."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from shared.settings import Weights as WeightsSettings
from shared.weights import (
    DETECTOR,
    RECOGNISER,
    Manifest,
    MissingWeightError,
    Place,
    UnknownWeightError,
    Weight,
    WeightStore,
    WrongHashError,
    candidates,
    choose,
    manifest,
)

RIGHT = b"the right file" * 100


def weight(name: str = "model", **other) -> Weight:
    fields = {
        "name": name,
        "file": f"{name}.onnx",
        "role": "face.detector",
        "sha256": hashlib.sha256(RIGHT).hexdigest(),
        "licence": "MIT",
        "commercial_use": True,
        "urls": ("https://weights.test/model.onnx",),
    }
    return Weight(**{**fields, **other})


class Machine:
    """A machine with the four places, and one weight that is known."""

    def __init__(self, root: Path, *weights: Weight) -> None:
        self.folder, self.cache, self.mirror = root / "folder", root / "cache", root / "mirror"
        for place in (self.folder, self.cache, self.mirror):
            place.mkdir()
        self.settings = WeightsSettings(folder=str(self.folder), cache=str(self.cache))
        self.known = Manifest(weights or (weight(),))

    @property
    def store(self) -> WeightStore:
        return WeightStore(self.settings, known=self.known, mirror=self.mirror)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_every_entry_of_the_manifest_says_what_it_is() -> None:
    for one in manifest.load().weight:
        assert all(re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{96}", source.digest.value) for source in one.sources), one.name
        assert one.licence
        assert one.role
        assert all(url.startswith("https://") for source in one.sources for url in source.urls)


def test_names_and_files_of_the_manifest_are_unique() -> None:
    known = manifest.load().weight
    files = [source.file for one in known for source in one.sources]
    assert len({one.name for one in known}) == len(known)
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("role", [DETECTOR, RECOGNISER])
@pytest.mark.parametrize("gpu", [False, True])
def test_every_candidate_is_in_the_manifest_and_of_that_role(role: str, gpu: bool) -> None:
    for name in candidates(role, gpu=gpu):
        assert manifest.load().named(name).role == role


@pytest.mark.parametrize("role", [DETECTOR, RECOGNISER])
def test_each_role_has_a_weight_that_can_be_downloaded(role: str) -> None:
    assert any(one.urls for one in manifest.load().of_role(role))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "ABC"},
        {"sha256": None},
        {"sha384": "0" * 96},
        {"sha256": None, "sha384": "0" * 64},
        {"file": "../elsewhere.onnx"},
        {"file": "/somewhere.onnx"},
        {"urls": ("http://weights.test/model.onnx",)},
        {"urls": ("https://weights.test/models.zip#../model.onnx",)},
        {"urls": ("https://weights.test/models.zip#/model.onnx",)},
        {"urls": ("https://weights.test/models.tar#model.onnx",)},
        {"urls": ("https://weights.test/a/../model.onnx",)},
        {"package": "no-colon"},
    ],
)
def test_a_wrong_entry_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="model"):
        weight(**wrong)


def test_a_manifest_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "manifest.toml"
    file.write_text('[[weight]]\nname = "a"\nsha = "b"\n')
    with pytest.raises(msgspec.ValidationError):
        manifest.load(file)


def test_the_places_are_looked_into_in_the_documented_order(machine: Machine) -> None:
    order = [(Place.BESIDE, machine.mirror), (Place.CACHE, machine.cache), (Place.FOLDER, machine.folder)]
    for place, folder in order:  # the last place first: each next one must win over those before it
        (folder / "model.onnx").write_bytes(RIGHT)
        assert machine.store.locate("model").place is place


def test_a_package_of_the_system_comes_after_that_and_is_named_where_it_is_missing(tmp_path: Path) -> None:
    installed = tmp_path / "usr" / "model.onnx"
    known = weight(system=f"model-data:{installed}")
    machine = Machine(tmp_path, known)
    assert "install the system's package model-data" in machine.store.way_to_get(known)
    installed.parent.mkdir()
    installed.write_bytes(RIGHT)
    assert machine.store.locate("model").place is Place.SYSTEM
    (machine.cache / "model.onnx").write_bytes(RIGHT)
    assert machine.store.locate("model").place is Place.CACHE


def test_a_package_that_carries_the_file_comes_after_the_folders(tmp_path: Path) -> None:
    import certifi

    data = Path(certifi.__file__).with_name("cacert.pem").read_bytes()
    carried = weight(sha256=hashlib.sha256(data).hexdigest(), package="certifi:cacert.pem")
    machine = Machine(tmp_path, carried)
    assert machine.store.locate("model").place is Place.PACKAGE


def test_a_file_with_a_wrong_hash_is_refused(machine: Machine) -> None:
    (machine.cache / "model.onnx").write_bytes(b"something else")
    with pytest.raises(WrongHashError, match="refused"):
        machine.store.locate("model")
    assert machine.store.find("model") is None


def test_a_right_file_behind_a_wrong_one_is_found(machine: Machine) -> None:
    (machine.folder / "model.onnx").write_bytes(b"something else")
    (machine.mirror / "model.onnx").write_bytes(RIGHT)
    assert machine.store.locate("model").place is Place.BESIDE


def test_a_file_that_changes_after_it_was_verified_is_refused(machine: Machine) -> None:
    path = machine.cache / "model.onnx"
    path.write_bytes(RIGHT)
    assert machine.store.locate("model").path == path
    path.write_bytes(b"X" + RIGHT[1:])
    with pytest.raises(WrongHashError):
        machine.store.locate("model")


def test_what_is_missing_says_how_to_get_it(machine: Machine) -> None:
    with pytest.raises(MissingWeightError, match="fidox weights fetch model"):
        machine.store.locate("model")
    with pytest.raises(UnknownWeightError, match="model"):
        machine.store.locate("other")


def test_the_best_of_those_that_are_there_is_chosen(tmp_path: Path) -> None:
    names = ("scrfd_10g", "scrfd_2.5g", "scrfd_500m", "yunet_2023mar")
    machine = Machine(tmp_path, *(weight(name) for name in names))
    assert choose(machine.store, DETECTOR, gpu=False) is None
    for name in ("scrfd_10g", "scrfd_2.5g", "scrfd_500m"):
        (machine.cache / f"{name}.onnx").write_bytes(RIGHT)
    assert choose(machine.store, DETECTOR, gpu=False).weight.name == "scrfd_500m"
    assert choose(machine.store, DETECTOR, gpu=True).weight.name == "scrfd_10g"
    assert choose(machine.store, DETECTOR, "scrfd_2.5g", gpu=True).weight.name == "scrfd_2.5g"
