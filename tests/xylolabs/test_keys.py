"""API keys at the public calls: who gets in, how often, and what is counted of it."""

import asyncio
import threading
import time
from uuid import UUID

import psycopg
import pytest

from gateway.auth.uses import KeyUses
from shared.db.api_keys import ApiKeys
from shared.db.batches import FLUSH_S, running
from shared.db.pool import StoreUnavailableError, open_pool
from shared.settings import Database, Settings, SettingsError
from tests.support.face_api import FaceApi, error, make_key
from tests.support.gateways import gateway_beside
from tests.support.waiting import until


def row(stack, key_id: str) -> tuple[int, object]:
    with psycopg.connect(stack.database_url) as connection:
        query = "SELECT request_count, last_used_at FROM api_keys WHERE id = %s"
        return connection.execute(query, (key_id,)).fetchone()


@pytest.mark.parametrize("call", ["detect", "mask"])
def test_without_a_key_it_is_401(stack, call):
    with FaceApi(stack.base_url) as nobody:
        answer = nobody.send(call, b"", {})
    status, detail = error(answer)
    assert status == 401
    assert "X-API-Key" in detail
    assert answer.headers["WWW-Authenticate"]
    assert UUID(answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    "wrong",
    ["xyl_your_api_key_here", "xyl_" + "A" * 43, "xyl_" + "A" * 100_0, "' OR 1=1 --", "%00", "xyl_" + "/" * 43],
)
@pytest.mark.parametrize("call", ["detect", "mask"])
def test_a_wrong_key_is_401_and_not_told_back(stack, call, wrong):
    with FaceApi(stack.base_url, wrong) as stranger:
        status, detail = error(stranger.send(call, b"", {}))
    assert status == 401
    assert wrong not in detail


def test_no_gateway_remembers_a_key_for_longer_than_5_seconds():
    with pytest.raises(SettingsError, match="FACE_API_KEY_CACHE_S"):
        Settings.from_env({"FACE_API_KEY_CACHE_S": "6"})
    assert Settings().face_api.key_cache_s <= 5


def test_a_key_turned_off_stops_and_comes_back(stack, key, faces):
    def status() -> int:
        return faces.detect(b"").status_code

    def switch(on: bool) -> None:
        with psycopg.connect(stack.database_url) as connection:
            connection.execute("UPDATE api_keys SET is_active = %s WHERE id = %s", (on, key[0]))

    assert status() == 400
    switch(False)
    until(lambda: status() == 401, "it is refused")
    switch(True)
    until(lambda: status() == 400, "it is let in")


@pytest.fixture(scope="module")
def narrow(stack):
    """A gateway that few calls are too many for: a busy machine may take longer than a minute for the defaults."""
    defaults = Settings().face_api
    assert (defaults.detect_rate, defaults.mask_rate) == (300, 150)
    with gateway_beside(stack, FACE_API_DETECT_RATE="30", FACE_API_MASK_RATE="15") as url:
        yield url


@pytest.mark.parametrize(("call", "limit"), [("detect", 30), ("mask", 15)])
def test_so_many_a_minute_a_key_and_then_429_with_retry_after(stack, narrow, key, call, limit):
    with FaceApi(narrow, key[1]) as faces:
        answers = [faces.send(call, b"", {}) for _ in range(limit + 2)]
        statuses = [answer.status_code for answer in answers]
        assert statuses == [400] * limit + [429] * 2
        assert error(answers[-1])[0] == 429
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        # Another call, and another key, have limits of their own.
        assert faces.send("mask" if call == "detect" else "detect", b"", {}).status_code == 400
    with FaceApi(narrow, make_key(stack.database_url, "another")[1]) as other:
        assert other.send(call, b"", {}).status_code == 400


def test_keys_may_be_switched_off_and_then_an_address_is_limited(stack, jpeg):
    with (
        gateway_beside(stack, FACE_API_API_KEY_ENABLED="false", FACE_API_DETECT_RATE="3") as url,
        FaceApi(url) as anybody,
    ):
        answers = [anybody.detect(jpeg("obama/obama.jpg")) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_without_a_database_keys_are_501_and_without_keys_it_works(stack, jpeg):
    # With neither a DATABASE_URL nor keys only detect and mask are left, and those need none.
    with gateway_beside(stack, DATABASE_URL="") as url, FaceApi(url, "xyl_" + "A" * 43) as caller:
        status, detail = error(caller.detect(jpeg("obama/obama.jpg")))
        assert status == 501
        assert "DATABASE_URL" in detail
    with gateway_beside(stack, DATABASE_URL="", FACE_API_API_KEY_ENABLED="false") as url, FaceApi(url) as anybody:
        assert anybody.detect(jpeg("obama/obama.jpg")).status_code == 200
        health = anybody.client.get("/health")
        assert health.status_code == 200
        assert health.json()["components"]["database"] == {"status": "disabled"}


def test_every_request_is_counted_and_when_it_was_last(stack, key):
    """Right under load, with several connections at once."""
    calls, clients = 20, 8

    def use() -> None:
        with FaceApi(stack.base_url, key[1]) as client:
            for _ in range(calls):
                client.detect(b"")

    threads = [threading.Thread(target=use) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: row(stack, key[0])[0] >= calls * clients, "all are counted")
    count, last = row(stack, key[0])
    assert count == calls * clients
    assert last is not None


def test_counts_survive_the_gateways_stop(stack):
    key_id, key = make_key(stack.database_url, "stopping")
    with gateway_beside(stack) as url, FaceApi(url, key) as client:
        for _ in range(7):
            client.detect(b"")
    assert row(stack, key_id)[0] == 7


def test_counting_costs_no_write_a_request(stack):
    key_id, _ = make_key(stack.database_url, "batched")
    writes = 0

    class Counting(ApiKeys):
        async def add_uses(self, uses) -> None:
            nonlocal writes
            writes += 1
            await super().add_uses(uses)

    async def use() -> None:
        async with open_pool(Database(url=stack.database_url)) as pool, running(KeyUses(Counting(pool))) as uses:
            for _ in range(1000):
                uses.count(UUID(key_id))
                await asyncio.sleep(0)

    began = time.monotonic()
    asyncio.run(use())
    # One in each half second, and one at the end.
    assert writes <= (time.monotonic() - began) / FLUSH_S + 1
    assert row(stack, key_id)[0] == 1000


def test_what_could_not_be_written_is_kept():
    class Away:
        """Fails once."""

        def __init__(self) -> None:
            self.is_away = True
            self.told: dict = {}

        async def add_uses(self, uses) -> None:
            if self.is_away:
                self.is_away = False
                raise StoreUnavailableError
            self.told = uses

    async def use() -> None:
        store = Away()
        uses = KeyUses(store)
        one = UUID(int=1)
        uses.count(one)
        uses.count(one)
        with pytest.raises(StoreUnavailableError):
            await uses.flush()
        uses.count(one)
        await uses.flush()
        assert store.told[one][0] == 3
        assert len(uses) == 0

    asyncio.run(use())


def test_only_a_hash_of_a_key_is_kept(stack, key):
    with psycopg.connect(stack.database_url) as connection:
        text = str(connection.execute("SELECT * FROM api_keys WHERE id = %s", (key[0],)).fetchone())
    assert key[1] not in text
    assert key[1][8:-4] not in text
