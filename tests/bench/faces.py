"""Faces through HTTP, beside the same work in a bare loop: what the way through gateway and queue adds."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import psutil

from tests.bench.report import Section, percentile
from tests.support.fidox import Fidox
from workers.runtime.supervisor import KEPT_BYTES, keeping

ROOT = Path(__file__).parents[2]
PEOPLE = ROOT.parent / "shared" / "testdata" / "people"
CALLS = 120
CLIENTS = 8
BURST_S = 12.0
# In ms, over the bare loop's time at one client.
MOST_ADDED_MS = 6
LEAST_SHARE = 0.85
LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)


def photos() -> list[Path]:
    """Every photo of one person at hand, 0.2 to 2 megapixels."""
    return sorted(path for folder in PEOPLE.iterdir() if not folder.name.startswith("_") for path in folder.iterdir())


def compare(stack) -> Section:
    """`POST /face/compare`: decode, detect and embed both photos."""
    bodies = [_body(image1=a, image2=b) for a, b in itertools.pairwise(photos())]
    return side_by_side(stack, "Compare", "compare", Calls("/face/compare", bodies, _token(stack)), images_a_call=2)


def count(stack) -> Section:
    """`POST /face/count`: decode and detect."""
    return side_by_side(stack, "Count", "count", counts(stack))


class Calls(NamedTuple):
    """One call with different pictures: its path, its bodies, and the headers that all of them have."""

    path: str
    bodies: list[bytes]
    headers: dict[str, str]


def side_by_side(stack, title: str, work: str, calls: Calls, *, images_a_call: int = 1) -> Section:
    """Those calls over HTTP beside the same `work` in a bare loop."""
    section = Section(
        title,
        f"`POST {calls.path}` over HTTP, photos of `people/` (0.2 to 2 MP); beside it the same work in a loop without"
        " HTTP and without a queue: one process with one thread, taking turns with one client call by call, and two"
        f" such processes against {CLIENTS} clients, one after the other. The clients are plain sockets on the same"
        " cores; their time and CPU count against the figures.",
    )
    bare: list[float] = []
    through: list[float] = []
    with Loops(work, 1) as one, Client(stack, calls.headers) as client:
        for position, body in enumerate(itertools.islice(itertools.cycle(calls.bodies), CALLS)):
            bare.append(one.one(position))
            started = time.perf_counter()
            client.post(calls.path, body)
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
    answered, client_share = burst(stack, calls)
    rate = answered * images_a_call
    section.add("two bare loops", f"{loop_rate:.1f} images/s")
    section.add(f"{CLIENTS} clients over HTTP", f"{rate:.1f} images/s")
    share = rate / loop_rate
    section.add(f"{CLIENTS} clients, of the two bare loops", f"{100 * share:.0f}%", "≥ 85%", share >= LEAST_SHARE)
    section.add("of the machine, the clients themselves", f"{100 * client_share:.1f}%")
    return section


def _body(**images: Path) -> bytes:
    return json.dumps({name: base64.b64encode(path.read_bytes()).decode() for name, path in images.items()}).encode()


def _token(stack) -> dict[str, str]:
    """The headers of a call of the dialects with tokens."""
    with Fidox.login(stack.base_url, stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"]) as api:
        return bearer(api.token)


def bearer(token: str) -> dict[str, str]:
    """The same, of a token that is at hand."""
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def counts(stack) -> Calls:
    """Count calls of every photo."""
    return Calls("/face/count", [_body(image=a) for a in photos()], _token(stack))


def burst(stack, calls: Calls, seconds: float = BURST_S) -> tuple[float, float]:
    """Calls a second of all clients together, and their share of the machine's CPU."""
    done, until = [0] * CLIENTS, time.perf_counter() + seconds

    def run(number: int) -> None:
        start = number % len(calls.bodies)
        with Client(stack, calls.headers) as client:
            for body in itertools.cycle(calls.bodies[start:] + calls.bodies[:start]):
                if time.perf_counter() >= until:
                    return
                client.post(calls.path, body)
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

    def __init__(self, stack, headers: dict[str, str]) -> None:
        where = urlsplit(stack.base_url)
        self._socket = socket.create_connection((where.hostname, where.port), timeout=60)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f"POST %s HTTP/1.1\r\nHost: {where.netloc}\r\n{lines}Content-Length: %d\r\n\r\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def post(self, path: str, body: bytes, *, status: int = 200) -> bytes:
        """The answer's head and body, after checking that its status is this."""
        self._socket.sendall((self._head % (path, len(body))).encode() + body)
        answer, end = b"", None
        while end is None or len(answer) < end:
            received = self._socket.recv(1 << 18)
            assert received, "the gateway hung up"
            answer += received
            if end is None and (head := answer.find(b"\r\n\r\n")) > 0:
                end = head + 4 + int(LENGTH.search(answer, 0, head + 2)[1])
        assert answer.startswith(b"HTTP/1.1 %d" % status), answer[:1000]
        return answer


class Loops:
    """`count` processes that each work in a bare loop when they are told to (see `bare_loop.py`)."""

    def __init__(self, work: str, count: int) -> None:
        command = [sys.executable, "-m", "tests.bench.bare_loop", work, *map(str, photos())]
        environment = keeping(KEPT_BYTES) | os.environ  # as the worker's processes have it
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
