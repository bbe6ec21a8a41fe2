"""The queue on its own Redis database, with workers that a test starts and kills."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from shared import keys
from shared.contracts import Kind
from tests.support.waiting import until

# Short, for the tests that wait for one to run out; long enough that a worker on a busy machine renews it in time.
LEASE_S = 2.0
CHECKOUT = Path(__file__).parents[2]


class Workers:
    """Worker processes of `tests.support.odd_worker`."""

    def __init__(self, environment: dict[str, str], client: redis.Redis) -> None:
        self._environment = environment
        self._client = client
        self.processes: list[subprocess.Popen] = []

    def start(self, count: int = 1, slots: int = 1, stuck_s: float = 0) -> list[subprocess.Popen]:
        started = [self._spawn(str(slots), str(stuck_s)) for _ in range(count)]
        pids = {process.pid for process in started}
        until(lambda: pids <= self.alive(), "the workers are up")
        return started

    def supervise(self, count: int) -> subprocess.Popen:
        """A supervisor with so many processes, which are all up."""
        supervisor = self._spawn("--supervised", str(count))
        self.wait_supervised(supervisor, count)
        return supervisor

    def _spawn(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.support.odd_worker", *arguments]
        process = subprocess.Popen(command, env=self._environment, cwd=CHECKOUT)
        self.processes.append(process)
        return process

    def wait_supervised(self, supervisor: subprocess.Popen, count: int) -> None:
        until(lambda: len(pids(supervisor) & self.alive()) == count, "the supervised workers are up")

    def alive(self) -> set[int]:
        """The process ids of those that gave a sign of life within a lease."""
        seconds, micros = self._client.time()
        found = self._client.zrangebyscore(keys.workers(Kind.FACE), seconds * 1000 + micros // 1000, "+inf")
        return {int(worker.split(b":")[1]) for worker in found}

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            process.wait(60)


def pids(supervisor: subprocess.Popen) -> set[int]:
    """The processes that it has at the moment."""
    return {child.pid for child in psutil.Process(supervisor.pid).children()}


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
