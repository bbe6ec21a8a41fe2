"""Profile `commercial` through the whole product: a stack of its own, faces over HTTP, and what says which weights."""

import base64
import itertools

import httpx
import pytest

from deploy.local.stack import LocalStack
from shared.weights import licences, manifest
from tests.support.fidox import Fidox
from tests.support.ports import own_port


@pytest.fixture(scope="module")
def commercial(tmp_path_factory, people):
    environment = {"FIDOX_WEIGHTS_LICENCE": "commercial", "FIDOX_FACE_PROCESSES": "1", "FIDOX_ENGINES": "ezway"}
    with LocalStack(tmp_path_factory.mktemp("commercial"), port=own_port(), environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def portraits(people) -> dict[str, list[str]]:
    """Each person's photos in base64."""
    return {
        folder.name: [base64.b64encode(path.read_bytes()).decode() for path in sorted(folder.iterdir())]
        for folder in sorted(people.iterdir())
        if not folder.name.startswith("_")
    }


def loaded(base_url: str) -> tuple[dict, list[str]]:
    """The answer of /health, and the names of all weights that it says are loaded."""
    told = httpx.get(f"{base_url}/health", timeout=20).json()
    engines = [one for kind in ("face", "liveness", "ocr") for one in told["components"][kind]["engines"]]
    return told, licences.names_in(name for one in engines for name in (one["model"], one["detector"]))


def test_everyone_verifies_as_themselves_and_nobody_as_another(commercial, portraits):
    with Fidox.login(commercial.base_url, commercial.demo["ACCESS_KEY"], commercial.demo["SECRET_KEY"]) as api:
        for person, photos in portraits.items():
            answer = api.post("/face/register", userCode=person, image=photos[0])
            assert answer.status_code == 200, (person, answer.text)
        for person, other in itertools.product(portraits, portraits):
            for photo in portraits[other][1:]:
                answer = api.post("/face/verify", userCode=person, image=photo, context="login")
                assert answer.status_code == 200, (other, answer.text)
                assert answer.json()["matched"] is (person == other), (person, other, answer.json()["score"])


def test_health_has_no_notice_and_every_loaded_weight_may_be_used(commercial):
    told, names = loaded(commercial.base_url)
    assert told["notice"] is None
    assert told["model"] == "yunet_2023mar"
    assert {"yunet_2023mar", "face_reidentification_retail_0095"} <= set(names)
    assert licences.non_commercial(names) == []
    log = (commercial.folder.logs / "face.log").read_text()
    assert "face worker ready" in log
    assert "non-commercial" not in log


def test_liveness_and_id_cards_find_faces_with_the_detector_that_is_allowed(commercial):
    told, _ = loaded(commercial.base_url)
    for kind in ("liveness", "ocr"):
        for one in told["components"][kind]["engines"]:
            if one["state"] == "ready" and not one["helps"]:
                assert "yunet_2023mar" in one["detector"].split("+"), one


def test_other_weights_are_named_in_one_line_by_health_and_the_workers_log(stack, people):
    told, names = loaded(stack.base_url)
    restricted = licences.non_commercial(names)
    assert {weight.role for weight in manifest.load().weight if weight.name in restricted} == {
        "face.detector",
        "face.recogniser",
    }
    assert told["notice"] == licences.notice(names)
    lines = [line for line in (stack.folder.logs / "face.log").read_text().splitlines() if "non-commercial" in line]
    assert lines
    assert all(name in lines[0] for name in restricted)
