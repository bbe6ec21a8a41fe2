"""How it is right now: the queues, the workers and what each says of itself, and the last minute's calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from redis.exceptions import RedisError

from gateway.engines import EngineSummary, summarise
from shared.contracts import Kind
from shared.db.pool import StoreUnavailableError

if TYPE_CHECKING:
    from gateway.services import Services
    from shared.db.traffic import Traffic

MINUTE = timedelta(minutes=1)
# Whoever looks wants to be told that Redis stands still, not to wait for it.
PATIENCE_S = 2.0


class KindNow(msgspec.Struct, frozen=True):
    """One kind of worker; everything is None where Redis does not answer."""

    kind: Kind
    waiting: int | None = None
    running: int | None = None
    workers: int | None = None
    parts: tuple[EngineSummary, ...] = ()


class MinuteNow(msgspec.Struct, frozen=True):
    """The calls of the last minute."""

    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class Now(msgspec.Struct, frozen=True):
    """All of it; `minute` is None where the database does not answer. `shape` changes when other parts are there."""

    at: datetime
    kinds: tuple[KindNow, ...]
    minute: MinuteNow | None
    shape: str


async def now(services: Services) -> Now:
    """Ask Redis and the database, at the same time."""
    *kinds, minute = await asyncio.gather(*(_kind(services, kind) for kind in Kind), _minute(services.traffic))
    found = tuple(kind for kind in kinds if isinstance(kind, KindNow))
    shape = " ".join(f"{kind.kind}:{','.join(part.name for part in kind.parts)}" for kind in found)
    return Now(datetime.now(UTC), found, minute if isinstance(minute, MinuteNow) else None, shape)


async def _kind(services: Services, kind: Kind) -> KindNow:
    queue = services.queue
    try:
        async with asyncio.timeout(PATIENCE_S):
            figures, said = await asyncio.gather(queue.figures(kind), queue.parts(kind))
    except (RedisError, OSError):
        return KindNow(kind)
    return KindNow(kind, figures.waiting, figures.running, figures.workers, tuple(summarise(said)))


async def _minute(traffic: Traffic) -> MinuteNow | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            tally = await traffic.since(datetime.now(UTC) - MINUTE)
    except (StoreUnavailableError, TimeoutError):
        return None
    return MinuteNow(tally.count, tally.errors, tally.quantile_ms(0.5), tally.quantile_ms(0.95))
