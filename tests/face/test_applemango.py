"""The second engine: on the same faces, behind the same Protocol, in a process of its own."""

import itertools
import os
import signal

import numpy as np
import pytest

from shared.contracts import Failure
from shared.settings import Settings
from workers.face.analysis import Want, analyse
from workers.face.engines.isolated import IsolatedEngine
from workers.face.load import load_engines
from workers.inference.isolated import IsolatedProcessError
from workers.vision.decode import ImageError
from workers.vision.detection import DetectOptions

OPTIONS = DetectOptions()
MAX = 50_000_000


@pytest.fixture(scope="module")
def applemango():
    (engine,) = load_engines(Settings(), only=["applemango"])
    yield engine
    engine.close()


def look(engine, data: bytes, want: Want = Want.EMBEDDING):
    return analyse(engine, data, OPTIONS, want, max_pixels=MAX)


def test_it_needs_nothing_but_a_python_package(applemango):
    assert (applemango.name, applemango.model_id, applemango.dimension) == ("applemango", "dlib_resnet_v1", 128)


def test_everybody_is_themselves_and_nobody_another(applemango, people):
    embeddings = {
        path: look(applemango, path.read_bytes(), Want.TEMPLATE).embedding
        for folder in people.iterdir()
        if not folder.name.startswith("_")
        for path in folder.iterdir()
    }
    assert all(embedding.shape == (128,) for embedding in embeddings.values()), "each is good enough to be enrolled"
    for one, other in itertools.combinations(embeddings, 2):
        score = applemango.calibration.score(float(embeddings[one] @ embeddings[other]))
        assert (score >= 0.7) == (one.parent == other.parent), (one.name, other.name, score)


@pytest.mark.parametrize(("group", "count"), [("kit_with_rose", 2), ("obama_and_biden", 3)])
def test_the_faces_of_a_group_are_counted(applemango, photo, group, count):
    analysis = look(applemango, photo(f"_groups/{group}.jpg"), Want.FACES)
    assert len(analysis.faces) == count
    assert analysis.profile.detector == "dlib_hog"


def test_both_engines_see_a_face_in_the_same_place(applemango, engine, photo):
    (one,) = look(applemango, photo("obama/obama.jpg"), Want.FACES).faces
    (other,) = look(engine, photo("obama/obama.jpg"), Want.FACES).faces
    centre = np.array(
        [one.x + one.width / 2 - other.x - other.width / 2, one.y + one.height / 2 - other.y - other.height / 2]
    )
    assert np.linalg.norm(centre) < 0.3 * other.width


def test_a_picture_without_a_face_is_no_face(applemango, grey_jpeg):
    with pytest.raises(ImageError) as caught:
        look(applemango, grey_jpeg)
    assert caught.value.failure is Failure.NO_FACE


def test_a_process_that_dies_is_a_failure_and_the_next_call_has_a_new_one(applemango, photo):
    first = applemango._process._process.pid
    os.kill(first, signal.SIGKILL)
    with pytest.raises(IsolatedProcessError):
        look(applemango, photo("obama/obama.jpg"))
    assert len(look(applemango, photo("obama/obama.jpg")).embedding) == 128
    assert applemango._process._process.pid != first


def test_a_process_that_hangs_is_ended(photo):
    (engine,) = load_engines(Settings(), only=["applemango"])
    engine._process._call_s = 0.5
    os.kill(engine._process._process.pid, signal.SIGSTOP)
    with pytest.raises(IsolatedProcessError, match=r"no answer|unavailable"):
        look(engine, photo("obama/obama.jpg"))
    engine._process._call_s = 60
    assert len(look(engine, photo("obama/obama.jpg")).embedding) == 128
    engine.close()


def test_what_the_engine_raises_comes_back_as_a_failure():
    with pytest.raises(IsolatedProcessError):
        IsolatedEngine("workers.face.engines.applemango:Applemango", ())
