"""Redis or PostgreSQL away: a documented 503 meanwhile, in time, and recovery without a restart of anything else."""

import secrets
import signal
import time

import psutil
import psycopg
import pytest

from tests.faults.conftest import LEASE_S, away, frozen, pids
from tests.support.fidox import error
from tests.support.waiting import until

OK = (200, "00000")
# The code of a call that was not answered before its deadline.
LATE = "SYS003"


@pytest.fixture(autouse=True)
def nothing_else_restarts(stack, api):
    before = pids(stack)
    yield
    broken = {"redis", "postgres"}
    assert {n: p for n, p in pids(stack).items() if n not in broken} == {
        n: p for n, p in before.items() if n not in broken
    }


def recovers(api, photo) -> None:
    image = photo("obama/obama.jpg")
    until(lambda: api.post("/face/count", image=image).status_code == 200, "a call is answered again")


def test_redis_away(stack, load, api, photo):
    with load() as calls:
        calls.wait_for(10)
        with away(stack, "redis"):
            for _ in range(10):
                # Told at once: after its deadline it would have another code.
                assert error(api.post("/face/count", image=photo("obama/obama.jpg"))) == (503, "SYS004")
                time.sleep(0.2)
        calls.wait_well(since=time.monotonic())
    calls.check()


def test_redis_killed(stack, load, api, photo):
    redis = stack.children["redis"]
    before = redis.pid
    with load() as calls:
        calls.wait_for(10)
        killed = time.monotonic()
        psutil.Process(before).kill()
        until(lambda: redis.pid not in {None, before}, "Redis is started again")
        calls.wait_well(since=time.monotonic())
    calls.check()
    codes = [answer.code for answer in calls.answers if answer.began < killed < answer.ended]
    assert codes
    assert LATE not in codes, "lost jobs are told before their deadline"


def test_redis_that_stands_still(stack, load, api, photo):
    with load(2) as calls, frozen(psutil.Process(stack.children["redis"].pid)):
        calls.wait_for(2, status=503)
    calls.check()
    recovers(api, photo)


def test_redis_out_of_memory(stack, client, api, photo):
    limit = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", "1mb")
    try:
        # For longer than a lease, which workers are to renew all the while.
        end = time.monotonic() + 1.5 * LEASE_S
        while time.monotonic() < end:
            answer = api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=photo("biden/biden.jpg"))
            assert error(answer) == (503, "SYS002")
            assert int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.2)
    finally:
        client.config_set("maxmemory", limit)
    recovers(api, photo)


def test_postgresql_away(stack, load, api, photo):
    user, image = f"fault-{secrets.token_hex(4)}", photo("obama/obama.jpg")
    assert api.post("/face/register", userCode=user, image=image).status_code == 200
    with load(2) as calls:
        calls.wait_for(2)
        with away(stack, "postgres"):
            gone = time.monotonic()
            for path in ("/face/register", "/face/verify"):
                # Before its deadline: after it, it would have another code.
                answer = api.post(path, userCode=user, image=image)
                assert error(answer) == (503, "SYS004")
                assert int(answer.headers["Retry-After"]) >= 1
            keys = {"accessKey": stack.demo["ACCESS_KEY"], "secretKey": stack.demo["SECRET_KEY"]}
            assert error(api.post("/auth/client/token", **keys)) == (503, "SYS004")
            calls.wait_for(6, since=gone)
            back = time.monotonic()
    told = calls.check()
    assert set(told) == {OK}, "comparing needs no database"
    until(lambda: api.post("/face/verify", userCode=user, image=image).status_code == 200, "it verifies again")
    assert api.delete(user).status_code == 200
    meanwhile = [a.tx_id for a in calls.answers if gone < a.began and a.ended < back]
    assert len(meanwhile) > 5

    def written() -> int:
        with psycopg.connect(stack.database_url) as connection:
            return connection.execute(
                "SELECT count(*) FROM transactions WHERE tx_id = ANY(%s)", [meanwhile]
            ).fetchone()[0]

    until(lambda: written() == len(meanwhile), "what was done meanwhile is recorded")


def test_postgresql_restarted(stack, load, api, photo):
    """As an operator restarts it: sessions are ended, and the pools find out."""
    postgres, user, image = stack.children["postgres"], f"fault-{secrets.token_hex(4)}", photo("biden/biden.jpg")
    assert api.post("/face/register", userCode=user, image=image).status_code == 200
    before = postgres.pid
    postgres._process.send_signal(signal.SIGINT)
    told: list[int] = []

    def is_back() -> bool:
        answer = api.post("/face/verify", userCode=user, image=image)
        told.append(answer.status_code)
        assert told[-1] in {200, 503}, answer.text
        return postgres.pid not in {None, before} and told[-3:] == [200] * 3

    until(is_back, "it verifies again")
