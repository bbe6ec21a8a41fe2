"""One worker process from its start to its end: connections, threads, handlers, the job loop.

A kind of worker gives `run_process` a function that loads its models and returns its handlers. The process counts as
alive, and gets jobs, only after that. It ends

    SIGTERM                            0          jobs in hand are finished first
    its supervisor is gone             0          the same
    work in a thread never comes back  EX_STUCK   no thread can be ended, only the process: its jobs go on elsewhere
    its chore says it is past mending  EX_STUCK   jobs in hand are finished first
    it stands still altogether         SIGKILL    by the supervisor, see heartbeat.py
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, TypeAlias

import uvloop

from shared.db.pool import Pool, StoreUnavailableError, open_pool
from shared.db.recorder import open_recorder
from shared.db.templates import register_vectors
from shared.db.transactions import Transactions
from shared.endings import end
from shared.metrics.sampled import sampled
from shared.redis_client import connect
from shared.tracing import set_up_tracing
from shared.weights import licences
from shared.weights.cautions import caution
from shared.weights.manifest import with_own
from workers.runtime import heartbeat
from workers.runtime.slots import Slots
from workers.runtime.tasks import Handlers, Performer
from workers.runtime.threads import Threads
from workers.runtime.worker import Describe, JobWorker

if TYPE_CHECKING:
    from shared.contracts import Kind
    from shared.settings import Settings

log = logging.getLogger(__name__)

Load: TypeAlias = Callable[[Pool], Awaitable[Handlers]]
Cron: TypeAlias = Callable[[Pool], Coroutine[None, None, None]]

KEEP_HOUSE_EVERY_S = 6 * 3600
# An engine that takes too long is given up by its caller and keeps its thread; the next job needs another.
SPARE_THREADS = 4
# sysexits.h EX_SOFTWARE.
EX_STUCK = 70
# Work may take this many deadlines before it counts as stuck: what is merely slow was given up by its caller long ago,
# and is still of use (it ends); what hangs keeps its slot for this long. And not less than this: a first run on a GPU
# may compile kernels for many seconds.
STUCK_DEADLINES = 3
LEAST_STUCK_S = 30.0


class ProcessBrokenError(Exception):
    """Something that only a new process can mend; the message says what."""


def run_process(
    kind: Kind,
    settings: Settings,
    load: Load,
    *,
    slots: int = 1,
    stuck_s: float | None = None,
    chore: Callable[[], Awaitable[None]] | None = None,
    cron: Cron | None = None,
    describe: Describe = tuple,
) -> None:
    """Be one worker process until SIGTERM. `slots` is how many jobs it works on at once, each in a thread.

    Work that takes longer than `stuck_s` (by default three deadlines, and at least 30 s) ends the process. `chore` runs
    beside the jobs for as long as the process lives, and may raise ProcessBrokenError; `cron` does too, keeps house in
    the database, and raises nothing. `describe` tells the gateway, with each heartbeat, what this process can do.
    """
    set_up_tracing(settings.telemetry, kind)
    threads = Threads(slots + SPARE_THREADS)
    limit_s = stuck_s or max(LEAST_STUCK_S, STUCK_DEADLINES * settings.queue.deadline_s)
    if uvloop.run(_run(kind, settings, load, threads, slots, limit_s, chore, cron, describe)):
        # Python waits for its threads at the end, and one of them does not come.
        logging.shutdown()
        os._exit(EX_STUCK)


async def _run(
    kind: Kind,
    settings: Settings,
    load: Load,
    threads: Threads,
    slots: int,
    stuck_s: float,
    chore: Callable[[], Awaitable[None]] | None,
    cron: Cron | None,
    describe: Describe,
) -> bool:
    """Until it is told to stop. Is this process no good any more?"""
    redis = connect(settings.queue)
    pool_context = open_pool(settings.database, application=f"fidox {kind}", configure=register_vectors)
    try:
        async with (
            pool_context as pool,
            open_recorder(Transactions(pool)) as recorder,
            sampled(pool, recorder),
        ):
            handlers = await load(pool)
            performer = Performer(redis, kind, handlers, recorder, threads, max_tries=settings.queue.max_tries)
            worker = JobWorker(redis, kind, settings.queue, performer, Slots(slots), describe=describe)
            beside = [
                asyncio.create_task(_keep_house(Transactions(pool), settings.database.retention_days)),
                asyncio.create_task(_beat(worker)),
                *([asyncio.create_task(cron(pool))] if cron else ()),
                stuck := asyncio.create_task(_watch(threads, worker, stuck_s)),
            ]
            broken = asyncio.create_task(_mind(chore, worker))
            # What is there now stays: the collector need not walk through it between jobs.
            gc.collect()
            gc.freeze()
            # In a thread: the first time it may read the hashes of files that lie on a slow disk.
            parts = await asyncio.to_thread(describe)
            models = [model for part in parts for model in (part.model, part.detector)]
            for notice in (licences.notice(models, with_own(settings.weights.manifest)), caution(models)):
                if notice:
                    log.warning("%s", notice)
            log.info("%s worker ready", kind)
            try:
                await worker.run_until_stopped()
            finally:
                is_over = stuck.done() or broken.done()
                await end(*beside, broken)
            return is_over
    finally:
        threads.close()
        await redis.aclose()


async def _beat(worker: JobWorker) -> None:
    await heartbeat.beat(lambda: worker.reaches_redis)
    log.warning("the supervisor is gone; finishing")
    worker.stop()


async def _watch(threads: Threads, worker: JobWorker, stuck_s: float) -> None:
    """Returns when work has been in a thread for longer than `stuck_s`."""
    while threads.longest_s < stuck_s:  # noqa: ASYNC110 — time passes without an event
        await asyncio.sleep(1)
    log.error("work has not come back for %.0f s; ending this process", stuck_s)
    worker.stop(drain_s=0)


async def _mind(chore: Callable[[], Awaitable[None]] | None, worker: JobWorker) -> None:
    """Returns when the chore finds that this process is past mending."""
    if chore is None:
        await asyncio.Event().wait()
    else:
        try:
            await chore()
        except ProcessBrokenError as error:
            log.error("%s; ending this process", error)  # noqa: TRY400 — the trace says nothing more
            worker.stop()


async def _keep_house(transactions: Transactions, retention_days: int) -> None:
    """Partitions of the coming months, and the end of those kept long enough. Any worker may; a lock orders them."""
    while True:
        try:
            await transactions.keep_house(retention_days)
        except StoreUnavailableError:
            await asyncio.sleep(60)
        except Exception:  # a task's edge: nobody would start this one again
            log.exception("housekeeping of transactions failed")
            await asyncio.sleep(600)
        else:
            await asyncio.sleep(KEEP_HOUSE_EVERY_S)
