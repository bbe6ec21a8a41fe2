"""The engine on real weights, and the pictures at hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.settings import Settings, Weights
from workers.face.judges import Judges
from workers.face.load import load_engines, load_judges
from workers.vision.decode import decode


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    settings = Settings(weights=Weights(cache=str(tmp_path_factory.mktemp("cache"))))
    engines = load_engines(settings, only=["ezway"])
    if not engines:
        pytest.skip("needs the weights of engine ezway: ../shared/models, or fidox weights fetch")
    return engines[0]


@pytest.fixture(scope="session")
def judges(tmp_path_factory) -> Judges:
    found = load_judges(Settings(weights=Weights(cache=str(tmp_path_factory.mktemp("cache")))))
    if found.poses is None or found.clarity is None:
        pytest.skip("needs the weights of head pose and face quality: ../shared/models")
    return found


@pytest.fixture(scope="session")
def photo(people: Path):
    """A picture's bytes: photo("obama/obama.jpg")."""
    return lambda name: (people / name).read_bytes()


@pytest.fixture(scope="session")
def image(photo):
    """A picture, decoded."""
    return lambda name: decode(photo(name), max_pixels=50_000_000)


@pytest.fixture(scope="session")
def grey_jpeg() -> bytes:
    """A picture of nothing."""
    return cv2.imencode(".jpg", np.full((240, 320, 3), 120, np.uint8))[1].tobytes()
