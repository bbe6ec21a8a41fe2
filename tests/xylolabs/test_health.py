"""`GET /health`: 200 only while everything that is needed is there, and what each part is. No authentication."""

import psutil
import pytest

from tests.faults.conftest import away
from tests.support.ports import own_port
from tests.support.waiting import until


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack of these tests' own: they take parts of it away."""
    from deploy.local.stack import LocalStack

    environment = {"FIDOX_FACE_PROCESSES": "1", "FIDOX_ENGINES": "ezway,applemango"}
    with LocalStack(tmp_path_factory.mktemp("health"), port=own_port(), environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def ask(stack):
    import httpx

    with httpx.Client(base_url=stack.base_url, timeout=60) as client:
        yield lambda: client.get("/health")


def test_all_is_well(ask):
    answer = ask()
    told = answer.json()
    assert answer.status_code == 200
    assert told["status"] == "ok"
    assert told["model"]
    parts = told["components"]
    assert {name: part["status"] for name, part in parts.items()} == {
        "redis": "ok",
        "database": "ok",
        "storage": "ok",
        "face": "ok",
        "liveness": "ok",
        "ocr": "ok",
    }
    assert parts["face"]["processes"] == 1
    engine = parts["face"]["engines"][0]
    assert engine["state"] == "ready"
    assert engine["model"]
    assert engine["detector"] == told["model"]


def test_the_liveness_checks_name_their_networks_and_what_is_known_against_them(ask):
    checks = {engine["name"]: engine for engine in ask().json()["components"]["liveness"]["engines"]}
    assert [network["name"] for network in checks["photo"]["networks"]] == ["minifasnet_v2_2.7", "minifasnet_v1se_4.0"]
    assert [network["name"] for network in checks["deepfake"]["networks"]] == ["meso4_df", "mesoinception_df"]
    assert "found none of 133" in checks["deepfake"]["caution"]
    assert checks["photo"]["caution"] is checks["mask"]["caution"] is None


@pytest.mark.parametrize(("name", "part"), [("postgres", "database"), ("redis", "redis"), ("face", "face")])
def test_503_while_something_needed_is_away_and_which(stack, ask, name, part):
    with away(stack, name):
        until(lambda: ask().status_code == 503)
        answer = ask().json()
        assert answer["status"] == "unavailable"
        assert answer["components"][part]["status"] != "ok"
    until(lambda: ask().status_code == 200)


def test_503_while_redis_stands_still_and_soon(stack, ask):
    redis = psutil.Process(stack.children["redis"].pid)
    redis.suspend()
    try:
        answer = ask()
    finally:
        redis.resume()
    assert answer.status_code == 503
    assert answer.json()["components"]["redis"]["status"] == "unavailable"
    until(lambda: ask().status_code == 200)


def test_without_a_liveness_worker_it_is_well(stack, ask):
    with away(stack, "liveness"):
        until(lambda: ask().json()["components"]["liveness"]["status"] != "ok")
        assert ask().status_code == 200


def test_live_and_ready_are_for_probes(stack):
    import httpx

    assert httpx.get(f"{stack.base_url}/health/live", timeout=60).json() == {"status": "ok"}
    until(lambda: httpx.get(f"{stack.base_url}/health/ready", timeout=60).status_code == 200)
