"""The least rights that docs/deployment.md gives an account of Redis are enough, and no more than it says."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from gateway.auth.limits import open_limiter
from shared import contracts, keys
from shared.contracts import Dialect, Kind
from shared.queue import open_queue
from shared.redis_client import connect, connect_blocking
from shared.settings import Queue
from tests.faults.failing import redis_server
from tests.support.waiting import until_awaited

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "deployment.md"


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """The address of a Redis as the account that the page describes."""
    said = re.search(r"ACL SETUSER fidox on >\S+ (.+)", PAGE.read_text("utf-8")).group(1)
    with redis_server(tmp_path_factory.mktemp("rights")) as server, redis.Redis(port=server.port) as admin:
        admin.execute_command("ACL", "SETUSER", "fidox", "on", ">secret", *said.split())
        yield f"redis://fidox:secret@127.0.0.1:{server.port}/1"


def test_gateway_worker_and_limits_work_with_them(limited):
    settings = Queue(url=limited)
    environment = os.environ | {"REDIS_URL": limited, "DATABASE_URL": ""}
    worker = subprocess.Popen([sys.executable, "-m", "tests.support.odd_worker"], env=environment, cwd=CHECKOUT)

    async def main() -> None:
        async with open_queue(settings) as queue, open_limiter(settings) as limiter:
            await until_awaited(lambda: queue.live_workers(Kind.FACE))
            answer = await queue.submit(
                contracts.VerifyFace(user_code="blob"),
                [bytes(2_000_000), bytes(5_000_000)],
                tx_id="tx_rights",
                tenant_id=1,
                dialect=Dialect.FIDOX,
                deadline_s=60,
            )
            assert isinstance(answer.outcome, contracts.Verified), answer
            assert (await queue.figures(Kind.FACE)).done == 1
            assert await queue.parts(Kind.FACE)
            await limiter.spend(6000, "tenant", "1")
            await limiter.spend(60, "tenant", "2")
            assert limiter.failed_open == 0

    try:
        asyncio.run(main())
    finally:
        worker.terminate()
        assert worker.wait(60) == 0
    with connect_blocking(settings, patience_s=5) as client:
        assert client.zcard(keys.workers(Kind.FACE)) == 0, "it said goodbye"


@pytest.mark.parametrize("command", [("KEYS", "*"), ("GET", "elsewhere"), ("FLUSHALL",), ("CONFIG", "GET", "*")])
def test_they_are_no_more_than_that_and_what_is_refused_is_said(limited, command):
    async def main() -> None:
        async with connect(Queue(url=limited)) as client:
            await client.execute_command(*command)

    with pytest.raises(redis.ConnectionError, match="cannot serve: NoPermissionError"):
        asyncio.run(main())
