"""Redis or PostgreSQL gone without a word, or demoted: calls come back by themselves, and none is lost to the records.

A proxy stands before each store. It swallows what is open, as a host that has gone does, and sends new connections to
the successor, as a name, a floating address or a load balancer does.
"""

import asyncio
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import redis

from shared import keys
from shared.contracts import Kind
from shared.db.pool import Pool, StoreUnavailableError, connection, open_pool
from shared.settings import Database
from tests.faults.failing import CLIENTS, MOST_S, comes_back, redis_server, written
from tests.support.gateways import gateway_process_beside
from tests.support.proxy import Proxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.faults.conftest import Answered

CHECKOUT = Path(__file__).parents[2]
IDLE_S = 8.0
# What Kubernetes gives a probe (k8s/base/gateway/deployment.yaml).
PROBE_TIMEOUT_S = 4.0
# A port on which nobody listens: below those that are given to anybody.
NOWHERE = 1


class Stores:
    """Two Redis servers, and the stack's PostgreSQL as its own successor; a gateway and a worker that reach them."""

    def __init__(self, stack, folder: Path, parts: ExitStack) -> None:
        self.servers = [parts.enter_context(redis_server(folder)).port for _ in range(2)]
        self.redis = parts.enter_context(Proxy(self.servers[0]))
        sockets = parse_qs(urlsplit(stack.database_url).query)["host"][0]
        self._postgres_socket = f"{sockets}/.s.PGSQL.5432"
        self.postgres = parts.enter_context(Proxy(self._postgres_socket))
        self.database_url = stack.database_url
        environment = {
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/0",
            "DATABASE_URL": f"postgresql://postgres:@127.0.0.1:{self.postgres.port}/postgres",
            "FIDOX_KEY_CACHE_S": "0",
        }
        self.ready_file = folder / "ready"
        command = [sys.executable, "-m", "tests.support.odd_worker", "--supervised", "1"]
        variables = {**stack.environment, **environment, "FIDOX_READY_FILE": str(self.ready_file)}
        self.worker = subprocess.Popen(command, env=variables, cwd=CHECKOUT)
        parts.callback(self.worker.wait, 60)
        parts.callback(self.worker.terminate)
        self.url, self.gateway_pid = parts.enter_context(gateway_process_beside(stack, **environment))

    @property
    def other(self) -> int:
        """The Redis that is not the primary now."""
        return next(port for port in self.servers if port != self.redis.target)

    def successor(self) -> int:
        """The other one, empty and writable."""
        with redis.Redis(port=self.other) as client:
            client.replicaof("NO", "ONE")
            client.flushall()
        return self.other

    def vanish(self, *names: str) -> None:
        if "redis" in names:
            assert self.redis.open
            self.redis.vanish(self.successor())
        if "postgres" in names:
            assert self.postgres.open
            self.postgres.vanish(self._postgres_socket)

    def readiness(self) -> httpx.Response:
        return httpx.get(f"{self.url}/health/ready", timeout=30)

    def alive(self) -> set[bytes]:
        """The worker processes that the primary knows."""
        with redis.Redis(port=self.redis.target) as client:
            return set(client.zrange(keys.workers(Kind.FACE), 0, -1))


@pytest.fixture(scope="module")
def stores(stack, tmp_path_factory):
    with ExitStack() as parts:
        yield Stores(stack, tmp_path_factory.mktemp("stores"), parts)


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_store_that_vanishes_without_a_word(stores, ask, name):
    comes_back(stores.database_url, ask, lambda: stores.vanish(name))


def test_stores_that_vanish_while_nobody_calls(stores, ask):
    stores.vanish("redis", "postgres")
    time.sleep(IDLE_S)
    told: list[Answered] = []
    threads = [threading.Thread(target=lambda: told.append(ask())) for _ in range(2 * CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in told] == [200] * 2 * CLIENTS
    tx_ids = [answer.tx_id for answer in told]
    until(lambda: written(stores.database_url, tx_ids) == len(tx_ids), "every call is recorded")


def test_a_redis_that_is_demoted_and_keeps_its_connections(stores, ask):
    """A planned failover: the old primary follows the new one, and the name is moved."""

    def fail_over() -> None:
        old, new = stores.redis.target, stores.successor()
        with redis.Redis(port=old) as client:
            client.replicaof("127.0.0.1", new)
        stores.redis.move(new)

    comes_back(stores.database_url, ask, fail_over)
    assert len(stores.alive()) == 1


def test_without_redis_nothing_is_ready_everything_is_alive_and_it_is_told_soon(stores, ask):
    """What was open is swallowed, and nobody listens at the address any more."""
    workers = stores.alive()
    until(lambda: stores.ready_file.read_text() == "", "the worker is ready")
    assert stores.readiness().json() == {
        "status": "ok",
        "redis": "ok",
        "face": "ok",
        "liveness": "no live worker",
        "ocr": "no live worker",
        "database": "ok",
    }
    successor = stores.successor()
    stores.redis.vanish(NOWHERE)
    began = time.monotonic()
    answer = stores.readiness()
    assert time.monotonic() - began < PROBE_TIMEOUT_S
    assert answer.status_code == 503
    assert (answer.json()["redis"], answer.json()["database"]) == ("unavailable", "ok")
    assert httpx.get(f"{stores.url}/health/live", timeout=30).status_code == 200
    until(lambda: stores.ready_file.read_text() != "", "the worker is not ready")
    assert time.time() - stores.ready_file.stat().st_mtime < 15, "and it is alive"
    stores.redis.move(successor)
    until(lambda: stores.readiness().status_code == 200, "the gateway is ready again")
    until(lambda: stores.ready_file.read_text() == "", "the worker is ready again")
    assert stores.alive() == workers, "nothing was restarted"


def test_an_installation_of_one_kind_of_worker_gets_ready(stack, stores):
    """Another database of the same Redis, where only this kind has a heartbeat."""
    with (
        redis.Redis(port=stores.redis.target, db=1) as client,
        gateway_process_beside(stack, REDIS_URL=f"redis://127.0.0.1:{stores.redis.target}/1") as (url, _),
    ):
        for kind in (Kind.OCR, Kind.LIVENESS):
            client.flushdb()
            answer = httpx.get(f"{url}/health/ready", timeout=30)
            assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
            client.zadd(keys.workers(kind), {"host:1:a:b": (time.time() + 60) * 1000})
            until(lambda: httpx.get(f"{url}/health/ready", timeout=30).status_code == 200, "it is ready")


def test_a_postgresql_that_vanishes_in_the_middle_of_a_statement(stores):
    url = f"postgresql://postgres:@127.0.0.1:{stores.postgres.port}/postgres"
    settings = Database(url=url, statement_timeout_s=1.0, pool_size=1)

    async def vanish_meanwhile(pool: Pool) -> None:
        async with connection(pool) as conn:
            asyncio.get_running_loop().call_later(0.2, stores.vanish, "postgres")
            await conn.execute("SELECT pg_sleep(0.5)")

    async def main() -> None:
        async with open_pool(settings) as pool:
            with pytest.raises(StoreUnavailableError):
                await vanish_meanwhile(pool)
            async with connection(pool) as conn:
                await conn.execute("SELECT 1")

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < MOST_S
