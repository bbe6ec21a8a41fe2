"""Another checkout beside this one, taking turns: what a change cost or gained, on the same cores in the same minutes.

    .venv/bin/python -m tests.bench.versus ../OTHER [--rounds 5] [--seconds 6] [--set FIDOX_PRECISION=f32]

Each checkout runs a stack with its own packages, on ports of its own; the one whose turn it is not has nothing to do. A
ratio is this checkout's figure over the other's in the same round, and its median over the rounds is what counts.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import psutil

from shared.contracts import IdType
from tests.bench.faces import Calls, Client, bearer, burst, photos
from tests.bench.report import machine, percentile
from tests.specimens import specimen
from tests.support.fidox import Fidox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).parents[2]
CARDS_A_TYPE = 3
FIRST_SEED = 7000


class Side:
    """One checkout's stack, as the benchmarks want it."""

    def __init__(self, checkout: Path, port: int, environment: dict[str, str]) -> None:
        self.checkout = checkout.resolve()
        self.base_url = f"http://127.0.0.1:{port}"
        self._folder = tempfile.TemporaryDirectory()
        # A folder of its own: `fidox up` keeps its data in .local of the checkout that it is run in.
        self._environment = {
            **os.environ,
            **environment,
            "PORT": str(port),
            "FIDOX_CACHE_DIR": f"{self._folder.name}/cache",
            "FACE_API_DETECT_RATE": "1000000",
            "FACE_API_STORAGE_ENABLED": "false",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [".venv/bin/python", "-c", _UP, f"{self._folder.name}/local"]
        self._process = subprocess.Popen(command, cwd=self.checkout, env=self._environment, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.demo = json.loads(self._process.stdout.readline())
        with Fidox.login(self.base_url, self.demo["ACCESS_KEY"], self.demo["SECRET_KEY"]) as api:
            self.token = api.token
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
        self._folder.cleanup()

    def memory_mb(self, kind: str) -> float:
        """The largest process of one kind of worker."""
        assert self._process is not None
        found = [
            child.memory_info().rss / 2**20
            for child in psutil.Process(self._process.pid).children(recursive=True)
            if f"workers.{kind}" in child.cmdline() and "--one" in child.cmdline()
        ]
        return max(found)


_UP = """
import json, signal, sys, threading
from pathlib import Path
from deploy.local.stack import LocalStack
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with LocalStack(Path(sys.argv[1])) as stack:
    print(json.dumps(stack.demo), flush=True)
    threading.Event().wait()
"""


class Measured(NamedTuple):
    """A figure of both sides, taken in turns; `unit` follows it, and less is better but for rates."""

    name: str
    unit: str
    take: Callable[[Side], float]


def measures(seconds: float) -> list[Measured]:
    pictures = [base64.b64encode(path.read_bytes()).decode() for path in photos()]
    cards = [
        base64.b64encode(specimen(seed, kind, "photo").jpeg).decode()
        for kind in IdType
        for seed in range(FIRST_SEED, FIRST_SEED + CARDS_A_TYPE)
    ]
    compares = [_json(image1=a, image2=b) for a, b in itertools.pairwise(pictures)]
    counts = [_json(image=a) for a in pictures]
    alive = [_json(image=a, checkType="all") for a in pictures]
    read = [_json(image=a, idType=None) for a in cards]

    def p50(path: str, bodies: Sequence[bytes]) -> Callable[[Side], float]:
        return lambda side: percentile(list(_each(side, path, bodies)), 0.5)

    def rate(path: str, bodies: list[bytes]) -> Callable[[Side], float]:
        return lambda side: burst(side, Calls(path, bodies, bearer(side.token)), seconds)[0]

    return [
        Measured("compare, one client, p50", "ms", p50("/face/compare", compares)),
        Measured("compare, 8 clients", "calls/s", rate("/face/compare", compares)),
        Measured("count, one client, p50", "ms", p50("/face/count", counts)),
        Measured("count, 8 clients", "calls/s", rate("/face/count", counts)),
        Measured("liveness, all checks, p50", "ms", p50("/v1/liveness/detect", alive)),
        Measured("ID card, p50", "ms", p50("/v1/ocr/recognize", read)),
    ]


def _json(**fields: str | None) -> bytes:
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def _each(side: Side, path: str, bodies: Sequence[bytes]) -> Iterator[float]:
    """Milliseconds of each call, one after the other."""
    with Client(side, bearer(side.token)) as client:
        for body in bodies:
            started = time.perf_counter()
            client.post(path, body)
            yield (time.perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a checkout with a .venv of its own")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each burst of 8 clients")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for this checkout alone")
    parser.add_argument("--only", default="", help="measures whose name begins with this")
    asked = parser.parse_args()
    more = dict(one.split("=", 1) for one in asked.set)
    wanted = [one for one in measures(asked.seconds) if one.name.startswith(asked.only)]
    taken: dict[str, list[tuple[float, float]]] = {one.name: [] for one in wanted}
    with ExitStack() as stack:
        this = stack.enter_context(Side(ROOT, 18080, more))
        other = stack.enter_context(Side(asked.other, 18090, {}))
        for place in range(asked.rounds + 1):
            for one in wanted:
                # Who goes first changes, too.
                sides = (this, other) if place % 2 else (other, this)
                values = {side: one.take(side) for side in sides}
                if place:  # the first round is to warm up
                    taken[one.name].append((values[this], values[other]))
                sys.stderr.write(f"{place} {one.name}: {values[this]:.1f} and {values[other]:.1f} {one.unit}\n")
        memory = {kind: (this.memory_mb(kind), other.memory_mb(kind)) for kind in ("face", "liveness", "ocr")}
    print(f"{machine()}\nthis checkout {' '.join(asked.set)}; the other: {asked.other}\n")
    print("| | other | this | ratio (median of the rounds, and their range) |\n| --- | --- | --- | --- |")
    for one in wanted:
        ratios = [mine / theirs for mine, theirs in taken[one.name]]
        mine, theirs = (statistics.median(values) for values in zip(*taken[one.name], strict=True))
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {one.name} | {theirs:.1f} {one.unit} | {mine:.1f} {one.unit} | {spread} |")
    for kind, (mine, theirs) in memory.items():
        print(f"| memory of a {kind} process | {theirs:.0f} MB | {mine:.0f} MB | |")


if __name__ == "__main__":
    main()
