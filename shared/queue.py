"""The gateway's side of the queue: `submit(operation, images)` gives an answer, always, and never raises.

    submit ─ submit.lua ─┬─ no live worker ────────────────> ENGINE_UNAVAILABLE  at once
                         ├─ more than can be done in time ─> OVERLOADED          at once
                         └─ a place, the images, the job, a wake-up
                              └─ worker ─ reply list ─> the waiting future
                                                └─ nothing in time ─> DEADLINE

One task a process reads the process's own reply list and resolves futures; nothing polls. The jobs are arq's
(`arq:job:`, arq's sorted set), so its tools see them; MessagePack on both sides, since a pickle in Redis would be
remote code execution. The worker's side is `workers/runtime/`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec
from arq.jobs import serialize_job
from redis import exceptions

from shared import contracts, envelopes, keys
from shared.contracts import Failure, Kind, failed
from shared.endings import end
from shared.figures import Figures, figures_of
from shared.redis_client import connect, words

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from redis.asyncio import Redis

    from shared.settings import Queue as QueueSettings

log = logging.getLogger(__name__)

# The one arq function of every worker; what is to be done is in the operation.
PERFORM = "perform"
# Stale tokens cost an idle worker an empty look each, so few are kept; one token wakes one worker.
MOST_WAKE_TOKENS = 64
# Keys outlive the deadline by this, so that a late worker still sees what it drops.
GRACE_S = 5.0
REPLY_TTL_S = 60
# Images up to this go with the question whether they may come in: one round trip less is worth more than what a refusal
# then wastes. Most photos are below.
MOST_UNASKED_BYTES = 1024 * 1024
RECONNECT_S = 0.2
# How long the reader blocks: it is how soon a gateway notices that its Redis has vanished, with nobody calling, too.
READ_S = 2

_VERDICTS = {
    b"unavailable": (Failure.ENGINE_UNAVAILABLE, "no {kind} worker is running"),
    b"overloaded": (Failure.OVERLOADED, "too many calls are waiting"),
    b"full": (Failure.OVERLOADED, "too many pictures are waiting; try again"),
}


class Answer(NamedTuple):
    """What came of a submitted operation. `by_worker`: a worker did it, and recorded its transaction but for a part."""

    outcome: contracts.AnyOutcome
    by_worker: bool


class Queue:
    """One a gateway process. Build it with `open_queue`."""

    def __init__(self, redis: Redis, settings: QueueSettings) -> None:
        self._redis = redis
        # redis-py types what a command gives loosely: the few whose answer is used go through here, and are cast.
        self._command = cast("Callable[..., Awaitable[object]]", redis.execute_command)
        self._settings = settings
        self._gateway_id = secrets.token_hex(6)
        self._reply_to = keys.reply(self._gateway_id)
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._submit_script = redis.register_script(files("shared").joinpath("lua/submit.lua").read_text("utf-8"))

    async def submit(
        self,
        operation: contracts.AnyOperation,
        images: Sequence[bytes] = (),
        *,
        tx_id: str,
        tenant_id: int,
        dialect: contracts.Dialect,
        kind: Kind = Kind.FACE,
        part: bool = False,
        trace: str = "",
        deadline_s: float | None = None,
    ) -> Answer:
        """Have a worker of `kind` do `operation` on `images` (encoded files), and wait for what comes of it.

        `tx_id` is the caller's transaction: a job that is done twice is recognised by it. A `part` is one of several
        jobs of a call, and no worker records it. `trace` is the call's span, as a traceparent.
        """
        within_s = deadline_s or self._settings.deadline_s
        job = envelopes.Job(
            job_id=f"{tx_id}:{kind}",
            tx_id=tx_id,
            tenant_id=tenant_id,
            dialect=dialect,
            within_ms=int(1000 * within_s),
            reply_to=self._reply_to,
            blobs=len(images),
            bytes_held=sum(map(len, images)),
            part=part,
            trace=trace,
            operation=msgspec.Raw(envelopes.encode(operation)),
        )
        reply = self._waiting[job.job_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within_s):
                refused = await self._send(kind, job, images)
                if refused is not None:
                    return Answer(refused, by_worker=False)
                # A time-out of its own: the outer one's may have been swallowed (see endings.py) while sending.
                async with asyncio.timeout(within_s):
                    return await reply
        except TimeoutError:
            return _refused(Failure.DEADLINE, "the call could not be answered in time; try again")
        except (exceptions.RedisError, OSError) as error:
            log.warning("the queue does not answer: %s", words(error))
            return _refused(Failure.STORE_UNAVAILABLE, "the service is starting or restarting")
        finally:
            del self._waiting[job.job_id]

    async def live_workers(self, kind: Kind) -> int:
        """How many worker processes of this kind are alive. Raises redis errors."""
        seconds, micros = cast("tuple[int, int]", await self._command("TIME"))
        return await self._redis.zcount(keys.workers(kind), seconds * 1000 + micros // 1000, "+inf")

    async def figures(self, kind: Kind) -> Figures:
        """How the queue is now. Raises redis errors."""
        return await figures_of(self._redis, kind)

    async def parts(self, kind: Kind) -> list[tuple[contracts.Part, ...]]:
        """What each live worker process of this kind says of its engines or checks. Raises redis errors."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.zrange(keys.workers(kind), 0, -1, withscores=True)
            pipe.hgetall(keys.parts(kind))
            (seconds, micros), workers, said = await pipe.execute()
        now_ms = seconds * 1000 + micros // 1000
        alive = [worker for worker, dead_at_ms in workers if dead_at_ms > now_ms]
        return [envelopes.decode_parts(said[worker]) for worker in alive if worker in said]

    async def _send(self, kind: Kind, job: envelopes.Job, images: Sequence[bytes]) -> contracts.Failed | None:
        """Let the job in, or say why not. Large images are sent only when they may come in."""
        now_ms = int(1000 * time.time())
        data = serialize_job(PERFORM, (envelopes.encode(job),), {}, None, now_ms, serializer=msgspec.msgpack.encode)
        if job.bytes_held <= MOST_UNASKED_BYTES:
            return await self._submit("both", kind, job, data, images)
        refused = await self._submit("ask", kind, job, b"", ())
        return refused or await self._submit("send", kind, job, data, images)

    async def _submit(
        self, step: str, kind: Kind, job: envelopes.Job, data: bytes, images: Sequence[bytes]
    ) -> contracts.Failed | None:
        """Run submit.lua."""
        verdict, retry_ms = cast(
            "tuple[bytes, int]",
            await self._submit_script(
                keys=[
                    keys.held(kind),
                    keys.workers(kind),
                    keys.pace(kind),
                    keys.queue(kind),
                    keys.wake(kind),
                    keys.counts(kind),
                    keys.JOB + job.job_id,
                    *(keys.blob(job.job_id, position) for position in range(len(images))),
                ],
                args=[
                    step,
                    job.job_id,
                    keys.held_member(job.job_id, job.bytes_held),
                    job.bytes_held,
                    job.within_ms,
                    self._settings.max_jobs,
                    self._settings.max_bytes,
                    job.within_ms + int(1000 * GRACE_S),
                    MOST_WAKE_TOKENS,
                    data,
                    *images,
                ],
            ),
        )
        if verdict == b"admitted":
            return None
        failure, detail = _VERDICTS[verdict]
        return failed(failure, detail.format(kind=kind), retry_after_s=max(1, -(-retry_ms // 1000)))

    async def read_replies(self) -> None:
        """Resolve waiting futures for as long as the process lives; `open_queue` runs it."""
        while True:
            try:
                # The time-out is no poll: a connection whose server has vanished is noticed by what does not come.
                popped = cast("tuple[bytes, bytes] | None", await self._command("BLPOP", self._reply_to, READ_S))
            except (exceptions.RedisError, OSError) as error:
                log.warning("no replies: %s", words(error))
                await self._reconnect()
                continue
            if popped is not None:
                self._resolve(popped[1])

    def _resolve(self, data: bytes) -> None:
        try:
            reply = envelopes.decode_reply(data)
        except msgspec.ValidationError as error:
            log.warning("a reply that is none: %s", error)
            return
        # A job that was taken over may be answered twice; the second answer finds nobody waiting.
        future = self._waiting.get(reply.job_id)
        if future is not None and not future.done():
            future.set_result(Answer(reply.outcome, by_worker=True))

    async def _reconnect(self) -> None:
        """Wait for Redis; then fail the calls whose jobs it lost, instead of letting them wait for their deadline.

        A job's key goes with its reply's coming, so: first look which jobs are gone, then read what replies there are,
        and only those still unanswered are lost.
        """
        while True:
            try:
                waiting = list(self._waiting)
                async with self._redis.pipeline(transaction=False) as pipe:
                    for job_id in waiting:
                        pipe.exists(keys.JOB + job_id)
                    pipe.lpop(self._reply_to, 1000)
                    *there, replies = await pipe.execute()
            except (exceptions.RedisError, OSError):
                await asyncio.sleep(RECONNECT_S)
                continue
            for data in replies or ():
                self._resolve(data)
            lost = _refused(Failure.STORE_UNAVAILABLE, "the service was restarted; try again")
            for job_id, exists in zip(waiting, there, strict=True):
                future = self._waiting.get(job_id)
                if not exists and future is not None and not future.done():
                    future.set_result(lost)
            return


def _refused(failure: Failure, detail: str) -> Answer:
    """An answer that no worker gave, for a state that passes."""
    return Answer(failed(failure, detail, retry_after_s=1), by_worker=False)


@asynccontextmanager
async def open_queue(settings: QueueSettings) -> AsyncGenerator[Queue]:
    """The queue of one gateway process, with its reader running."""
    redis = connect(settings)
    queue = Queue(redis, settings)
    reader = asyncio.create_task(queue.read_replies(), name="replies")
    try:
        yield queue
    finally:
        await end(reader)
        await redis.aclose()
