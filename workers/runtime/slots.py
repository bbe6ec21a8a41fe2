"""How many jobs a process works on at once.

A slot is held from the claim of a job to the end of its work, not to the end of its answer: while one job's reply is
being pushed, the next one is already being claimed. On a CPU a process has one slot, on a GPU as many as fill a batch.
"""

from __future__ import annotations

import asyncio


class Slots:
    """A counter that can be waited for."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._some_free = asyncio.Event()
        self._some_free.set()

    @property
    def free(self) -> int:
        """How many may be taken now."""
        return self._free

    async def wait(self) -> int:
        """Wait until at least one is free; how many are."""
        await self._some_free.wait()
        return self._free

    def take(self) -> Slot:
        """Take one of the free ones."""
        if not self._free:
            raise RuntimeError("no slot is free")
        self._free -= 1
        if not self._free:
            self._some_free.clear()
        return Slot(self)

    def put_back(self) -> None:
        """For `Slot.give`."""
        self._free += 1
        self._some_free.set()


class Slot:
    """One slot taken. Giving it twice is giving it once, so that a `finally` may always give."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def give(self) -> None:
        """Give it back."""
        if self._slots is not None:
            self._slots.put_back()
            self._slots = None
