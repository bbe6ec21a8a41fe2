"""Asking the engines, in their order, until one answers. Every operation on a face begins here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from shared.contracts import Failed, Failure, failed
from workers.face.circuit import EngineFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workers.face.circuit import EngineSlot
    from workers.runtime.circuit import Compute

T = TypeVar("T")

NO_ENGINE = "no face engine answers; an operator can see why in the face worker's log and with `fidox doctor`"


async def ask(slots: Iterable[EngineSlot], compute: Compute, work: Callable[..., T], *args: object) -> T | Failed:
    """`work(engine, *args)` in a thread, with the first engine that does not break over it.

    ENGINE_UNAVAILABLE where none is left. What `work` does counts into the engine's time limit.
    """
    for slot in slots:
        try:
            return await slot.run(compute, work, *args)
        except EngineFailedError:
            continue
    return failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE, retry_after_s=1)
