"""Faces through HTTP, beside the same work in a bare loop: what the way through gateway and queue adds."""

from __future__ import annotations

import base64
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

from tests.bench.report import Section, percentile
from tests.support.fidox import Fidox
from workers.runtime.supervisor import KEEP_MEMORY

ROOT = Path(__file__).parents[2]
PEOPLE = ROOT.parent / "shared" / "testdata" / "people"
CALLS = 120
CLIENTS = 8
BURST_S = 12.0
# In ms, over the bare loop's time at one client.
MOST_ADDED_MS = 6
LEAST_SHARE = 0.85


def photos() -> list[Path]:
    """Every photo of one person at hand, 0.2 to 2 megapixels."""
    return sorted(path for folder in PEOPLE.iterdir() if not folder.name.startswith("_") for path in folder.iterdir())


def compare(stack) -> Section:
    """`POST /face/compare`: decode, detect and embed both photos."""
    bodies = [_body(image1=a, image2=b) for a, b in itertools.pairwise(photos())]
    return _side_by_side(stack, "Compare", "compare", "/face/compare", bodies, images_a_call=2)


def count(stack) -> Section:
    """`POST /face/count`: decode and detect."""
    return _side_by_side(stack, "Count", "count", "/face/count", [_body(image=a) for a in photos()], images_a_call=1)


def _side_by_side(stack, title: str, work: str, path: str, bodies: list[bytes], images_a_call: int) -> Section:
    section = Section(
        title,
        f"`POST {path}` over HTTP, photos of `people/` (0.2 to 2 MP); beside it the same work in a loop without HTTP"
        " and without a queue: one process with one thread, taking turns with one client call by call, and two such"
        f" processes against {CLIENTS} clients, one after the other. The clients are plain sockets on the same"
        " cores; their time and CPU count against the figures.",
    )
    with Fidox.login(stack.base_url, stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"]) as api:
        token = api.token
    bare: list[float] = []
    through: list[float] = []
    with Loops(work, 1) as one, Client(stack, token) as client:
        for position, body in enumerate(itertools.islice(itertools.cycle(bodies), CALLS)):
            bare.append(one.one(position))
            started = time.perf_counter()
            client.post(path, body)
            through.append((time.perf_counter() - started) * 1000)
    bare_p50, http_p50 = percentile(bare, 0.5), percentile(through, 0.5)
    section.add("bare loop, p50 a call", f"{bare_p50:.1f} ms")
    section.add("one client over HTTP, p50", f"{http_p50:.1f} ms")
    section.add("one client over HTTP, p99", f"{percentile(through, 0.99):.1f} ms")
    added = http_p50 - bare_p50
    section.add(
        "added by HTTP, gateway, queue and worker, p50",
        f"{added:.1f} ms",
        f"≤ {MOST_ADDED_MS} ms",
        added <= MOST_ADDED_MS,
    )
    with Loops(work, 2) as two:
        loop_rate = two.rate(BURST_S)
    calls, client_share = _burst(stack, token, path, bodies)
    rate = calls * images_a_call
    section.add("two bare loops", f"{loop_rate:.1f} images/s")
    section.add(f"{CLIENTS} clients over HTTP", f"{rate:.1f} images/s")
    share = rate / loop_rate
    section.add(f"{CLIENTS} clients, of the two bare loops", f"{100 * share:.0f}%", "≥ 85%", share >= LEAST_SHARE)
    section.add("of the machine, the clients themselves", f"{100 * client_share:.1f}%")
    return section


def _body(**images: Path) -> bytes:
    return json.dumps({name: base64.b64encode(path.read_bytes()).decode() for name, path in images.items()}).encode()


def _burst(stack, token: str, path: str, bodies: list[bytes]) -> tuple[float, float]:
    """Calls a second of all clients together, and their share of the machine's CPU."""
    done, until = [0] * CLIENTS, time.perf_counter() + BURST_S

    def run(number: int) -> None:
        start = number % len(bodies)
        with Client(stack, token) as client:
            for body in itertools.cycle(bodies[start:] + bodies[:start]):
                if time.perf_counter() >= until:
                    return
                client.post(path, body)
                done[number] += 1

    me = psutil.Process()
    before, started = me.cpu_times(), time.perf_counter()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed, after = time.perf_counter() - started, me.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return sum(done) / elapsed, spent / elapsed / (psutil.cpu_count() or 1)


class Client:
    """One connection that is kept open. The plainest there is: what it costs is taken from what is measured."""

    def __init__(self, stack, token: str) -> None:
        where = urlsplit(stack.base_url)
        self._socket = socket.create_connection((where.hostname, where.port), timeout=60)
        self._head = (
            f"POST %s HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def post(self, path: str, body: bytes) -> None:
        self._socket.sendall((self._head % (path, len(body))).encode() + body)
        answer = b""
        # An answer of these calls is one JSON object of a few hundred bytes, and ends with it.
        while not (answer.endswith(b"}") and b"\r\n\r\n{" in answer):
            received = self._socket.recv(65536)
            assert received, "the gateway hung up"
            answer += received
        assert answer.startswith(b"HTTP/1.1 200"), answer


class Loops:
    """`count` processes that each work in a bare loop when they are told to (see `bare_loop.py`)."""

    def __init__(self, work: str, count: int) -> None:
        command = [sys.executable, "-m", "tests.bench.bare_loop", work, *map(str, photos())]
        environment = KEEP_MEMORY | os.environ  # as the worker's processes have it
        pipe = subprocess.PIPE
        self._processes = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
            for _ in range(count)
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            assert process.stdout.readline().strip() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.stdin.close()
            process.wait(30)

    def _ask(self, order: str) -> list[float]:
        for process in self._processes:
            process.stdin.write(order + "\n")
            process.stdin.flush()
        return [float(process.stdout.readline()) for process in self._processes]

    def one(self, position: int) -> float:
        """Milliseconds for one call's work."""
        return self._ask(f"one {position}")[0]

    def rate(self, seconds: float) -> float:
        """Images a second, all processes together, at the same time."""
        return sum(self._ask(f"rate {seconds}"))
