"""What is written to PostgreSQL in batches, off the path of the calls that it tells of.

A batch is written within FLUSH_S of what began it. While PostgreSQL is away it grows, and is written when that is back;
what bounds it is the subclass's to say. A writer outlives whatever a batch raises, a bug too: it logs it, and tries
again after a pause.
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
# After a failure. It doubles where PostgreSQL answers and refuses: that takes somebody to repair it.
PAUSE_S, MOST_PAUSE_S = 1.0, 30.0


class BatchWriter(ABC):
    """Collects, and writes what it has collected; one a process. Run it with `running`."""

    # What is collected, for the log.
    what: str

    def __init__(self) -> None:
        self._something = asyncio.Event()

    @abstractmethod
    async def flush(self) -> None:
        """Write all there is, and keep what could not be written. Raises StoreUnavailableError, and what is a bug."""

    @abstractmethod
    def __len__(self) -> int:
        """How much waits to be written."""

    async def run(self) -> None:
        """Write what comes, until cancelled. Idle, it waits and costs nothing."""
        pause_s = PAUSE_S
        while True:
            await self._something.wait()
            await asyncio.sleep(FLUSH_S)
            self._something.clear()
            try:
                await self.flush()
            except StoreUnavailableError:
                log.warning("PostgreSQL does not answer; %d %s wait", len(self), self.what)
                pause_s = PAUSE_S
            except Exception:  # a task's edge: nobody would start this one again
                log.exception(
                    "%d %s wait: they could not be written, next attempt in %.0f s", len(self), self.what, pause_s
                )
                pause_s = min(2 * pause_s, MOST_PAUSE_S)
            else:
                pause_s = PAUSE_S
                continue
            await asyncio.sleep(pause_s)
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
        except Exception:  # as in `run`
            log.exception("%d %s are lost with this process", len(writer), writer.what)
