"""The circuits of the face worker's engines, under their own names; `workers.runtime.circuit` says how they work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from workers.face.engines import Engine
from workers.runtime.circuit import PartFailedError, Parts, PartSlot

Loader: TypeAlias = Callable[[], Engine]
Engines: TypeAlias = Parts[Engine]
EngineSlot: TypeAlias = PartSlot[Engine]
EngineFailedError = PartFailedError
