"""One worker process: how it waits for jobs, takes them and holds on to them.

The jobs and their keys are arq's, the loop is not: arq's own polls, moves a job in seven round trips, and gives a dead
worker's job back after its longest time-out. Here:

    wait    a blocking pop on the kind's wake-up list, and each TICK_S a look at the queue for a dead worker's jobs
    take    claim.lua: the oldest jobs without a lease, at most as many as there are free slots, with their images
    hold    a lease of `lease_s`, renewed by renew.lua three times as often, which is the worker's heartbeat too
    finish  finish.lua: the reply, and the end of everything that the job held

What a job does is in `tasks.py`. SIGTERM: no new job is taken, those in hand are finished, then the process ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from redis import exceptions

from shared import contracts, envelopes, keys
from shared.endings import end
from shared.redis_client import words
from shared.release import RELEASE
from workers.runtime.tasks import Taken

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from redis.asyncio import Redis

    from shared.contracts import Kind
    from shared.settings import Queue as QueueSettings
    from workers.runtime.slots import Slot, Slots
    from workers.runtime.tasks import Performer

log = logging.getLogger(__name__)

# What this process can do at the moment, engine by engine or check by check.
Describe: TypeAlias = Callable[[], Sequence[contracts.Part]]

# How soon a job whose lease ran out is seen by a worker that nobody wakes.
TICK_S = 1
# Longer than any job takes; one whose database stands still is given up. See process.py for work that hangs.
JOB_TIMEOUT_S = 120
# Of images, in one claim: a script's answer is held in Redis whole. Larger ones are read by the job itself.
MOST_BYTES_TAKEN = 4 * 1024 * 1024
# How long jobs in hand may take after SIGTERM.
DRAIN_S = 15.0
RETRY_S = 0.3
# One late heartbeat is a busy Redis, and by the third the lease has run out: other workers have the jobs by then.
MOST_MISSED = 3


class JobWorker:
    """Takes jobs of one kind and hands them to a Performer. Run it with `run_until_stopped`."""

    def __init__(
        self,
        redis: Redis,
        kind: Kind,
        settings: QueueSettings,
        performer: Performer,
        slots: Slots,
        *,
        describe: Describe = tuple,
    ) -> None:
        self._redis = redis
        self._kind = kind
        self._performer = performer
        self._slots = slots
        self._describe = describe
        self._lease_ms = int(settings.lease_s * 1000)
        self._stopping = asyncio.Event()
        self._drain_s = DRAIN_S
        # By job. A job's slot is freed before its answer is pushed, so there may be more of these than slots.
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._missed = 0
        self.worker_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}:{RELEASE}"
        self._command = cast("Callable[..., Awaitable[Any]]", redis.execute_command)
        scripts = files("workers.runtime")
        self._claim_script = redis.register_script(scripts.joinpath("claim.lua").read_text("utf-8"))
        self._renew_script = redis.register_script(scripts.joinpath("renew.lua").read_text("utf-8"))

    @property
    def reaches_redis(self) -> bool:
        """Was one of the last MOST_MISSED heartbeats answered? If not, no job comes here: this worker is not ready."""
        return self._missed < MOST_MISSED

    def stop(self, *, drain_s: float = DRAIN_S) -> None:
        """As SIGTERM does; jobs in hand get `drain_s` to end."""
        self._drain_s = drain_s
        self._stopping.set()

    async def run_until_stopped(self) -> None:
        """Take and do jobs until SIGTERM or SIGINT, then finish those in hand."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        heart = asyncio.create_task(self._beat(), name="heartbeat")
        taking = asyncio.create_task(self._take_jobs(), name="jobs")
        stopped = asyncio.create_task(self._stopping.wait(), name="stop")
        try:
            await asyncio.wait({heart, taking, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in (heart, taking):
                if task.done():
                    await task  # neither ends by itself: let what ended it be seen
        finally:
            await end(taking)
            await self._drain()
            await end(heart, stopped)

    async def _take_jobs(self) -> None:
        while True:
            try:
                free = await self._slots.wait()
                if not await self._take(free):
                    await self._command("BLPOP", keys.wake(self._kind), TICK_S)
            except (exceptions.RedisError, OSError) as error:
                log.warning("no jobs, trying again: %s", words(error))
                await asyncio.sleep(RETRY_S)

    async def _take(self, most: int) -> int:
        """Lease and begin up to `most` jobs; how many."""
        now_ms, dropped, queued, alive, *found = cast(
            "tuple[int, int, int, int, list[bytes | int]]",
            await self._claim_script(
                keys=[keys.queue(self._kind), keys.counts(self._kind), keys.workers(self._kind)],
                args=[
                    self.worker_id,
                    self._lease_ms,
                    most,
                    MOST_BYTES_TAKEN,
                    keys.LEASE,
                    keys.JOB,
                    keys.TRIES,
                    keys.BLOB,
                ],
            ),
        )
        if dropped:
            log.warning("dropped %s jobs past their deadline", dropped)
        for job_id, submitted_ms, tries, data, *images in cast("list[Any]", found):
            room = queued == 1 or 2 * queued <= alive
            self._begin(Taken(job_id.decode(), data, int(float(submitted_ms)), now_ms, tries, images, room=room))
        return len(found)

    def _begin(self, taken: Taken) -> None:
        job_id = taken.job_id
        slot = self._slots.take()
        task = asyncio.get_running_loop().create_task(self._perform(taken, slot), name=job_id)
        self._in_hand[job_id] = task

        def done(task: asyncio.Task[None]) -> None:
            # A job that ended before its work began (it had expired) still has its slot.
            slot.give()
            self._in_hand.pop(job_id, None)
            if not task.cancelled() and (error := task.exception()) is not None:
                # Redis went away in the middle: the lease runs out, and the job is done again, here or elsewhere.
                log.warning("job left to its lease: %s", words(error))

        task.add_done_callback(done)

    async def _perform(self, taken: Taken, slot: Slot) -> None:
        async with asyncio.timeout(JOB_TIMEOUT_S):
            await self._performer.perform(taken, slot)

    async def _beat(self) -> None:
        """Tell Redis three times a lease that this worker lives, how fast it is, and that it holds on to its jobs."""
        while True:
            try:
                await self._renew()
            except (exceptions.RedisError, OSError) as error:
                self._missed += 1
                if self._missed in {1, MOST_MISSED}:
                    log.warning("heartbeat missed %d times: %s", self._missed, words(error))
            else:
                if not self.reaches_redis:
                    log.warning("heartbeats are answered again, after %d that were not", self._missed)
                self._missed = 0
            await asyncio.sleep(self._lease_ms / 3000)

    async def _renew(self) -> None:
        """Run renew.lua. Raises redis errors."""
        pace = self._performer.job_ms
        await self._renew_script(
            keys=[keys.workers(self._kind), keys.pace(self._kind), keys.parts(self._kind)],
            args=[
                self.worker_id,
                self._lease_ms,
                "" if pace is None else round(pace / self._slots.total, 2),
                0 if self._stopping.is_set() else 1,
                envelopes.encode(self._describe()),
                keys.LEASE,
                *self._in_hand,
            ],
        )

    async def _drain(self) -> None:
        """Say goodbye, so that nobody counts on this worker; hand on the wake-up that it may have taken; finish."""
        with suppress(exceptions.RedisError, OSError):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrem(keys.workers(self._kind), self.worker_id)
                pipe.hdel(keys.parts(self._kind), self.worker_id)
                pipe.rpush(keys.wake(self._kind), b"")
                await pipe.execute()
        if self._in_hand:
            log.info("finishing %d jobs", len(self._in_hand))
            await asyncio.wait(set(self._in_hand.values()), timeout=self._drain_s)
