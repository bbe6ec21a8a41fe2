"""What nobody counts and somebody has to look at, every few seconds, in every process at work."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psutil

from shared.endings import end
from shared.metrics import measures

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.db.pool import Pool
    from shared.db.recorder import Recorder

# Under the usual scrape interval of 15 s, and nothing against what a process does in between.
EVERY_S = 5.0


@asynccontextmanager
async def sampled(pool: Pool, recorder: Recorder) -> AsyncGenerator[None]:
    """Look while the block lasts."""
    looking = asyncio.create_task(_look(pool, recorder), name="metrics")
    try:
        yield
    finally:
        await end(looking)


async def _look(pool: Pool, recorder: Recorder) -> None:
    process = psutil.Process()
    errors = lost = 0
    measures.PROCESSES.set(1)
    # So that they are there, and 0, before anything happens.
    measures.POOL_ERRORS.inc(0)
    measures.ROWS_LOST.inc(0)
    while True:
        measures.MEMORY.set(process.memory_info().rss)
        stats = pool.get_stats()
        idle = stats.get("pool_available", 0)
        measures.POOL.labels("idle").set(idle)
        measures.POOL.labels("busy").set(max(stats.get("pool_size", 0) - idle, 0))
        measures.POOL_WAITING.set(stats.get("requests_waiting", 0))
        failed = stats.get("requests_errors", 0)
        measures.POOL_ERRORS.inc(failed - errors)
        errors = failed
        measures.ROWS_WAITING.set(len(recorder))
        measures.ROWS_BEHIND.set(recorder.behind_s)
        measures.ROWS_LOST.inc(recorder.given_up - lost)
        lost = recorder.given_up
        await asyncio.sleep(EVERY_S)
