"""Writes transactions in batches, off the path of the calls they tell of.

A row is written within FLUSH_S of its call. While PostgreSQL is away rows are kept, up to a bound, and written when it
is back; past the bound the oldest are given up and counted, since a log must not take the service's memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.db.pool import StoreUnavailableError
from shared.endings import end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.db.transactions import Transaction, Transactions

log = logging.getLogger(__name__)

FLUSH_S = 0.5
MOST_KEPT = 20_000
BATCH = 500


class Recorder:
    """One a process. Build it with `open_recorder`."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._rows: deque[Transaction] = deque()
        self._something = asyncio.Event()
        self.given_up = 0

    def record(self, row: Transaction) -> None:
        """Remember a row; it is written soon."""
        if len(self._rows) >= MOST_KEPT:
            self._rows.popleft()
            self.given_up += 1
        self._rows.append(row)
        self._something.set()

    async def run(self) -> None:
        """Write what comes, until cancelled. Idle, it waits and costs nothing."""
        while True:
            await self._something.wait()
            await asyncio.sleep(FLUSH_S)
            self._something.clear()
            try:
                await self.flush()
            except StoreUnavailableError:
                log.warning("PostgreSQL does not answer; %d transactions wait", len(self._rows))
                await asyncio.sleep(1)
                self._something.set()

    async def flush(self) -> None:
        """Write all there is. Raises StoreUnavailableError, and keeps what could not be written."""
        while self._rows:
            batch = [self._rows.popleft() for _ in range(min(BATCH, len(self._rows)))]
            try:
                await self._transactions.write(batch)
            except BaseException:
                self._rows.extendleft(reversed(batch))
                raise


@asynccontextmanager
async def open_recorder(transactions: Transactions) -> AsyncGenerator[Recorder]:
    """A recorder that runs, and that writes what it still holds at the end."""
    recorder = Recorder(transactions)
    task = asyncio.create_task(recorder.run(), name="transactions")
    try:
        yield recorder
    finally:
        await end(task)
        try:
            await asyncio.wait_for(recorder.flush(), 2.0)
        except (StoreUnavailableError, TimeoutError):
            log.warning("PostgreSQL does not answer; transactions are lost with this process")
