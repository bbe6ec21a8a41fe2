"""The last day's traffic, hour by hour, without asking for the same hour twice.

An hour that is over does not change any more, so it is read once; only those that may still change are read again, and
not more often than every few seconds, however many people look.

    over for SETTLED  ─> remembered
    the rest          ─> one query, kept for FRESH_S
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.db.traffic import HOUR, Hour

if TYPE_CHECKING:
    from shared.db.traffic import Traffic

HOURS = 24
FRESH_S = 5.0
# A gateway writes what no worker did in batches, and tries again while the database is away.
SETTLED = timedelta(minutes=10)


class Day:
    """One a process."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._hours: dict[datetime, Hour] = {}
        self._settled_until = datetime.min.replace(tzinfo=UTC)
        self._read_at = -FRESH_S
        self._one_at_a_time = asyncio.Lock()

    async def hours(self) -> list[Hour]:
        """The last HOURS hours, the one that runs now as the last. Raises StoreUnavailableError."""
        async with self._one_at_a_time:
            now = datetime.now(UTC)
            running = now.replace(minute=0, second=0, microsecond=0)
            first = running - (HOURS - 1) * HOUR
            if time.monotonic() - self._read_at >= FRESH_S or first not in self._hours:
                await self._read(first, now)
            return [self._hours[first + n * HOUR] for n in range(HOURS)]

    async def _read(self, first: datetime, now: datetime) -> None:
        since = max(first, self._settled_until)
        found = await self._traffic.hours(since, now + HOUR)
        starts = [first + n * HOUR for n in range(HOURS)]
        self._hours = {
            start: self._hours[start] if start < since else found.get(start, Hour(start, {})) for start in starts
        }
        self._settled_until = (now - SETTLED).replace(minute=0, second=0, microsecond=0)
        self._read_at = time.monotonic()
