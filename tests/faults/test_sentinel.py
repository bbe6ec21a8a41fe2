"""Redis behind three sentinels: a primary that falls silent is replaced, and calls come back by themselves."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from shared.redis_client import connect_blocking, sentinel_addresses
from shared.settings import Queue
from tests.faults.failing import comes_back, redis_server
from tests.support.gateways import gateway_process_beside
from tests.support.waiting import until

CHECKOUT = Path(__file__).parents[2]
NAME = "fidox-test"
PASSWORD = "sentinels-only"
# What says that a primary is gone, and how soon: what operators set, here short.
DOWN_MS = 1000


class Stores:
    """A primary, a replica and three sentinels; a gateway and a worker that know the sentinels alone."""

    def __init__(self, stack, folder: Path, parts: ExitStack) -> None:
        self.database_url = stack.database_url
        first = parts.enter_context(redis_server(folder))
        second = parts.enter_context(redis_server(folder, "--replicaof", "127.0.0.1", str(first.port)))
        self.servers = {server.port: server.process for server in (first, second)}
        self.sentinels = [self._sentinel(folder, parts, first.port, number) for number in range(3)]
        self.settings = Queue(
            url="redis://127.0.0.1:1/0",
            sentinels=tuple(f"127.0.0.1:{port}" for port in self.sentinels),
            sentinel_master=NAME,
            sentinel_password=PASSWORD,
        )
        until(self._know_one_another, "the sentinels know one another and the replica")
        environment = {
            "REDIS_URL": self.settings.url,
            "FIDOX_REDIS_SENTINELS": ",".join(self.settings.sentinels),
            "FIDOX_REDIS_SENTINEL_MASTER": NAME,
            "FIDOX_REDIS_SENTINEL_PASSWORD": PASSWORD,
        }
        command = [sys.executable, "-m", "tests.support.odd_worker", "4"]
        worker = subprocess.Popen(command, env={**stack.environment, **environment}, cwd=CHECKOUT)
        parts.callback(worker.wait, 60)
        parts.callback(worker.terminate)
        self.url, _ = parts.enter_context(gateway_process_beside(stack, **environment))

    def _sentinel(self, folder: Path, parts: ExitStack, primary: int, number: int) -> int:
        configuration = folder / f"sentinel{number}.conf"
        configuration.write_text(
            f"requirepass {PASSWORD}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {primary} 2\n"
            f"sentinel down-after-milliseconds {NAME} {DOWN_MS}\n"
            f"sentinel failover-timeout {NAME} 5000\n"
        )
        return parts.enter_context(redis_server(folder, str(configuration), "--sentinel")).port

    def _know_one_another(self) -> bool:
        for port in self.sentinels:
            with redis.Redis(port=port, password=PASSWORD) as client:
                seen = client.sentinel_master(NAME)
                if (seen["num-other-sentinels"], seen["num-slaves"]) != (2, 1):
                    return False
        return True

    @property
    def primary(self) -> int:
        with redis.Redis(port=self.sentinels[0], password=PASSWORD) as client:
            return client.sentinel_get_master_addr_by_name(NAME)[1]


@pytest.fixture(scope="module")
def stores(stack, tmp_path_factory):
    with ExitStack() as parts:
        yield Stores(stack, tmp_path_factory.mktemp("sentinels"), parts)


def test_a_primary_that_falls_silent_is_replaced(stores, ask):
    before = stores.primary
    silent = stores.servers[before]
    try:
        comes_back(stores.database_url, ask, lambda: silent.send_signal(signal.SIGSTOP))
        assert stores.primary != before
        # What operators and metrics ask finds it, too.
        with connect_blocking(stores.settings, patience_s=2.0) as client:
            assert client.info("replication")["role"] == "master"
    finally:
        silent.send_signal(signal.SIGCONT)


def test_an_address_without_a_port_has_the_usual_one():
    assert sentinel_addresses(["one:1", "two", "[::1]:3"]) == [("one", 1), ("two", 26379), ("::1", 3)]
