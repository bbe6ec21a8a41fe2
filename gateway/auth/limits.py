"""Rate limits, counted in Redis so that several gateways share them.

A sliding window of one minute: no burst of twice the limit where two fixed windows meet, and two counters a key.
A limiter that cannot count lets calls through and says so: it guards the service, and must not be what takes it down.

A round trip to Redis for each call of a busy tenant was a seventh of the gateway's own work (profiled on count). So a
generous limit is spent in advances: a tenth of a second's worth, taken at once and used up here. What a
process has not used within ADVANCE_S lapses, so a tenant may be refused up to one advance a process too early, never
too late.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from gateway.refusals import RefusedError
from shared.contracts import Failure, failed
from shared.metrics import measures
from shared.redis_client import connect, words

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from redis.asyncio import Redis

    from shared.settings import Queue as QueueSettings

log = logging.getLogger(__name__)

# Counting takes a millisecond. A Redis that stands still is waited for once, by the queue, and not here too.
PATIENCE_S = 0.5
# An advance is this part of a minute's limit; limits below it are counted call by call.
ADVANCES = 600
ADVANCE_S = 1.0
MOST_REMEMBERED = 10_000
# What is limited: the first word of `who`, and a metric's label.
LIMITS = ("tenant", "token", "wrong-key", "wrong-from", "admin-login", "detect", "mask")


class Limiter:
    """One a process. Build it with `open_limiter`."""

    def __init__(self, redis: Redis) -> None:
        # The address counts for nothing beside a pool, but limits asks for one.
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="fidox:limit",
            connection_pool=cast("Any", redis.connection_pool),
        )
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self.failed_open = 0
        # Calls that are paid for already, and until when they may be made.
        self._advances: dict[tuple[str, ...], tuple[int, float]] = {}
        for limit in LIMITS:
            measures.LIMITED.labels(limit).inc(0)

    async def spend(self, per_minute: int, *who: str) -> None:
        """Count one call of `who`. Raises RefusedError (RATE_LIMITED) when that is one too many."""
        left, until = self._advances.get(who, (0, 0.0))
        if left and time.monotonic() < until:
            self._advances[who] = left - 1, until
            return
        advance = per_minute // ADVANCES
        if advance > 1:
            paid = await self._ask(self._strategy.hit, per_minute, *who, cost=advance)
            if paid:
                if len(self._advances) >= MOST_REMEMBERED:
                    self._advances.clear()
                self._advances[who] = advance - 1, time.monotonic() + ADVANCE_S
            if paid is not False:
                return
        await self._decide(self._strategy.hit, per_minute, *who)

    async def check(self, per_minute: int, *who: str) -> None:
        """Would one more be too many? Counts nothing; raises as `spend` does."""
        await self._decide(self._strategy.test, per_minute, *who)

    async def _decide(self, ask: Callable[..., Awaitable[bool]], per_minute: int, *who: str) -> None:
        if await self._ask(ask, per_minute, *who) is not False:
            return
        measures.LIMITED.labels(who[0]).inc()
        resets = time.time() + 1
        with suppress(RedisError, OSError):
            async with asyncio.timeout(PATIENCE_S):
                resets = (await self._strategy.get_window_stats(RateLimitItemPerMinute(per_minute), *who)).reset_time
        retry_after_s = max(1, math.ceil(resets - time.time()))
        detail = f"{per_minute} a minute are allowed; try again in {retry_after_s} s"
        raise RefusedError(failed(Failure.RATE_LIMITED, detail, retry_after_s=retry_after_s))

    async def _ask(self, ask: Callable[..., Awaitable[bool]], per_minute: int, *who: str, **more: int) -> bool | None:
        """What the strategy says; None, with a line in the log, where Redis does not answer."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await ask(RateLimitItemPerMinute(per_minute), *who, **more)
        except (RedisError, OSError) as error:
            self.failed_open += 1
            measures.UNCOUNTED.inc()
            log.warning("limits are not counted: %s", words(error))
            return None


@asynccontextmanager
async def open_limiter(settings: QueueSettings) -> AsyncGenerator[Limiter]:
    """A limiter, with connections of its own."""
    async with connect(settings) as redis:
        yield Limiter(redis)
