"""The ground: what the queue costs, what idling costs, what memory it takes, how fast it starts."""

from __future__ import annotations

import asyncio
import secrets
import time

import psutil

from shared import contracts
from shared.contracts import Dialect
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.bench.report import Section, percentile

CALLS = 3000
IDLE_S = 20.0


def queue(stack) -> Section:
    """A no-op through queue and worker, without HTTP."""
    section = Section(
        "Queue",
        f"`Ping` through Redis to the face worker and back, one client, {CALLS} calls after 100 to warm up, no HTTP.",
    )

    async def run() -> list[float]:
        times: list[float] = []
        async with open_queue(QueueSettings(url=stack.redis_url)) as opened:
            for _ in range(CALLS + 100):
                started = time.perf_counter()
                answer = await opened.submit(
                    contracts.Ping(), tx_id=f"tx_{secrets.token_hex(6)}", tenant_id=1, dialect=Dialect.FIDOX
                )
                times.append((time.perf_counter() - started) * 1000)
                assert isinstance(answer.outcome, contracts.Pong), answer
        return times[100:]

    times = asyncio.run(run())
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    section.add("no-op, p50", f"{p50:.2f} ms", "≤ 3 ms", p50 <= 3)
    section.add("no-op, p99", f"{p99:.2f} ms", "≤ 10 ms", p99 <= 10)
    return section


def rest(stack) -> Section:
    """CPU and memory while nobody calls."""
    section = Section("At rest", f"Every process of the stack, nobody calling, over {IDLE_S:.0f} s.")
    time.sleep(3)
    processes = {name: family_of(child.pid) for name, child in stack.children.items()}
    before = {name: cpu_s(family) for name, family in processes.items()}
    started = time.perf_counter()
    time.sleep(IDLE_S)
    elapsed = time.perf_counter() - started
    total = 0.0
    for name, family in processes.items():
        share = 100 * (cpu_s(family) - before[name]) / elapsed
        total += share
        section.add(f"CPU, {name}", f"{share:.2f}% of a core")
    section.add("CPU, all processes", f"{total:.2f}% of a core", "< 3%", total < 3)
    for name, family in processes.items():
        sizes = [process.memory_info().rss / 2**20 for process in family]
        if "gateway" in name:
            section.add("memory, gateway (all its processes)", f"{sum(sizes):.0f} MB", "≤ 150 MB", sum(sizes) <= 150)
        elif "face" in name:
            section.add("memory, the largest face process", f"{max(sizes):.0f} MB", "≤ 500 MB", max(sizes) <= 500)
            both = max(_with_children_mb(process) for process in family[0].children())
            section.add("memory, a face process with its second engine's", f"{both:.0f} MB", "≤ 800 MB", both <= 800)
            section.add("memory, face worker (all its processes)", f"{sum(sizes):.0f} MB")
        elif "liveness" in name:
            section.add("memory, the largest liveness process", f"{max(sizes):.0f} MB")
            section.add("memory, liveness worker (all its processes)", f"{sum(sizes):.0f} MB")
        elif "ocr" in name:
            section.add("memory, the largest OCR process", f"{max(sizes):.0f} MB", "≤ 900 MB", max(sizes) <= 900)
        else:
            section.add(f"memory, {name}", f"{sum(sizes):.0f} MB")
    return section


def family_of(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_s(family: list[psutil.Process]) -> float:
    spent = [process.cpu_times() for process in family]
    return sum(times.user + times.system for times in spent)


def _with_children_mb(process: psutil.Process) -> float:
    return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 2**20
