"""The last day's traffic, hour by hour, without asking for the same hour twice, and without letting anybody wait.

An hour that is over does not change any more, so it is read once, in the background: all 24 when the process starts,
which takes a second where a million calls are in them, and then each as it ends. Those that may still change are read
when somebody looks, and not more often than every few seconds, however many people do.

    over for SETTLED  ─> remembered
    the rest          ─> one query, kept for FRESH_S

Who looks is shown what is known, with its time, where that query takes longer than PATIENCE_S.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from shared.db.pool import StoreUnavailableError
from shared.db.traffic import HOUR, Hour
from shared.endings import end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from shared.db.traffic import Traffic

log = logging.getLogger(__name__)

HOURS = 24
FRESH_S = 5.0
# A page is to be there within 100 ms; the rest of it takes the other half.
PATIENCE_S = 0.05
# A gateway writes what no worker did in batches, and tries again while the database is away.
SETTLED = timedelta(minutes=10)
# How often hours that have ended meanwhile are read: what is left to whoever looks is never more than 80 minutes.
EVERY_S = 600.0
AGAIN_S = 2.0


class Known(NamedTuple):
    """The last HOURS hours as they were `at` that time, the one that ran then as the last."""

    at: datetime
    hours: Sequence[Hour]


class Day:
    """One a process. Run it with `running_day`."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._known: Known | None = None
        self._settled_until = datetime.min.replace(tzinfo=UTC)
        self._read_at = -FRESH_S
        self._reading: asyncio.Task[None] | None = None

    async def look(self) -> Known | None:
        """What is known, after waiting a moment for what is new; None where nothing is known yet.

        Raises StoreUnavailableError.
        """
        if time.monotonic() - self._read_at >= FRESH_S or self._known is None:
            done, _ = await asyncio.wait({self._read()}, timeout=PATIENCE_S)
            for task in done:
                task.result()
        return self._known

    async def run(self) -> None:
        """Read the hours that are over, until cancelled."""
        while True:
            try:
                await asyncio.shield(self._read())
                pause_s = EVERY_S
            except StoreUnavailableError:
                pause_s = AGAIN_S
            except Exception:  # the process's edge: whoever looks is told; the hours are read another time
                log.exception("counting the last day")
                pause_s = EVERY_S
            await asyncio.sleep(pause_s)

    async def stop(self) -> None:
        """Read no further."""
        if self._reading is not None:
            await end(self._reading)

    def _read(self) -> asyncio.Task[None]:
        """The reading that is under way, or a new one: for whoever wants to wait for it."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._renew(), name="the last day")
            # Looked at, so that a failure that nobody waited for is no warning.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._reading

    async def _renew(self) -> None:
        now = datetime.now(UTC)
        first = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR
        since = max(first, self._settled_until)
        found = await self._traffic.hours(since, now + HOUR)
        found |= {hour.start: hour for hour in (self._known.hours if self._known else ()) if hour.start < since}
        starts = [first + n * HOUR for n in range(HOURS)]
        self._known = Known(now, [found.get(start, Hour(start, {})) for start in starts])
        self._settled_until = (now - SETTLED).replace(minute=0, second=0, microsecond=0)
        self._read_at = time.monotonic()


@asynccontextmanager
async def running_day(traffic: Traffic, *, has_database: bool) -> AsyncGenerator[Day]:
    """A day that is read in the background, where there is something to read."""
    day = Day(traffic)
    if not has_database:
        yield day
        return
    task = asyncio.create_task(day.run(), name="the hours that are over")
    try:
        yield day
    finally:
        await end(task)
        await day.stop()
