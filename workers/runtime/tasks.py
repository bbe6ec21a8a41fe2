"""From a job in Redis to its reply: what happens around an operation, whichever it is.

    read the envelope ─> past its deadline? drop ─> the operation's handler ─> free the slot
    ─> remember the transaction ─> finish.lua: push the reply, delete the job and its images

A handler is one async function an operation. It gets the operation and a `Call`, does blocking work through
`call.compute`, and returns an outcome: what is wrong with the input is a `Failed`, and an exception is a bug, answered
as INTERNAL and logged with its trace here, at the edge.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import msgspec
from arq.jobs import DeserializationError, deserialize_job_raw

from shared import contracts, envelopes, keys
from shared.contracts import Failure, failed
from shared.db import transactions
from shared.db.pool import StoreUnavailableError
from shared.metrics import measures
from shared.queue import REPLY_TTL_S
from workers.runtime.spans import JobSpans

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from shared.db.recorder import Recorder
    from workers.runtime.slots import Slot
    from workers.runtime.threads import Threads

log = logging.getLogger(__name__)

T = TypeVar("T")
Handler: TypeAlias = Callable[[Any, "Call"], Awaitable[contracts.AnyOutcome]]
Handlers: TypeAlias = Mapping[type[contracts.Operation], Handler]

UNRECORDED = frozenset({contracts.Ping})


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A job as claim.lua gave it.

    When it was submitted and taken is in Unix milliseconds of Redis's clock, `tries` is how often it was begun, this
    time too, and `images` may be the first ones only. There is `room` where this is the only job, or at most half of
    the live processes of this kind have one.
    """

    job_id: str
    data: bytes
    submitted_ms: int
    now_ms: int
    tries: int
    images: list[bytes]
    room: bool = False


class Call:
    """One job in hand, as its handler sees it: whose it is, its images, and a thread to work in."""

    def __init__(
        self, job: envelopes.Job, images: list[bytes], *, operation: str, taken: Taken, threads: Threads, slot: Slot
    ) -> None:
        self.job = job
        self.images = images
        self.operation = operation
        self._threads = threads
        self._slot = slot
        # Would a second thread of this job find a core that is idle?
        self.has_room = taken.room
        self._started = time.monotonic()
        # How long the job kept others from the slot; None while it still does.
        self.worked_ms: float | None = None
        self._submitted_ms = taken.submitted_ms
        self._waits_until = time.monotonic() + (taken.submitted_ms + job.within_ms - taken.now_ms) / 1000
        # A handler whose outcome went into the database together with the transaction sets this.
        self.recorded = False
        # What is better done after the caller has the answer; the images are still at hand then.
        self.afterwards: list[Callable[[], Awaitable[None]]] = []

    @property
    def tenant_id(self) -> int:
        """The tenant that every query is bound to."""
        return self.job.tenant_id

    @property
    def past_deadline(self) -> bool:
        """Has the gateway given up? Then nothing may be changed any more: the caller was told that it failed."""
        return self.left_s <= 0

    @property
    def left_s(self) -> float:
        """For how long the gateway still waits; negative where it does not."""
        return self._waits_until - time.monotonic()

    @property
    def elapsed_ms(self) -> float:
        """Since the job was begun."""
        return (time.monotonic() - self._started) * 1000

    def give_slot(self) -> None:
        """The work is done, what is left only waits for others: let the next job begin."""
        self.worked_ms = self.elapsed_ms
        self._slot.give()

    def transaction(self, outcome: contracts.AnyOutcome) -> transactions.Transaction:
        """The row for `outcome`, for a handler that writes it with its own change."""
        return transactions.of_job(self.job, self.operation, outcome, submitted_ms=self._submitted_ms)

    async def compute(self, work: Callable[..., T], *args: object) -> T:
        """Run blocking work in a thread: the event loop has leases to renew."""
        return await self._threads.run(work, *args)


class Performer:
    """Does jobs with a table of handlers. One a process."""

    def __init__(
        self,
        redis: Redis,
        kind: contracts.Kind,
        handlers: Handlers,
        recorder: Recorder,
        threads: Threads,
        *,
        max_tries: int,
    ) -> None:
        self._redis = redis
        self._kind = kind
        script = files("workers.runtime").joinpath("finish.lua").read_text("utf-8")
        self._finish_script = redis.register_script(script)
        self._handlers: Handlers = {contracts.Ping: _pong, **handlers}
        self._recorder = recorder
        self._threads = threads
        self._max_tries = max_tries
        # What one job takes this process, smoothed: the gateway's estimate of how much can be done in time.
        self.job_ms: float | None = None

    async def perform(self, taken: Taken, slot: Slot) -> None:
        """Do one job and answer it."""
        try:
            _, (data,), _, _, _ = deserialize_job_raw(taken.data, deserializer=msgspec.msgpack.decode)
            job = envelopes.decode_job(data)
        except (DeserializationError, ValueError, TypeError):
            log.warning("a job that is none was dropped")
            await self._strike_off(taken.job_id)
            return
        if taken.now_ms >= taken.submitted_ms + job.within_ms:
            await self._finish(job, None)
            return
        if not isinstance(job, envelopes.Job):
            # Whose it is, and what for, is not to be read from it: it is answered, and the log has all that is known.
            log.warning("a job of another version (%d) was refused", job.version)
            newer = failed(Failure.UNKNOWN_OPERATION, "this worker is of an older version", retry_after_s=1)
            await self._finish(job, newer)
            return
        started = time.monotonic()
        waited_ms = float(max(taken.now_ms - taken.submitted_ms, 0))
        spans = JobSpans(self._kind, job, waited_ms=waited_ms, tries=taken.tries)
        operation: contracts.AnyOperation | None = None
        call: Call | None = None
        try:
            operation = envelopes.decode_operation(job.operation)
            if taken.tries > self._max_tries:
                # It took its workers down with it, one after the other; it will not get another.
                outcome = failed(Failure.INTERNAL, "the call could not be processed")
            else:
                images = await self._images(job, taken.images)
                if images is None:
                    # They expire with the gateway's patience: nobody waits any more.
                    await self._finish(job, None)
                    return
                name = operation.__struct_config__.tag
                call = Call(job, images, operation=str(name), taken=taken, threads=self._threads, slot=slot)
                outcome = await self._handle(operation, call)
        except msgspec.ValidationError:
            outcome = failed(Failure.UNKNOWN_OPERATION, "this worker does not know the operation")
        finally:
            slot.give()
        elapsed_ms = (time.monotonic() - started) * 1000
        worked_ms = call.worked_ms if call else None
        self._keep_pace(elapsed_ms if worked_ms is None else worked_ms)
        profile = msgspec.structs.replace(outcome.profile, queue_wait_ms=waited_ms, total_ms=elapsed_ms)
        outcome = msgspec.structs.replace(outcome, profile=profile)
        name = call.operation if call else "unknown"
        if type(operation) not in UNRECORDED:
            measures.count_job(job.dialect, name, transactions.outcome_of(outcome), outcome)
            if not job.part and not (call and call.recorded):
                self._recorder.record(transactions.of_job(job, name, outcome, submitted_ms=taken.submitted_ms))
        spans.end(name, outcome)
        await self._finish(job, outcome)
        if call is not None:
            await self._do_afterwards(call)

    async def _do_afterwards(self, call: Call) -> None:
        for work in call.afterwards:
            try:
                await work()
            except StoreUnavailableError:
                log.warning("%s: the database does not answer; left for another time", call.operation)
            except Exception:  # the process's edge, as in `_handle`; the caller has been answered
                log.exception("after %s", call.operation, extra={"facts": {"tx": call.job.tx_id}})

    async def _handle(self, operation: contracts.AnyOperation, call: Call) -> contracts.AnyOutcome:
        handler = self._handlers.get(type(operation))
        if handler is None:
            return failed(Failure.UNKNOWN_OPERATION, "this worker does not do the operation")
        try:
            return await handler(operation, call)
        except StoreUnavailableError:
            return failed(Failure.STORE_UNAVAILABLE, "the database does not answer; try again", retry_after_s=1)
        except Exception:  # the process's edge: a bug in one operation is that call's failure, not the worker's
            log.exception("%s failed", call.operation, extra={"facts": {"tx": call.job.tx_id}})
            return failed(Failure.INTERNAL, "the call could not be processed")

    async def _images(self, job: envelopes.Job, given: list[bytes]) -> list[bytes] | None:
        """The job's images: those that came with the claim, and the rest. None where they have expired."""
        if len(given) == job.blobs:
            return given
        rest = [keys.blob(job.job_id, position) for position in range(len(given), job.blobs)]
        found = cast("list[bytes | None]", await self._redis.mget(rest))
        images = given + [image for image in found if image is not None]
        return images if len(images) == job.blobs else None

    async def _finish(self, job: envelopes.Envelope, outcome: contracts.AnyOutcome | None) -> None:
        """Push the reply, if there is one to push, and free what the job held."""
        reply = b"" if outcome is None else envelopes.encode(envelopes.Reply(job_id=job.job_id, outcome=outcome))
        held = keys.held_member(job.job_id, job.bytes_held)
        await self._strike_off(job.job_id, held=held, reply=reply, reply_to=job.reply_to, images=job.blobs)

    async def _strike_off(
        self, job_id: str, *, held: str = "", reply: bytes = b"", reply_to: str = "", images: int = 0
    ) -> None:
        """Run finish.lua."""
        await self._finish_script(
            keys=[keys.queue(self._kind), keys.held(self._kind), keys.counts(self._kind), reply_to],
            args=[
                job_id,
                held,
                reply,
                REPLY_TTL_S,
                *(prefix + job_id for prefix in (keys.LEASE, keys.TRIES, keys.JOB)),
                *(keys.blob(job_id, position) for position in range(images)),
            ],
        )

    def _keep_pace(self, elapsed_ms: float) -> None:
        """An exponential mean over about ten jobs: quick enough for a change of load, calm enough for one odd job."""
        self.job_ms = elapsed_ms if self.job_ms is None else 0.9 * self.job_ms + 0.1 * elapsed_ms


async def _pong(_operation: contracts.Ping, _call: Call) -> contracts.Pong:
    await asyncio.sleep(0)
    return contracts.Pong()
