"""What is written to PostgreSQL in batches, off the path of the calls that it tells of.

A batch is written within FLUSH_S of what began it. While PostgreSQL is away it grows, and is written when that is back;
what bounds it is the subclass's to say.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from shared.db.pool import StoreUnavailableError
from shared.endings import end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

log = logging.getLogger(__name__)

FLUSH_S = 0.5
LAST_FLUSH_S = 2.0


class BatchWriter(ABC):
    """Collects, and writes what it has collected; one a process. Run it with `running`."""

    # What is collected, for the log.
    what: str

    def __init__(self) -> None:
        self._something = asyncio.Event()

    @abstractmethod
    async def flush(self) -> None:
        """Write all there is. Raises StoreUnavailableError, and keeps what could not be written."""

    @abstractmethod
    def __len__(self) -> int:
        """How much waits to be written."""

    async def run(self) -> None:
        """Write what comes, until cancelled. Idle, it waits and costs nothing."""
        while True:
            await self._something.wait()
            await asyncio.sleep(FLUSH_S)
            self._something.clear()
            try:
                await self.flush()
            except StoreUnavailableError:
                log.warning("PostgreSQL does not answer; %d %s wait", len(self), self.what)
                await asyncio.sleep(1)
                self._something.set()


W = TypeVar("W", bound=BatchWriter)


@asynccontextmanager
async def running(writer: W) -> AsyncGenerator[W]:
    """A writer that runs, and that writes what it still holds at the end."""
    task = asyncio.create_task(writer.run(), name=writer.what)
    try:
        yield writer
    finally:
        await end(task)
        try:
            await asyncio.wait_for(writer.flush(), LAST_FLUSH_S)
        except (StoreUnavailableError, TimeoutError):
            log.warning("PostgreSQL does not answer; %d %s are lost with this process", len(writer), writer.what)
