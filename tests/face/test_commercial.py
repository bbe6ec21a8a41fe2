"""FIDOX_WEIGHTS_LICENCE=commercial: everyone is recognised as themselves and nobody as another, by free weights."""

import itertools
import json
from functools import partial
from pathlib import Path

import msgspec
import pytest

from shared.contracts import Failure
from shared.settings import Faces, Settings, Weights
from shared.weights import LicenceError, MissingWeightError, WeightStore, manifest
from tests.conftest import SHARED, need
from workers.face import load
from workers.face.analysis import Want, analyse
from workers.face.load import load_engines, loaders
from workers.vision.decode import ImageError
from workers.vision.detection import DetectOptions
from workers.vision.detectors import open_detector

MATCH = 0.7
MAX = 50_000_000
# By group, the least share of genuine pairs that match: what holding the rate in the worst group costs the others.
GROUPS = {"chinese": 0.6, "korean": 0.42, "georgia_tech": 0.99}


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    return Settings(weights=Weights(cache=str(tmp_path_factory.mktemp("cache")), licence="commercial"))


@pytest.fixture(scope="module")
def engine(settings):
    engines = load_engines(settings, only=["ezway"])
    if not engines:
        pytest.skip("needs weights for commercial use: ../shared/models, or fidox weights fetch")
    return engines[0]


def embeddings(engine, folder: Path) -> list[tuple[str, object]]:
    """Person and embedding of every picture that can be read."""
    found = []
    for person in sorted(path for path in folder.iterdir() if not path.name.startswith("_")):
        for path in sorted(person.iterdir()):
            try:
                done = analyse(engine, path.read_bytes(), DetectOptions(), Want.EMBEDDING, max_pixels=MAX)
            except ImageError as error:
                if error.failure != Failure.BAD_IMAGE:  # two files are BMP and GIF
                    raise
                continue
            found.append((person.name, done.embedding))
    return found


def scores(engine, found) -> tuple[list[float], list[float]]:
    """The scores of the genuine and of the impostor pairs."""
    genuine, impostor = [], []
    for (person, embedding), (other, another) in itertools.combinations(found, 2):
        score = engine.calibration.score(float(embedding @ another))
        (genuine if person == other else impostor).append(score)
    return genuine, impostor


def test_everyone_verifies_as_themselves_and_nobody_as_another(engine, people):
    found = embeddings(engine, people)
    assert len(found) == 12
    genuine, impostor = scores(engine, found)
    assert min(genuine) >= MATCH
    assert max(impostor) < MATCH


@pytest.mark.parametrize("group", GROUPS)
def test_of_a_group_at_most_one_in_a_thousand_strangers_match(engine, group):
    genuine, impostor = scores(engine, embeddings(engine, need(SHARED / "testdata" / "recognition" / group)))
    matching = sum(score >= MATCH for score in impostor)
    assert matching <= 0.001 * len(impostor)
    assert sum(score >= MATCH for score in genuine) >= GROUPS[group] * len(genuine)


def test_every_photo_has_its_one_face(engine, people):
    for path in (one for folder in people.iterdir() if not folder.name.startswith("_") for one in folder.iterdir()):
        analysis = analyse(engine, path.read_bytes(), DetectOptions(), Want.TEMPLATE, max_pixels=MAX)
        assert analysis.chosen is not None, path


def test_no_file_is_opened_whose_licence_forbids_commercial_use(settings, engine):
    assert open_detector(settings) is not None
    assert (engine.detector, engine.model_id) == ("yunet_2023mar", "face_reidentification_retail_0095")
    # Every file that is loaded was hashed before, and what was hashed is remembered in the cache folder.
    hashed = {Path(path).name for path in json.loads((Path(settings.weights.cache) / "verified.json").read_bytes())}
    weights = manifest.load().weight
    allowed = {Path(one.file).name for weight in weights if weight.commercial_use for one in weight.sources}
    assert hashed
    assert hashed <= allowed


@pytest.mark.parametrize("faces", [Faces(recogniser="w600k_mbf"), Faces(detector="scrfd_500m")])
def test_a_weight_that_is_asked_for_and_not_allowed_turns_the_engine_off_and_says_why(settings, faces):
    with pytest.raises(LicenceError, match=r"does not allow commercial use.*FIDOX_WEIGHTS_LICENCE"):
        loaders(msgspec.structs.replace(settings, faces=faces))["ezway"]()


def test_without_any_weights_the_engine_says_which_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "WeightStore", partial(WeightStore, mirror=None))
    with pytest.raises(
        MissingWeightError, match=r"no weights for face\.detector .* `fidox weights fetch yunet_2023mar`"
    ):
        loaders(Settings(weights=Weights(cache=str(tmp_path), licence="commercial")))["ezway"]()
