"""Rate limits, counted in Redis so that several gateways share them.

A sliding window of one minute: no burst of twice the limit where two fixed windows meet, and two counters a key.
A limiter that cannot count lets calls through and says so: it guards the service, and must not be what takes it down.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from gateway.refusals import RefusedError
from shared.contracts import Failure, failed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

# Counting takes a millisecond. A Redis that stands still is waited for once, by the queue, and not here too.
PATIENCE_S = 0.5


class Limiter:
    """One a process."""

    def __init__(self, redis_url: str) -> None:
        scheme, _, rest = redis_url.partition("://")
        uri = f"async+redis+unix://{rest}" if scheme == "unix" else f"async+{scheme}://{rest}"
        self._strategy = SlidingWindowCounterRateLimiter(
            RedisStorage(uri, implementation="redispy", key_prefix="fidox:limit")
        )
        self.failed_open = 0

    async def spend(self, per_minute: int, *who: str) -> None:
        """Count one call of `who`. Raises RefusedError (RATE_LIMITED) when that is one too many."""
        await self._decide(self._strategy.hit, per_minute, *who)

    async def check(self, per_minute: int, *who: str) -> None:
        """Would one more be too many? Counts nothing; raises as `spend` does."""
        await self._decide(self._strategy.test, per_minute, *who)

    async def _decide(self, ask: Callable[..., Awaitable[bool]], per_minute: int, *who: str) -> None:
        limit = RateLimitItemPerMinute(per_minute)
        try:
            async with asyncio.timeout(PATIENCE_S):
                if await ask(limit, *who):
                    return
                resets = (await self._strategy.get_window_stats(limit, *who)).reset_time
        except (RedisError, OSError) as error:
            self.failed_open += 1
            log.warning("limits are not counted: %s", type(error).__name__)
            return
        retry_after_s = max(1, math.ceil(resets - time.time()))
        detail = f"{per_minute} a minute are allowed; try again in {retry_after_s} s"
        raise RefusedError(failed(Failure.RATE_LIMITED, detail, retry_after_s=retry_after_s))
