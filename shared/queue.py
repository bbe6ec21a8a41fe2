"""The gateway's side of the queue: `submit(operation, images)` gives an answer, always, and never raises.

    submit ─ admit.lua ─┬─ no live worker ─────────────> ENGINE_UNAVAILABLE  at once
                        ├─ more than can be done in time ─> OVERLOADED       at once
                        └─ a place is reserved
                             └─ images, job, wake-up in one transaction ─ worker ─ reply list ─> the waiting future
                                                                                  └─ nothing in time ─> DEADLINE

One task a process reads the process's own reply list and resolves futures; nothing polls. The jobs are arq's
(`arq:job:`, arq's sorted set), so its tools see them; MessagePack on both sides, since a pickle in Redis would be
remote code execution. The worker's side is `workers/runtime/`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec
from arq.jobs import serialize_job
from redis import exceptions
from redis.asyncio import Redis

from shared import contracts, keys
from shared.contracts import Failure, Kind, failed
from shared.endings import end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from shared.settings import Queue as QueueSettings

log = logging.getLogger(__name__)

# The one arq function of every worker; what is to be done is in the operation.
PERFORM = "perform"
# Stale tokens cost an idle worker an empty look each, so few are kept; one token wakes one worker.
MOST_WAKE_TOKENS = 64
# Keys outlive the deadline by this, so that a late worker still sees what it drops.
GRACE_S = 5.0
REPLY_TTL_S = 60
RECONNECT_S = 0.2


def connect(url: str) -> Redis:
    """A client whose commands fail soon when the server is away, instead of hanging."""
    # No socket_timeout: with one, redis-py 5 can swallow a cancellation, and whoever cancels its reader waits for ever.
    # What a server that stands still may cost is bounded by each call's deadline instead.
    return Redis.from_url(url, socket_connect_timeout=2.0)


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
        self._admit = redis.register_script(files("shared").joinpath("lua/admit.lua").read_text("utf-8"))

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
        deadline_s: float | None = None,
    ) -> Answer:
        """Have a worker of `kind` do `operation` on `images` (encoded files), and wait for what comes of it.

        `tx_id` is the caller's transaction: a job that is done twice is recognised by it. A `part` is one of several
        jobs of a call, and no worker records it.
        """
        deadline_ms = int(1000 * (deadline_s or self._settings.deadline_s))
        job_id, held_bytes = f"{tx_id}:{kind}", sum(map(len, images))
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                refused, now_ms = await self._reserve(kind, job_id, held_bytes, deadline_ms)
                if refused is not None:
                    return Answer(refused, by_worker=False)
                job = contracts.Job(
                    job_id=job_id,
                    tx_id=tx_id,
                    tenant_id=tenant_id,
                    dialect=dialect,
                    submitted_ms=now_ms,
                    deadline_ms=now_ms + deadline_ms,
                    reply_to=self._reply_to,
                    blobs=len(images),
                    bytes_held=held_bytes,
                    part=part,
                    operation=msgspec.Raw(contracts.encode(operation)),
                )
                reply = self._waiting[job_id] = asyncio.get_running_loop().create_future()
                try:
                    await self._send(kind, job, images)
                    # A time-out of its own: the outer one's may have been swallowed (see endings.py) while sending.
                    async with asyncio.timeout((job.deadline_ms - now_ms) / 1000):
                        return await reply
                except exceptions.OutOfMemoryError:
                    await self._redis.zrem(keys.held(kind), keys.held_member(job_id, held_bytes))
                    return _refused(Failure.OVERLOADED, "too many pictures are waiting; try again")
                finally:
                    del self._waiting[job_id]
        except TimeoutError:
            return _refused(Failure.DEADLINE, "the call could not be answered in time; try again")
        except (exceptions.RedisError, OSError) as error:
            log.warning("the queue does not answer: %s", type(error).__name__)
            return _refused(Failure.STORE_UNAVAILABLE, "the service is starting or restarting")

    async def live_workers(self, kind: Kind) -> int:
        """How many worker processes of this kind are alive. Raises redis errors."""
        seconds, micros = cast("tuple[int, int]", await self._command("TIME"))
        return await self._redis.zcount(keys.workers(kind), seconds * 1000 + micros // 1000, "+inf")

    async def parts(self, kind: Kind) -> list[tuple[contracts.Part, ...]]:
        """What each live worker process of this kind says of its engines or checks. Raises redis errors."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.zrange(keys.workers(kind), 0, -1, withscores=True)
            pipe.hgetall(keys.parts(kind))
            (seconds, micros), workers, said = await pipe.execute()
        now_ms = seconds * 1000 + micros // 1000
        alive = [worker for worker, dead_at_ms in workers if dead_at_ms > now_ms]
        return [contracts.decode_parts(said[worker]) for worker in alive if worker in said]

    async def _reserve(
        self, kind: Kind, job_id: str, held_bytes: int, deadline_ms: int
    ) -> tuple[contracts.Failed | None, int]:
        """Ask admit.lua. Gives the refusal, or None, and Redis's time in ms."""
        verdict, now_ms, retry_ms, _ = cast(
            "tuple[bytes, int, int, int]",
            await self._admit(
                keys=[keys.held(kind), keys.workers(kind), keys.pace(kind)],
                args=[
                    keys.held_member(job_id, held_bytes),
                    held_bytes,
                    deadline_ms,
                    self._settings.max_jobs,
                    self._settings.max_bytes,
                ],
            ),
        )
        retry_after_s = -(-retry_ms // 1000)
        if verdict == b"unavailable":
            detail = f"no {kind} worker is running"
            return failed(Failure.ENGINE_UNAVAILABLE, detail, retry_after_s=max(retry_after_s, 1)), now_ms
        if verdict == b"overloaded":
            return failed(Failure.OVERLOADED, "too many calls are waiting", retry_after_s=retry_after_s), now_ms
        return None, now_ms

    async def _send(self, kind: Kind, job: contracts.Job, images: Sequence[bytes]) -> None:
        ttl_ms = job.deadline_ms - job.submitted_ms + int(1000 * GRACE_S)
        data = serialize_job(
            PERFORM, (contracts.encode(job),), {}, None, job.submitted_ms, serializer=msgspec.msgpack.encode
        )
        async with self._redis.pipeline(transaction=True) as pipe:
            for position, image in enumerate(images):
                pipe.set(keys.blob(job.job_id, position), image, px=ttl_ms)
            pipe.set(keys.JOB + job.job_id, data, px=ttl_ms)
            pipe.zadd(keys.queue(kind), {job.job_id: job.submitted_ms})
            pipe.rpush(keys.wake(kind), b"")
            pipe.ltrim(keys.wake(kind), -MOST_WAKE_TOKENS, -1)
            await pipe.execute()

    async def read_replies(self) -> None:
        """Resolve waiting futures for as long as the process lives; `open_queue` runs it."""
        while True:
            try:
                # The time-out is no poll: it lets a half-dead connection be noticed.
                popped = cast("tuple[bytes, bytes] | None", await self._command("BLPOP", self._reply_to, 30))
            except (exceptions.RedisError, OSError):
                await self._reconnect()
                continue
            if popped is not None:
                self._resolve(popped[1])

    def _resolve(self, data: bytes) -> None:
        try:
            reply = contracts.decode_reply(data)
        except msgspec.ValidationError as error:
            log.warning("a reply that is none: %s", error)
            return
        # A job that was taken over may be answered twice; the second answer finds nobody waiting.
        future = self._waiting.get(reply.job_id)
        if future is not None and not future.done():
            future.set_result(Answer(reply.outcome, by_worker=True))

    async def _reconnect(self) -> None:
        """Wait for Redis; then fail the calls whose jobs it lost, instead of letting them wait for their deadline.

        A job's key is deleted after its reply is pushed, so: first look which jobs are gone, then read what replies
        there are, and only those still unanswered are lost.
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
    redis = connect(settings.url)
    queue = Queue(redis, settings)
    reader = asyncio.create_task(queue.read_replies(), name="replies")
    try:
        yield queue
    finally:
        await end(reader)
        await redis.aclose()
