"""A connection to PostgreSQL on which every wait has an end.

psycopg waits for whatever it asks of the server in one place, `AsyncConnection.wait`: a statement, a part of a COPY, a
BEGIN or a COMMIT. Here each of these waits may last `limit_s`:

    limit_s over ─> the server is asked to cancel ─ it does ─────────────────────> QueryCanceled
                                                  └ nothing for CANCEL_S ─> cut ─> OperationalError

A server that is slow says the first, and its work ends; one that has vanished without a word gets the second. To cut is
to shut the socket down: whoever waits for it is told at once, which closing it, or cancelling the task, would not do
(psycopg answers a cancellation by waiting for the server's consent).
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

if TYPE_CHECKING:
    from psycopg.abc import PQGen

T = TypeVar("T")

CANCEL_S = 1.0


class WatchedConnection(AsyncConnection[TupleRow]):
    """Set `limit_s` for what comes next. `was_cut` is a connection that is of no use any more."""

    limit_s = 5.0
    cancels = True
    was_cut = False

    async def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """As psycopg's, for `limit_s` and CANCEL_S at most. Raises psycopg.OperationalError after that."""
        loop = asyncio.get_running_loop()
        ending: list[asyncio.Task[None]] = []

        def end() -> None:
            ending.append(loop.create_task(self._end_wait()))

        timer = loop.call_later(self.limit_s, end)
        try:
            return await super().wait(gen, *args, **kwargs)
        finally:
            timer.cancel()
            for task in ending:
                # What was to be cancelled may have ended by itself: the cancellation must not hit what comes next.
                self.cut()
                task.cancel()

    async def _end_wait(self) -> None:
        if self.cancels:
            with suppress(psycopg.Error, OSError):
                async with asyncio.timeout(CANCEL_S):
                    await self.cancel_safe(timeout=CANCEL_S)
                    # The server's answer takes another round trip.
                    await asyncio.sleep(CANCEL_S)
        self.cut()

    def cut(self) -> None:
        """Shut the socket down; harmless a second time."""
        self.was_cut = True
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
