"""Stores that fail under load, and what has to be so afterwards."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import redis

from deploy.local.servers import _redis_server
from tests.support.ports import own_port
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.faults.conftest import Answered

# The issue's own figure.
MOST_S = 10.0
# Calls in a row that are answered well, four clients at a time.
STEADY = 40
CLIENTS = 4
# For what comes after: long enough for each wait of the product to have ended once more.
AFTER_S = 3.0


@dataclass
class RedisServer:
    port: int
    process: subprocess.Popen


@contextmanager
def redis_server(folder: Path, *arguments: str) -> Iterator[RedisServer]:
    """A Redis of the test's own on a port of 127.0.0.1; `arguments` are more of its command line."""
    port = own_port()
    own = folder / str(port)
    own.mkdir()
    command = [str(_redis_server()), *arguments, "--port", str(port), "--dir", str(own)]
    if "--sentinel" not in arguments:
        command += ["--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or _answers(port), "Redis is up")
        assert process.poll() is None, "Redis ended as it started"
        yield RedisServer(port, process)
    finally:
        process.kill()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return client.ping()
    except redis.AuthenticationError:  # it wants a password, so it is there
        return True
    except redis.ConnectionError:
        return False


def written(database_url: str, tx_ids: list[str]) -> int:
    """How many of these calls are in the transactions."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(DISTINCT tx_id) FROM transactions WHERE tx_id = ANY(%s)", [tx_ids])
        return found.fetchone()[0]


@contextmanager
def load(ask):
    """CLIENTS that call for as long as the block runs."""
    told: list[Answered] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            told.append(ask())
            time.sleep(0.05)

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def comes_back(database_url: str, ask, fail) -> None:
    """`fail` under load: the last call that is refused has been within MOST_S, and the records are complete."""
    with load(ask) as told:
        until(lambda: len(told) >= 2 * CLIENTS, "calls are answered")
        failed = time.monotonic()
        fail()

        def is_well() -> bool:
            last = [answer for answer in tuple(told) if answer.began > failed][-STEADY:]
            return len(last) == STEADY and all(answer.status == 200 for answer in last)

        until(is_well, f"{STEADY} calls in a row are answered well")
        time.sleep(AFTER_S)
    refused = [answer for answer in told if answer.status != 200]
    assert {answer.status for answer in refused} <= {503}, refused
    last_s = max((answer.ended - failed for answer in refused), default=0.0)
    assert last_s < MOST_S
    print(f"{len(refused)} of {len(told)} refused, the last one after {last_s:.1f} s")
    tx_ids = [answer.tx_id for answer in told]
    until(lambda: written(database_url, tx_ids) == len(tx_ids), "every call is recorded")
