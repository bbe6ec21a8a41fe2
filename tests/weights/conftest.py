import hashlib

import pytest

from shared.settings import Weights
from shared.weights import Manifest, Weight, WeightStore

BODY = b"a small model" * 1000


@pytest.fixture
def weight() -> Weight:
    return Weight(
        name="tiny",
        file="models/tiny.onnx",
        role="face.detector",
        sha256=hashlib.sha256(BODY).hexdigest(),
        licence="MIT",
        commercial_use=True,
        urls=("https://models.example/tiny.onnx",),
    )


@pytest.fixture
def places(tmp_path):
    """The folders of the look-up order, all empty."""
    return {name: tmp_path / name for name in ("folder", "cache", "mirror")}


@pytest.fixture
def store(weight, places) -> WeightStore:
    settings = Weights(folder=str(places["folder"]), cache=str(places["cache"]))
    return WeightStore(settings, known=Manifest((weight,)), mirror=places["mirror"])


@pytest.fixture
def put(places, weight):
    """Lay a file where the store looks: put("cache"), or another body of the same name."""

    def lay(place: str, body: bytes = BODY):
        path = places[place] / weight.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    return lay
