"""What metrics and spans cost: three stacks side by side, one that tells nothing, taking turns under the same load."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from deploy.local.stack import LocalStack
from tests.bench import faces
from tests.bench.ground import cpu_s, family_of
from tests.bench.report import Section
from tests.support.metrics import ROLES
from tests.support.ports import own_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = int(os.environ.get("FIDOX_BENCH_ROUNDS", "10"))
BURST_S = 6.0
# Three times as often as Prometheus usually does.
SCRAPE_EVERY_S = 5.0
MOST_COST = 0.02


class Turn(NamedTuple):
    """One burst: calls a second, and CPU seconds of gateway and face worker for each."""

    rate: float
    cpu_s: float


def telemetry(_stack: object) -> Section:
    """Throughput of count, the cheapest picture call, with and without."""
    section = Section(
        "Metrics and spans",
        f"`POST /face/count` by {faces.CLIENTS} clients, on three stacks that take turns, {ROUNDS} rounds of"
        f" {BURST_S:.0f} s each: one without, one with metrics that are scraped every {SCRAPE_EVERY_S:.0f} s, one with"
        " metrics and a span of every call, its wait and its work, sent by OTLP. Medians of the ratios of a round. CPU"
        " is that of gateway and face worker; it is the steadier of the two, since other programs do not count.",
    )
    with ExitStack() as opened:
        collector = opened.enter_context(_collector())
        stacks = {
            "off": opened.enter_context(_stack_with({})),
            "metrics": opened.enter_context(_stack_with({"FIDOX_METRICS_PORT": str(own_ports(len(ROLES)))})),
            "metrics and spans": opened.enter_context(
                _stack_with(
                    {
                        "FIDOX_METRICS_PORT": str(own_ports(2 * len(ROLES)) + len(ROLES)),
                        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
                    }
                )
            ),
        }
        calls = {name: faces.counts(stack) for name, stack in stacks.items()}
        turns: dict[str, list[Turn]] = {name: [] for name in stacks}
        for number in range(ROUNDS + 1):
            for name, stack in stacks.items():
                turn = _turn(stack, calls[name])
                if number:  # the first warms up
                    turns[name].append(turn)
    off = turns.pop("off")
    section.add("off, calls/s", f"{statistics.median(turn.rate for turn in off):.1f}")
    section.add("off, CPU a call", f"{1000 * statistics.median(turn.cpu_s for turn in off):.2f} ms")
    for name, found in turns.items():
        slower = 1 - statistics.median(turn.rate / base.rate for turn, base in zip(found, off, strict=True))
        dearer = statistics.median(turn.cpu_s / base.cpu_s for turn, base in zip(found, off, strict=True)) - 1
        section.add(f"{name}: less throughput", f"{100 * slower:+.1f}%", "≤ 2%", slower <= MOST_COST)
        section.add(f"{name}: more CPU a call", f"{100 * dearer:+.1f}%", "≤ 2%", dearer <= MOST_COST)
    return section


def _turn(stack: LocalStack, calls: faces.Calls) -> Turn:
    processes = [process for name in ("gateway", "face") for process in family_of(stack.children[name].pid or 0)]
    before = cpu_s(processes)
    stop = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(stack, stop), daemon=True)
    scraper.start()
    rate, _ = faces.burst(stack, calls, BURST_S)
    stop.set()
    scraper.join()
    return Turn(rate, (cpu_s(processes) - before) / (rate * BURST_S))


def _scrape(stack: LocalStack, stop: threading.Event) -> None:
    first = stack.settings.telemetry.metrics_port
    while first and not stop.wait(SCRAPE_EVERY_S):
        for place in range(len(ROLES)):
            httpx.get(f"http://127.0.0.1:{first + place}/metrics").raise_for_status()


@contextmanager
def _stack_with(environment: dict[str, str]) -> Iterator[LocalStack]:
    few = {"FIDOX_OCR_PROCESSES": "1", "FIDOX_LIVENESS_PROCESSES": "1", "FIDOX_FACE_PROCESSES": "2"}
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), 0, environment=few | environment) as stack:
        yield stack


@contextmanager
def _collector() -> Iterator[str]:
    """A server that takes spans and does nothing with them, which is the least that one may cost on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
