"""How a supervisor knows that its processes still work: each writes a byte a second into a pipe, from its event loop.

Which byte says whether it reaches Redis: one that does not lives, and is not ready.

    process  load models ─> first beat: ready ─> a beat a second ─ … ─> stands still (SIGSTOP, a deadlock, the GIL held)
    supervisor                      └─ watched from here on                  └─ silent too long ─> SIGKILL, another one

A pipe and not Redis: a Redis that is away must not get its workers killed. It tells the other way round, too: a
process whose supervisor was killed finds nobody reading, and ends instead of living on unwatched.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Carries the pipe's number from a supervisor to its process; not a setting, so it stands here and not in settings.py.
VARIABLE = "FIDOX_HEARTBEAT_FD"
BEAT_S = 1.0
IN_TOUCH, CUT_OFF = b".", b"-"
# A beat may come late on a busy machine; this many seconds without one are no lateness.
MISSED_S = 5.0
# A pipe holds 64 KiB; a look takes far less than that in.
MOST_BYTES = 4096


class Pulse:
    """The supervisor's end, for one process."""

    def __init__(self, longest_look_s: float) -> None:
        self._read, self.write_fd = os.pipe()
        os.set_blocking(self._read, False)
        self._longest_look_s = longest_look_s
        self._looked = time.monotonic()
        self._is_ready = False
        self._in_touch = True
        self.silent_s = 0.0

    def started(self) -> None:
        """The process has its end now, and is the only one that holds it."""
        os.close(self.write_fd)

    @property
    def beats(self) -> bool:
        """Was it ready once, and heard lately?"""
        return self._is_ready and self.silent_s < MISSED_S

    @property
    def takes_jobs(self) -> bool:
        """Does it beat, and reach Redis?"""
        return self.beats and self._in_touch

    def look(self) -> float:
        """For how long it has been silent since it was ready.

        Of the time between two looks no more than `longest_look_s` counts: where the supervisor stood still itself (a
        frozen container, a laptop that slept), its processes did, too.
        """
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, self._longest_look_s), now
        try:
            said = os.read(self._read, MOST_BYTES)
        except BlockingIOError:
            said = b""
        heard = bool(said)
        self._in_touch = said.endswith(IN_TOUCH) if heard else self._in_touch
        self._is_ready = self._is_ready or heard
        self.silent_s = self.silent_s + passed if self._is_ready and not heard else 0.0
        return self.silent_s

    def close(self) -> None:
        """The process is gone."""
        os.close(self._read)


async def beat(reaches_redis: Callable[[], bool]) -> None:
    """The process's end: beats until cancelled; returns only when the supervisor is gone."""
    number = os.environ.pop(VARIABLE, None)  # popped: what this process starts has nothing to write there
    if number is None:
        await asyncio.Event().wait()  # nobody watches: a process of a test, or of a container with one
        return
    pipe = int(number)
    os.set_blocking(pipe, False)
    try:
        while True:
            try:
                os.write(pipe, IN_TOUCH if reaches_redis() else CUT_OFF)
            except BlockingIOError:  # full: the supervisor stands still, and will find enough when it goes on
                pass
            except BrokenPipeError:
                return
            await asyncio.sleep(BEAT_S)
    finally:
        os.close(pipe)
