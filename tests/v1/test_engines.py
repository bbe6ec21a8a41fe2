"""Engines chosen, broken and mended through /v1: another name in the answer, and the same answer.

On a gateway and a Redis database of these tests' own, so that the face worker in it can be none, or one that breaks.
"""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import psycopg
import pytest
import redis

from deploy.local.folder import CHECKOUT
from shared import keys
from shared.contracts import Kind
from shared.db.batches import FLUSH_S
from tests.conftest import SHARED, need
from tests.support.fidox import Fidox
from tests.support.ports import own_port
from tests.support.v1 import V1, error
from tests.support.waiting import until

ENGINES = ["ezway", "applemango"]


@contextmanager
def running(module: str, environment: dict[str, str]):
    process = subprocess.Popen([sys.executable, "-m", module], env=environment, cwd=CHECKOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def environment(stack) -> dict[str, str]:
    port = own_port()
    redis_url = stack.redis_url.replace("db=0", "db=7")
    return stack.environment | {"PORT": str(port), "REDIS_URL": redis_url, "FIDOX_ENGINE_RETRY_S": "1"}


@pytest.fixture(scope="module")
def alone(demo, environment):
    """v1 by a gateway that has no worker yet."""
    base_url = f"http://127.0.0.1:{environment['PORT']}"

    def answers() -> bool:
        try:
            return httpx.get(f"{base_url}/health/live", timeout=60).status_code == 200
        except httpx.TransportError:
            return False

    with running("gateway", environment):
        until(answers)
        with V1(base_url, demo.token) as client:
            yield client


@pytest.fixture
def worker(environment, tmp_path):
    """worker(engines) starts a face worker whose `ezway` breaks on order; the order goes into the file it gives."""
    fault = tmp_path / "fault"
    fault.write_text("")
    weights = need(SHARED / "models")

    @contextmanager
    def start(engines: str = ",".join(ENGINES)):
        more = {"FAULT": str(fault), "FIDOX_ENGINES": engines, "FIDOX_WEIGHTS_DIR": str(weights)}
        with redis.Redis.from_url(environment["REDIS_URL"]) as client:
            client.flushdb()
            with running("tests.support.faulty_face", os.environ | environment | more):
                until(lambda: client.zcard(keys.workers(Kind.FACE)))
                yield fault

    return start


def states(client: V1) -> dict[str, str]:
    answer = client.get("/fr/engines")
    assert answer.status_code == 200, answer.text
    return {engine["name"]: engine["state"] for engine in answer.json()["engines"]}


def test_the_engines_are_listed_in_their_order_with_state_processes_and_model(demo_v1):
    need(SHARED / "models")
    body = demo_v1.get("/fr/engines").json()
    assert list(body) == ["success", "engines", "trxId"]
    assert [engine["name"] for engine in body["engines"]] == ENGINES
    for engine in body["engines"]:
        assert list(engine) == ["name", "state", "ready", "processes", "model"]
        assert engine["state"] == "ready"
        assert engine["ready"] == engine["processes"] >= 1
        assert engine["model"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_that_is_chosen_answers_and_says_so(v1, photo, engine):
    mine, also_mine, other = (photo(name) for name in ("obama/obama.jpg", "obama/obama2.jpg", "biden/biden.jpg"))
    assert v1.post("/fr/register", userCode=engine, image=mine, engine=engine).status_code == 200
    for image, is_match in ((also_mine, True), (other, False)):
        for answer in (
            v1.post("/fr/verify", userCode=engine, image=image, engine=engine),
            v1.post("/fr/compare", image1=mine, image2=image, engine=engine),
        ):
            assert (answer.json()["engine"], answer.json()["isMatch"]) == (engine, is_match)
            assert (answer.json()["score"] >= answer.json()["threshold"]) is is_match


def test_the_first_engine_answers_where_none_is_chosen(v1, photo):
    images = {"image1": photo("obama/obama.jpg"), "image2": photo("obama/obama2.jpg")}
    assert v1.post("/fr/compare", **images).json()["engine"] == "ezway"
    assert v1.post("/fr/compare", **images, engine=None).json()["engine"] == "ezway"


def test_a_broken_engine_is_stood_in_for_and_a_mended_one_answers_again(alone, worker, photo):
    mine, also_mine, other = (photo(name) for name in ("obama/obama.jpg", "obama/obama2.jpg", "biden/biden.jpg"))

    def answered() -> set[str]:
        told = set()
        for _ in range(3):
            for image, is_match in ((also_mine, True), (other, False)):
                for path, body in (
                    ("/fr/verify", {"userCode": "fallback", "image": image, "engine": "ezway"}),
                    ("/fr/compare", {"image1": mine, "image2": image, "engine": "ezway"}),
                ):
                    answer = alone.post(path, **body).json()
                    assert answer["isMatch"] is is_match, answer
                    told.add(answer["engine"])
        return told

    with worker() as fault:
        alone.delete("fallback")
        assert alone.post("/fr/register", userCode="fallback", image=mine, engine="ezway").status_code == 200
        assert answered() == {"ezway"}
        fault.write_text("raise")
        assert answered() == {"applemango"}
        # What a worker says of itself is told with its next heartbeat.
        until(lambda: states(alone) == {"ezway": "failed", "applemango": "ready"})
        fault.write_text("")
        until(lambda: states(alone) == {"ezway": "ready", "applemango": "ready"})
        assert answered() == {"ezway"}


def test_40901_is_no_face_worker(alone, environment, photo):
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        client.flushdb()
    image = photo("obama/obama.jpg")
    for answer in (
        alone.post("/fr/register", userCode="u", image=image),
        alone.post("/fr/verify", userCode="u", image=image),
        alone.post("/fr/compare", image1=image, image2=image),
        alone.post("/fr/count", image=image),
        alone.delete("u"),
        alone.get("/fr/engines"),
    ):
        assert error(answer) == (409, "40901")
        assert answer.json()["message"] == "FR 서버 연결 실패"


def test_no_liveness_worker_is_503_and_retry_after(alone, photo):
    answer = alone.post("/liveness/detect", image=photo("obama/obama.jpg"))
    assert error(answer) == (503, "50301")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_call_of_two_jobs_of_which_one_is_refused_is_one_transaction(stack, alone, worker, photo):
    """withLiveness of the root API: the face job is done, and the call is told that there is no liveness worker."""
    with worker(), Fidox(alone.base_url, alone.token) as api:
        assert alone.post("/fr/register", userCode="two jobs", image=photo("obama/obama.jpg")).status_code == 200
        answer = api.post("/face/verify", userCode="two jobs", image=photo("obama/obama2.jpg"), withLiveness=True)
        assert answer.status_code == 503
        api.delete("two jobs")

    def written() -> list[tuple[str, str]]:
        with psycopg.connect(stack.database_url) as connection:
            query = "SELECT operation, outcome FROM transactions WHERE tx_id = %s"
            return connection.execute(query, (answer.headers["X-Transaction-Id"],)).fetchall()

    until(written, "it is recorded")
    time.sleep(2 * FLUSH_S)  # a second one would be written by now
    assert written() == [("verify", "engine_unavailable")]


def test_40901_is_also_every_engine_down(alone, worker, photo):
    images = {"image1": photo("obama/obama.jpg"), "image2": photo("obama/obama2.jpg")}
    with worker("ezway") as fault:
        assert alone.post("/fr/compare", **images).status_code == 200
        fault.write_text("raise")
        for _ in range(3):
            assert error(alone.post("/fr/compare", **images)) == (409, "40901")
        until(lambda: states(alone) == {"ezway": "failed"})
        assert error(alone.post("/fr/count", image=images["image1"])) == (409, "40901")
