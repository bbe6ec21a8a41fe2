"""Redis or PostgreSQL away: a documented 503 meanwhile, in time, and recovery without a restart of anything else."""

import secrets
import signal
import time

import psutil
import psycopg
import pytest

from tests.faults.conftest import DEADLINE_S, SLACK_S, away, frozen, pids
from tests.support.fidox import error
from tests.support.waiting import until

OK = (200, "00000")


@pytest.fixture(autouse=True)
def nothing_else_restarts(stack, api):
    before = pids(stack)
    yield
    broken = {"redis", "postgres"}
    assert {n: p for n, p in pids(stack).items() if n not in broken} == {
        n: p for n, p in before.items() if n not in broken
    }


def recovers(api, photo, patience_s: float = 5.0) -> None:
    image = photo("obama/obama.jpg")
    until(lambda: api.post("/face/count", image=image).status_code == 200, patience_s)


def test_redis_away(stack, load, api, photo):
    with load() as calls:
        time.sleep(1)
        with away(stack, "redis"):
            for _ in range(10):
                asked = time.monotonic()
                answer = api.post("/face/count", image=photo("obama/obama.jpg"))
                assert error(answer) == (503, "SYS004")
                assert time.monotonic() - asked < 1
                time.sleep(0.2)
        back = time.monotonic()
        time.sleep(4)
    told = calls.check()
    assert told[OK] > 10
    assert all(answer.status == 200 for answer in calls.answers if answer.began > back + 3)


def test_redis_killed(stack, load, api, photo):
    redis = stack.children["redis"]
    before = redis.pid
    with load() as calls:
        time.sleep(0.5)
        psutil.Process(before).kill()
        killed = time.monotonic()
        until(lambda: redis.pid not in {None, before})
        back = time.monotonic()
        time.sleep(4)
    calls.check()
    assert all(answer.seconds < 5 for answer in calls.answers if answer.ended > killed), "lost jobs are told at once"
    assert all(answer.status == 200 for answer in calls.answers if answer.began > back + 3)


def test_redis_that_stands_still(stack, load, api, photo):
    with load(2) as calls, frozen(psutil.Process(stack.children["redis"].pid)):
        time.sleep(DEADLINE_S + SLACK_S)
    calls.check()
    recovers(api, photo)


def test_redis_out_of_memory(stack, client, api, photo):
    limit = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", "1mb")
    try:
        until = time.monotonic() + 4.5
        while time.monotonic() < until:
            answer = api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=photo("biden/biden.jpg"))
            assert error(answer) == (503, "SYS002")
            assert int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.2)
    finally:
        client.config_set("maxmemory", limit)
    recovers(api, photo, 2)


def test_postgresql_away(stack, load, api, photo):
    user, image = f"fault-{secrets.token_hex(4)}", photo("obama/obama.jpg")
    assert api.post("/face/register", userCode=user, image=image).status_code == 200
    with load(2) as calls:
        time.sleep(0.5)
        with away(stack, "postgres"):
            gone = time.monotonic()
            for path in ("/face/register", "/face/verify"):
                asked = time.monotonic()
                answer = api.post(path, userCode=user, image=image)
                assert error(answer) == (503, "SYS004")
                assert int(answer.headers["Retry-After"]) >= 1
                assert time.monotonic() - asked < DEADLINE_S
            keys = {"accessKey": stack.demo["ACCESS_KEY"], "secretKey": stack.demo["SECRET_KEY"]}
            assert error(api.post("/auth/client/token", **keys)) == (503, "SYS004")
            back = time.monotonic()
    told = calls.check()
    assert set(told) == {OK}, "comparing needs no database"
    until(lambda: api.post("/face/verify", userCode=user, image=image).status_code == 200)
    assert api.delete(user).status_code == 200
    meanwhile = [a.tx_id for a in calls.answers if gone < a.began and a.ended < back]
    assert len(meanwhile) > 5

    def written() -> int:
        with psycopg.connect(stack.database_url) as connection:
            return connection.execute(
                "SELECT count(*) FROM transactions WHERE tx_id = ANY(%s)", [meanwhile]
            ).fetchone()[0]

    until(lambda: written() == len(meanwhile))


def test_postgresql_restarted(stack, load, api, photo):
    """As an operator restarts it: sessions are ended, and the pools find out."""
    postgres, user, image = stack.children["postgres"], f"fault-{secrets.token_hex(4)}", photo("biden/biden.jpg")
    assert api.post("/face/register", userCode=user, image=image).status_code == 200
    before = postgres.pid
    postgres._process.send_signal(signal.SIGINT)
    told = []
    until = time.monotonic() + 15
    while time.monotonic() < until:
        asked = time.monotonic()
        answer = api.post("/face/verify", userCode=user, image=image)
        assert time.monotonic() - asked < DEADLINE_S + SLACK_S
        told.append(answer.status_code)
        assert told[-1] in {200, 503}, answer.text
        if postgres.pid not in {None, before} and told[-3:] == [200] * 3:
            break
    assert told[-1] == 200
