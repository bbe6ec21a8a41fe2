"""Where each weight lies on this machine, looked up in a thread and not more often than once a minute."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from shared.weights import WeightStore

if TYPE_CHECKING:
    from shared.settings import Weights as WeightsSettings
    from shared.weights import Place, Weight

FRESH_S = 60.0


class WeightPlaces:
    """One a process."""

    def __init__(self, settings: WeightsSettings) -> None:
        self._store = WeightStore(settings)
        self._found: list[tuple[Weight, Place | None]] = []
        self._read_at = -FRESH_S
        self._one_at_a_time = asyncio.Lock()

    async def places(self) -> list[tuple[Weight, Place | None]]:
        """Every weight in the manifest's order; None where the right file is not here. The first look reads files."""
        async with self._one_at_a_time:
            if time.monotonic() - self._read_at >= FRESH_S:
                self._found = await asyncio.to_thread(self._look)
                self._read_at = time.monotonic()
            return self._found

    def _look(self) -> list[tuple[Weight, Place | None]]:
        located = [(weight, self._store.find(weight.name)) for weight in self._store.manifest.weight]
        return [(weight, where.place if where else None) for weight, where in located]
