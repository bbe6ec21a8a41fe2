"""The face engines as a caller sees them: what every live worker process says of them, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from gateway.refusals import RefusedError
from shared.contracts import Failure, Kind, PartState, failed
from shared.db.transactions import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.calls import Call
    from shared.contracts import LoadedNetwork, Part

# One process in which it works is enough for an answer.
BEST_FIRST = (PartState.READY, PartState.FAILED, PartState.ABSENT)


@dataclass(frozen=True, slots=True)
class EngineSummary:
    """One engine or check: its best state, in how many of the processes that have it it is ready, and its models.

    `networks` are those of a process in which its state is best; `because` and `get` are empty where it is ready.
    """

    name: str
    state: PartState
    ready: int
    processes: int
    model: str | None
    detector: str | None
    networks: tuple[LoadedNetwork, ...] = ()
    because: str = ""
    get: str = ""
    helps: bool = False


async def ask_engines(call: Call) -> list[EngineSummary]:
    """Every engine, in the order in which they are asked; the call is finished. Raises RefusedError."""
    try:
        said = await call.services.queue.parts(Kind.FACE)
    except (RedisError, OSError):
        outcome = failed(Failure.STORE_UNAVAILABLE, "the service is starting or restarting", retry_after_s=1)
        raise RefusedError(outcome) from None
    if not said:
        raise RefusedError(failed(Failure.ENGINE_UNAVAILABLE, "no face worker is running", retry_after_s=1))
    call.finish(OK, recorded=False)
    return [engine for engine in summarise(said) if not engine.helps]


def summarise(said: Sequence[Sequence[Part]]) -> list[EngineSummary]:
    """The processes' parts by name, in the order in which the first one has them."""
    by_name: dict[str, list[Part]] = {}
    for parts in said:
        for part in parts:
            by_name.setdefault(part.name, []).append(part)
    return [_summary(name, parts) for name, parts in by_name.items()]


def _summary(name: str, parts: Sequence[Part]) -> EngineSummary:
    best = min(parts, key=lambda part: BEST_FIRST.index(part.state))
    ready = sum(part.state is PartState.READY for part in parts)
    return EngineSummary(
        name,
        best.state,
        ready,
        len(parts),
        best.model,
        best.detector,
        networks=best.networks,
        because=best.because,
        get=best.get,
        helps=best.helps,
    )
