"""The look-up order, and that a wrong file is never returned."""

import json

import msgspec
import pytest

from shared.settings import Weights
from shared.weights import Manifest, MissingWeightError, Place, WeightStore, WrongHashError


def test_a_missing_file_without_an_address_says_where_to_put_it(weight, places):
    store = WeightStore(
        Weights(cache=str(places["cache"])), known=Manifest((msgspec.structs.replace(weight, urls=()),)), mirror=None
    )
    with pytest.raises(MissingWeightError, match=r"put models/tiny\.onnx") as error:
        store.locate("tiny")
    assert "fetch" not in str(error.value)


def test_a_file_of_another_size_is_refused_without_being_read(weight, places, put):
    sized = msgspec.structs.replace(weight, bytes=5)
    store = WeightStore(Weights(cache=str(places["cache"])), known=Manifest((sized,)), mirror=None)
    put("cache")
    with pytest.raises(WrongHashError):
        store.locate("tiny")
    assert not (places["cache"] / "verified.json").exists()


def test_a_hash_is_computed_once_and_then_remembered(store, put, places):
    path = put("cache")
    store.locate("tiny")
    remembered = json.loads((places["cache"] / "verified.json").read_text())
    assert list(remembered) == [str(path)]
    # What is remembered is believed: a forged entry shows that the file is not read again …
    remembered[str(path)]["sha256"] = "0" * 64
    (places["cache"] / "verified.json").write_text(json.dumps(remembered))
    with pytest.raises(WrongHashError):
        store.locate("tiny")
    # … unless that is asked for.
    assert store.locate("tiny", fresh=True).path == path


def test_a_cache_that_cannot_be_written_stops_nothing(weight, places, put, tmp_path):
    (tmp_path / "a_file").write_text("")
    settings = Weights(folder=str(places["folder"]), cache=str(tmp_path / "a_file"))
    store = WeightStore(settings, known=Manifest((weight,)), mirror=None)
    assert store.locate(put("folder") and "tiny").place is Place.FOLDER
