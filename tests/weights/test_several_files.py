"""Weights of several files, and the names that upstream gives: all of it in one place, each hash right."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from shared.settings import Weights
from shared.weights import Manifest, MissingWeightError, Place, Source, Weight, WeightStore, WrongHashError

if TYPE_CHECKING:
    from pathlib import Path

GRAPH, NUMBERS = b"<net/>" * 100, b"\0\1\2\3" * 1000


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    numbers = Source(
        file="ir/net.bin",
        sha384=hashlib.sha384(NUMBERS).hexdigest(),
        bytes=len(NUMBERS),
        urls=("https://models.test/net-v1.bin",),
    )
    graph = Weight(
        name="net",
        file="ir/net.xml",
        role="face.recogniser",
        sha384=hashlib.sha384(GRAPH).hexdigest(),
        licence="MIT",
        commercial_use=True,
        urls=("https://models.test/net-v1.xml",),
        companions=(numbers,),
    )
    settings = Weights(folder=str(tmp_path / "folder"), cache=str(tmp_path / "cache"))
    return WeightStore(settings, known=Manifest((graph,)), mirror=tmp_path / "sibling")


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def test_all_files_of_a_weight_lie_in_one_place(store: WeightStore, tmp_path: Path) -> None:
    put(tmp_path / "folder" / "ir", "net.xml", GRAPH)
    put(tmp_path / "cache" / "ir", "net.bin", NUMBERS)
    with pytest.raises(MissingWeightError, match=r"ir/net\.xml .* and ir/net\.bin"):
        store.locate("net")
    xml, beside = put(tmp_path / "cache" / "ir", "net.xml", GRAPH), tmp_path / "cache" / "ir" / "net.bin"
    located = store.locate("net")
    assert (located.path, located.companions, located.place) == (xml, (beside,), Place.CACHE)


def test_one_wrong_file_of_several_refuses_the_weight_and_is_named(store: WeightStore, tmp_path: Path) -> None:
    put(tmp_path / "cache" / "ir", "net.xml", GRAPH)
    put(tmp_path / "cache" / "ir", "net.bin", NUMBERS[:-1] + b"X")
    with pytest.raises(WrongHashError, match=r"net\.bin \(sha384\)") as error:
        store.locate("net")
    assert "net.xml" not in str(error.value)


def test_the_sibling_folders_originals_are_found_by_their_names_here_and_upstream(
    store: WeightStore, tmp_path: Path
) -> None:
    originals = tmp_path / "sibling" / "originals"
    put(originals, "net.xml", GRAPH)
    bin_path = put(originals, "net-v1.bin", NUMBERS)
    located = store.locate("net")
    assert (located.place, located.companions) == (Place.BESIDE, (bin_path,))


def test_another_file_among_the_originals_is_no_reason_to_complain(store: WeightStore, tmp_path: Path) -> None:
    put(tmp_path / "sibling" / "originals", "net.xml", b"of somebody else")
    put(tmp_path / "sibling" / "originals", "net.bin", NUMBERS)
    with pytest.raises(MissingWeightError):
        store.locate("net")


def test_hashes_that_an_older_version_remembered_are_still_believed(store: WeightStore, tmp_path: Path) -> None:
    path = put(tmp_path / "cache" / "ir", "net.xml", GRAPH)
    put(tmp_path / "cache" / "ir", "net.bin", NUMBERS)
    store.locate("net")
    remembered = tmp_path / "cache" / "verified.json"
    (stamp,) = {tuple(one["stamp"]) for key, one in json.loads(remembered.read_text()).items() if key == str(path)}
    remembered.write_text(json.dumps({str(path): {"stamp": stamp, "sha256": "0" * 64}}))
    assert store.locate("net").path == path  # the other algorithm is computed, and the first one is not forgotten
    assert json.loads(remembered.read_text())[str(path)].keys() == {"stamp", "sha256", "sha384"}
