"""Remembers transactions and writes them in batches.

While PostgreSQL is away rows are kept up to a bound; past it the oldest are given up and counted, since a log must not
take the service's memory.
"""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.db.batches import BatchWriter, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.db.transactions import Transaction, Transactions

MOST_KEPT = 20_000
BATCH = 500


class Recorder(BatchWriter):
    """One a process. Build it with `open_recorder`."""

    what = "transactions"

    def __init__(self, transactions: Transactions) -> None:
        super().__init__()
        self._transactions = transactions
        self._rows: deque[Transaction] = deque()
        self.given_up = 0

    def __len__(self) -> int:
        """How many rows wait."""
        return len(self._rows)

    def record(self, row: Transaction) -> None:
        """Remember a row; it is written soon."""
        if len(self._rows) >= MOST_KEPT:
            self._rows.popleft()
            self.given_up += 1
        self._rows.append(row)
        self._something.set()

    async def flush(self) -> None:
        """See `BatchWriter.flush`."""
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
    async with running(Recorder(transactions)) as recorder:
        yield recorder
