"""Ending a task for certain.

Before Python 3.12 `asyncio.wait_for` swallows a cancellation that arrives in the moment in which what it waits for is
done (github.com/python/cpython/issues/86296), and redis-py uses it for every write. So one `cancel()` may do nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_S = 0.1


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks until they have ended, whatever they end with."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=AGAIN_S)
    # Looked at, so that nobody is told of an exception that was never retrieved.
    await asyncio.gather(*tasks, return_exceptions=True)
