"""Faces through HTTP, beside the same work in a bare loop: what the way through gateway and queue adds."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import httpx
import psutil

from tests.bench.report import Section, percentile
from tests.support.fidox import Fidox
from workers.runtime.supervisor import KEEP_MEMORY

ROOT = Path(__file__).parents[2]
PEOPLE = ROOT.parent / "shared" / "testdata" / "people"
PAIRS = 120
BURST_S = 12.0


def photos() -> list[Path]:
    """Every photo of one person at hand, 0.2 to 2 megapixels."""
    return sorted(path for folder in PEOPLE.iterdir() if not folder.name.startswith("_") for path in folder.iterdir())


def compare(stack) -> Section:
    """`POST /face/compare`: at one client against one bare loop, at eight against the best arrangement of it."""
    section = Section(
        "Compare",
        "`POST /face/compare` over HTTP, photos of `people/` (0.2 to 2 MP) in pairs, each photo decoded, detected and"
        " embedded; beside it the same pairs in a loop without HTTP and without a queue, one process with one thread,"
        " and two such processes. Loops and HTTP take turns in the same run. The client's own CPU counts against the"
        " figures.",
    )
    with Loops(1) as one:
        api = Fidox.login(stack.base_url, stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"])
        bodies = [_pair(a, b) for a, b in itertools.islice(itertools.cycle(itertools.pairwise(photos())), PAIRS)]
        bare: list[float] = []
        http: list[float] = []
        for position, body in enumerate(bodies):
            bare.append(one.pair(position))
            started = time.perf_counter()
            answer = api.client.post("/face/compare", content=body)
            http.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.text
        bare_p50, http_p50 = percentile(bare, 0.5), percentile(http, 0.5)
        section.add("bare loop, p50 a pair", f"{bare_p50:.1f} ms")
        section.add("one client over HTTP, p50", f"{http_p50:.1f} ms")
        section.add("one client over HTTP, p99", f"{percentile(http, 0.99):.1f} ms")
        added = http_p50 - bare_p50
        section.add(
            "added by HTTP, gateway, queue and worker, p50",
            f"{added:.1f} ms",
            "≤ 6 ms",
            added <= 6,
        )
    with Loops(2) as two:
        loop_rate = two.rate(BURST_S)
    rate, client_share = _burst(stack, api.token, bodies)
    section.add("two bare loops", f"{loop_rate:.1f} images/s")
    section.add("eight clients over HTTP", f"{rate:.1f} images/s")
    share = rate / loop_rate
    section.add("eight clients over HTTP, of the two bare loops", f"{100 * share:.0f}%", "≥ 85%", share >= 0.85)
    section.add("of the machine, the clients themselves", f"{100 * client_share:.1f}%")
    return section


def _pair(first: Path, second: Path) -> bytes:
    images = [base64.b64encode(path.read_bytes()).decode() for path in (first, second)]
    return json.dumps({"image1": images[0], "image2": images[1]}).encode()


def _burst(stack, token: str, bodies: list[bytes]) -> tuple[float, float]:
    """Images a second with eight clients, and their share of the machine's CPU."""
    done, until = [0] * 8, time.perf_counter() + BURST_S

    def client(number: int) -> None:
        with httpx.Client(base_url=stack.base_url, timeout=60, headers={"Authorization": f"Bearer {token}"}) as api:
            for body in itertools.cycle(bodies[number:] + bodies[:number]):
                if time.perf_counter() >= until:
                    return
                assert api.post("/face/compare", content=body).status_code == 200
                done[number] += 2

    me = psutil.Process()
    before, started = me.cpu_times(), time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed, after = time.perf_counter() - started, me.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return sum(done) / elapsed, spent / elapsed / (psutil.cpu_count() or 1)


class Loops:
    """`count` processes that each do pairs in a bare loop when they are told to (see `bare_loop.py`)."""

    def __init__(self, count: int) -> None:
        command = [sys.executable, "-m", "tests.bench.bare_loop", *map(str, photos())]
        environment = KEEP_MEMORY | os.environ  # as the worker's processes have it
        self._processes = [
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
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

    def pair(self, position: int) -> float:
        """Milliseconds for one pair."""
        return self._ask(f"pair {position}")[0]

    def rate(self, seconds: float) -> float:
        """Images a second, all processes together, at the same time."""
        return sum(self._ask(f"rate {seconds}"))
