"""Connections to Redis are few, and whoever waits for one is told when it takes too long."""

import asyncio

import pytest
import redis

from shared import redis_client
from shared.redis_client import connect
from shared.settings import Queue
from tests.faults.failing import redis_server


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def test_a_client_holds_no_more_connections_than_it_may_and_the_others_wait(url):
    async def main() -> int:
        async with connect(Queue(url=url), most=2) as client:
            await asyncio.gather(*(client.execute_command("BLPOP", "nothing", 0.1) for _ in range(6)))
            await asyncio.gather(*(client.set(f"key{number}", bytes(200_000)) for number in range(20)))
            return len(await client.client_list())

    assert asyncio.run(main()) == 2


def test_who_waits_too_long_for_a_connection_is_told(url, monkeypatch):
    async def main() -> None:
        async with connect(Queue(url=url), most=1) as client:
            waiting = asyncio.create_task(client.execute_command("BLPOP", "nothing", 1.5))
            await asyncio.sleep(0.1)
            monkeypatch.setattr(redis_client, "PATIENCE_S", 0.2)
            with pytest.raises(redis.ConnectionError, match="all connections are in use"):
                await client.ping()
            assert await waiting is None
            assert await client.ping()

    asyncio.run(main())
