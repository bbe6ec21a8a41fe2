"""One worker process from its start to its end: connections, threads, handlers, the job loop.

A kind of worker gives `run_process` a function that loads its models and returns its handlers. The process counts as
alive, and gets jobs, only after that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import uvloop

from shared.db.pool import Pool, StoreUnavailableError, open_pool
from shared.db.recorder import open_recorder
from shared.db.templates import register_vectors
from shared.db.transactions import Transactions
from workers.runtime.slots import Slots
from workers.runtime.tasks import Handlers, Performer
from workers.runtime.worker import JobWorker, arq_redis

if TYPE_CHECKING:
    from shared.contracts import Kind
    from shared.settings import Settings

log = logging.getLogger(__name__)

Load: TypeAlias = Callable[[Pool], Awaitable[Handlers]]

KEEP_HOUSE_EVERY_S = 6 * 3600
SPARE_THREADS = 4


def run_process(
    kind: Kind, settings: Settings, load: Load, *, slots: int = 1, beside: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Be one worker process until SIGTERM. `slots` is how many jobs it works on at once, each in a thread.

    `beside` runs for as long as the process takes jobs, once its handlers are loaded.
    """
    uvloop.run(_run(kind, settings, load, slots, beside))


async def _run(
    kind: Kind, settings: Settings, load: Load, slots: int, beside: Callable[[], Awaitable[None]] | None
) -> None:
    redis = arq_redis(settings.queue.url)
    # More threads than slots: work that an engine does not come back from keeps one, and the next job needs another.
    threads = ThreadPoolExecutor(slots + SPARE_THREADS, thread_name_prefix="compute")
    pool_context = open_pool(settings.database, application=f"fidox {kind}", configure=register_vectors)
    try:
        async with pool_context as pool, open_recorder(Transactions(pool)) as recorder:
            handlers = await load(pool)
            performer = Performer(redis, handlers, recorder, threads, max_tries=settings.queue.max_tries)
            worker = JobWorker(redis, kind, settings.queue, performer, Slots(slots))
            chores: list[Awaitable[None]] = [_keep_house(Transactions(pool), settings.database.retention_days)]
            if beside is not None:
                chores.append(beside())
            house = asyncio.gather(*chores)
            log.info("%s worker ready", kind)
            try:
                await worker.run_until_stopped()
            finally:
                house.cancel()
                with suppress(asyncio.CancelledError):
                    await house
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        await redis.aclose()


async def _keep_house(transactions: Transactions, retention_days: int) -> None:
    """Partitions of the coming months, and the end of those kept long enough. Any worker may; a lock orders them."""
    while True:
        try:
            await transactions.keep_house(retention_days)
        except StoreUnavailableError:
            await asyncio.sleep(60)
        else:
            await asyncio.sleep(KEEP_HOUSE_EVERY_S)
