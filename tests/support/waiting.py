"""Waiting for a state, however long that takes on a busy machine, instead of sleeping and hoping that it is there."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

# No measure of anything: it only keeps a test that waits in vain from waiting for ever.
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.05


def until(look: Callable[[], T], what: str = "", patience_s: float = PATIENCE_S) -> T:
    """What `look` returns, as soon as that is true. Fails after `patience_s`, and says what it waited for."""
    end = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < end, f"not so within {patience_s:.0f} s: {what or look} (last seen: {found!r})"
        time.sleep(LOOK_EVERY_S)
    return found


async def until_in_loop(look: Callable[[], T], what: str = "") -> T:
    """As `until`, while the event loop goes on; `look` runs in a thread."""
    return await asyncio.to_thread(until, look, what)


async def until_awaited(look: Callable[[], Awaitable[T]]) -> T:
    """As `until`, for what is awaited."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110 — what is looked at tells nobody that it has changed
            await asyncio.sleep(LOOK_EVERY_S)
        return found
