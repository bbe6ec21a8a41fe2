"""How one kind's queue is at one moment, in one round trip to Redis: for metrics, `fidox queue` and the console."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import msgspec

from shared import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from shared.contracts import Kind

_SCRIPT = files("shared").joinpath("lua/figures.lua").read_text("utf-8")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one kind's queue.

    `waiting` jobs have been begun by no worker, `running` ones are in one's hands, and `oldest_s` is how long the first
    of those that wait has waited. Places and bytes are held by admitted jobs until they are answered; that is what
    admission bounds. `job_ms` is what a job takes one worker process at the moment, None where none was done lately.

    The counts run for as long as Redis keeps its keys: `taken_over` jobs were begun again because their worker died,
    `dropped` ones were past their deadline, and `refused` ones were never let in, by the reason.
    """

    waiting: int
    running: int
    oldest_s: float
    places: int
    bytes_held: int
    workers: int
    job_ms: float | None
    done: int
    taken_over: int
    dropped: int
    refused: dict[str, int]


REFUSED = ("overloaded", "unavailable", "full")


def read_figures(redis: Redis, kind: Kind) -> Figures:
    """Raises redis errors."""
    return _figures(cast("list[Any]", cast("Any", redis).eval(_SCRIPT, *_arguments(kind))))


async def figures_of(redis: AsyncRedis, kind: Kind) -> Figures:
    """Raises redis errors."""
    command = cast("Callable[..., Awaitable[Any]]", redis.eval)
    return _figures(cast("list[Any]", await command(_SCRIPT, *_arguments(kind))))


def _arguments(kind: Kind) -> tuple[int | str, ...]:
    read = [keys.queue(kind), keys.held(kind), keys.workers(kind), keys.pace(kind), keys.counts(kind)]
    return (len(read), *read, keys.LEASE)


def _figures(said: list[Any]) -> Figures:
    waiting, running, oldest_ms, places, bytes_held, workers, job_ms, pairs = said
    counts = {name.decode(): int(number) for name, number in zip(pairs[::2], pairs[1::2], strict=True)}
    return Figures(
        waiting=waiting,
        running=running,
        oldest_s=oldest_ms / 1000,
        places=places,
        bytes_held=bytes_held,
        workers=workers,
        job_ms=float(job_ms) if job_ms else None,
        done=counts.get("done", 0),
        taken_over=counts.get("taken_over", 0),
        dropped=counts.get("dropped", 0),
        refused={reason: counts.get(f"refused_{reason}", 0) for reason in REFUSED},
    )
