"""The queue on its own Redis database, with workers that a test starts and kills."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from shared import keys
from shared.contracts import Kind

LEASE_S = 1.0
CHECKOUT = Path(__file__).parents[2]


class Workers:
    """Worker processes of `tests.support.odd_worker`."""

    def __init__(self, environment: dict[str, str], client: redis.Redis) -> None:
        self._environment = environment
        self._client = client
        self.processes: list[subprocess.Popen] = []

    def start(self, count: int = 1, slots: int = 1, stuck_s: float = 0) -> list[subprocess.Popen]:
        before = self.alive()
        started = [self._spawn(str(slots), str(stuck_s)) for _ in range(count)]
        self.wait_alive(before + count)
        return started

    def supervise(self, count: int) -> subprocess.Popen:
        """A supervisor with so many processes."""
        before, supervisor = self.alive(), self._spawn("--supervised", str(count))
        self.wait_alive(before + count)
        return supervisor

    def _spawn(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.support.odd_worker", *arguments]
        process = subprocess.Popen(command, env=self._environment, cwd=CHECKOUT)
        self.processes.append(process)
        return process

    def wait_alive(self, count: int) -> None:
        until = time.monotonic() + 20
        while self.alive() < count:
            assert time.monotonic() < until, "the workers did not come up"
            time.sleep(0.05)

    def alive(self) -> int:
        seconds, micros = self._client.time()
        return self._client.zcount(keys.workers(Kind.FACE), seconds * 1000 + micros // 1000, "+inf")

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            process.wait(20)


@pytest.fixture
def redis_url(stack) -> str:
    """Another database of the stack's Redis: nothing here meets the stack's own worker."""
    return stack.redis_url.replace("db=0", "db=5")


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as connected:
        connected.flushdb()
        yield connected


@pytest.fixture
def workers(stack, redis_url, client):
    environment = os.environ | {
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": redis_url,
        "FIDOX_LEASE_S": str(LEASE_S),
    }
    running = Workers(environment, client)
    yield running
    running.stop()


@pytest.fixture
def run():
    """Runs a coroutine: one event loop a test, closed at its end."""
    with asyncio.Runner() as runner:
        yield runner.run
