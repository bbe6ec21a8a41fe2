"""The threads that a process computes in, and how long the longest of them has been at it.

Python cannot end a thread that hangs in C code (a driver, a decoder): only its process can be ended. So somebody has
to look, and `process.py` does.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Threads:
    """As many threads as there are slots. One a process."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="compute")
        self._since: dict[int, float] = {}

    @property
    def longest_s(self) -> float:
        """For how long the work that began first has been running; 0 where none is."""
        return max((time.monotonic() - since for since in tuple(self._since.values())), default=0.0)

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """`work(*args)` in a thread; its time counts from when it begins, not from when it is asked for."""

        def timed() -> T:
            me = threading.get_ident()
            self._since[me] = time.monotonic()
            try:
                return work(*args)
            finally:
                del self._since[me]

        return await asyncio.get_running_loop().run_in_executor(self._pool, timed)

    def close(self) -> None:
        """Begin nothing more, and wait for nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
