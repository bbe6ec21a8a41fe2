"""Why a part of a worker is off, and what turns it on, beside the state that its circuit knows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from shared.contracts import PartState
from shared.weights import WeightStore
from shared.weights.features import features
from workers.inference.gpu import has_gpu

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.contracts import Part
    from shared.settings import Settings
    from shared.weights.features import FeatureState
    from shared.weights.requirements import Feature

# Judges of a picture are loaded at the start alone, and an engine or a check once more every FIDOX_ENGINE_RETRY_S.
NOT_LOADED = (
    "its weights are present, and it is not loaded",
    "restart the worker; if it stays off, see the worker's log",
)
FAILED = "it does not answer, and is tried again", "see the worker's log"


class Explained:
    """Parts as `describe` gives them, with reasons; `names` says which feature each one is.

    The weights are looked at where a part is off, and not more often than every `again_s`.
    """

    def __init__(
        self,
        describe: Callable[[], Sequence[Part]],
        settings: Settings,
        names: Mapping[str, Feature],
        *,
        again_s: float,
    ) -> None:
        self._describe = describe
        self._settings = settings
        self._store = WeightStore(settings.weights)
        self._names = names
        self._again_s = again_s
        self._states: dict[str, FeatureState] = {}
        self._looked = -again_s

    def __call__(self) -> Sequence[Part]:
        """Return the parts."""
        return [part if part.state is PartState.READY else self._explained(part) for part in self._describe()]

    def _explained(self, part: Part) -> Part:
        if part.state is PartState.FAILED:
            because, get = FAILED
            return msgspec.structs.replace(part, because=because, get=get)
        if part.name not in self._names:
            return part
        state = self._current()[self._names[part.name]]
        because, get = NOT_LOADED if state.on else (state.because, state.public_get)
        return msgspec.structs.replace(part, because=because, get=get)

    def _current(self) -> dict[str, FeatureState]:
        if time.monotonic() - self._looked >= self._again_s:
            settings = self._settings
            found = features(self._store, settings, gpu=has_gpu(settings.inference))
            self._states = {state.name: state for state in found}
            self._looked = time.monotonic()
        return self._states
