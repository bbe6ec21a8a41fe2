"""Remembers transactions and writes them in batches, in the order in which they came.

PostgreSQL is away               all of them wait, up to a bound; past it the oldest are given up and counted, since
                                 a log must not take the service's memory
it refuses some rows of a batch  those are given up, logged and counted; the others are written
it refuses all of them           they wait: the table or a right is missing, which is no fault of theirs
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.db.batches import BatchWriter, running
from shared.db.pool import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from shared.db.transactions import Transaction, Transactions

log = logging.getLogger(__name__)

MOST_KEPT = 20_000
BATCH = 500


class Recorder(BatchWriter):
    """One a process. Build it with `open_recorder`."""

    what = "transactions"

    def __init__(self, transactions: Transactions) -> None:
        super().__init__()
        self._transactions = transactions
        self._rows: deque[Transaction] = deque()
        self._writing: list[Transaction] = []
        self.given_up = 0

    def __len__(self) -> int:
        """How many rows wait, those that are being written too."""
        return len(self._writing) + len(self._rows)

    @property
    def behind_s(self) -> float:
        """How long ago the call of the first row that waits began; 0 where none waits."""
        first = self._writing[0] if self._writing else self._rows[0] if self._rows else None
        return max(0.0, (datetime.now(UTC) - first.created_at).total_seconds()) if first else 0.0

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
            self._writing = [self._rows.popleft() for _ in range(min(BATCH, len(self._rows)))]
            try:
                refused = await self._write_all(self._writing)
            except BaseException:
                self._rows.extendleft(reversed(self._writing))
                raise
            finally:
                self._writing = []
            for row, error in refused:
                log.error("a transaction was given up: %s", error, extra={"facts": {"tx": row.tx_id}})
            self.given_up += len(refused)

    async def _write_all(self, batch: Sequence[Transaction]) -> list[tuple[Transaction, Exception]]:
        """Write a batch; those rows that are refused, which are not all of them. Raises what refused them all."""
        refused = await self._write(batch)
        if len(refused) == len(batch):
            raise refused[0][1]
        return refused

    async def _write(self, rows: Sequence[Transaction]) -> list[tuple[Transaction, Exception]]:
        """Write rows; those that are refused by themselves, with the reason. Raises StoreUnavailableError.

        By halves: one row among 500 is found in 18 statements. What is written twice stays as it is.
        """
        try:
            await self._transactions.write(rows)
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 — psycopg's, or of what makes parameters of a row: either is its own
            if len(rows) == 1:
                return [(rows[0], error)]
            half = len(rows) // 2
            return await self._write(rows[:half]) + await self._write(rows[half:])
        return []


@asynccontextmanager
async def open_recorder(transactions: Transactions) -> AsyncGenerator[Recorder]:
    """A recorder that runs, and that writes what it still holds at the end."""
    async with running(Recorder(transactions)) as recorder:
        yield recorder
