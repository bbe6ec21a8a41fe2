"""Where each weight lies on this machine, looked up in a thread and not more often than once a minute."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from shared.settings import SettingsError
from shared.weights import WeightStore

if TYPE_CHECKING:
    from shared.settings import Weights as WeightsSettings
    from shared.weights import Manifest, Place, Weight

log = logging.getLogger(__name__)

FRESH_S = 60.0


class WeightPlaces:
    """One a process."""

    def __init__(self, settings: WeightsSettings) -> None:
        try:
            self._store = WeightStore(settings)
        except SettingsError as error:
            # The operator's manifest is the workers' business: where it lies on their machines alone, names of weights
            # are all that the console lacks.
            log.warning("%s; the console and /health know the product's own weights alone", error)
            self._store = WeightStore(msgspec.structs.replace(settings, manifest=""))
        self._found: list[tuple[Weight, Place | None]] = []
        self._read_at = -FRESH_S
        self._one_at_a_time = asyncio.Lock()

    @property
    def manifest(self) -> Manifest:
        """Every weight that this machine knows of."""
        return self._store.manifest

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
