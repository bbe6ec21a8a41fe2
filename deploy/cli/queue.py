"""`fidox queue top`: the queues live in a terminal, straight from Redis, without a gateway or Prometheus."""

from __future__ import annotations

import itertools
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from redis.exceptions import RedisError
from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.cli import common
from shared.contracts import Kind
from shared.figures import Figures, read_figures
from shared.redis_client import connect_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from redis import Redis
    from rich.console import RenderableType

    from shared.settings import Queue as QueueSettings

app = typer.Typer(name="queue", help="The queues between gateways and workers.", no_args_is_help=True)

PATIENCE_S = 2.0
MIB = 1024 * 1024
COLUMNS = (
    *("queue", "waiting", "running", "oldest", "places", "MiB held", "workers", "job", "done/s"),
    *("done", "taken over", "dropped", "refused"),
)


class Look(msgspec.Struct, frozen=True):
    """The queues at one moment, by kind, or None where Redis did not answer; `done_per_s` since the look before."""

    at: datetime
    queues: dict[str, Figures] | None = None
    done_per_s: dict[str, float] = {}


@app.callback()
def _group() -> None:
    """Without a second command typer would take `top` for the group itself."""


@app.command()
def top(
    interval: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 1.0,
    count: Annotated[int, typer.Option(help="Looks until it ends; 0 goes on until Ctrl-C.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a look, for programs.")] = False,
) -> None:
    """Show how full, how old and how fast each queue is, until Ctrl-C.

    waiting     jobs that no worker has begun, and oldest is how long the first of them has waited
    running     jobs in a worker's hands
    places      admitted and not answered yet, of those that FIDOX_QUEUE_MAX_JOBS lets in
    MiB held    their pictures, of those that FIDOX_QUEUE_MAX_BYTES lets in
    workers     live processes; job is what one takes for a job at the moment
    taken over  jobs begun again because their worker died
    dropped     jobs past their deadline
    refused     never let in: too busy / no worker / out of memory
    """
    settings = common.settings().queue
    if not settings.url:
        raise common.CommandError("no Redis: set REDIS_URL, or start one with `fidox up`")
    try:
        redis = connect_blocking(settings, patience_s=PATIENCE_S)
    except ValueError as error:
        raise common.CommandError(f"REDIS_URL: {error}") from None
    looks = _looks(redis, interval, count)
    try:
        if as_json:
            for look in looks:
                sys.stdout.write(msgspec.json.encode(look).decode() + "\n")
                sys.stdout.flush()
        elif sys.stdout.isatty():
            with Live(console=Console(), auto_refresh=False, screen=False) as live:
                for look in looks:
                    live.update(_shown(look, settings), refresh=True)
        else:
            console = Console(width=200)
            for look in looks:
                console.print(_shown(look, settings))
    except KeyboardInterrupt:
        pass
    finally:
        redis.close()


def _looks(redis: Redis, interval_s: float, count: int) -> Iterator[Look]:
    """One look after the other."""
    before: Mapping[str, Figures] = {}
    looked = 0.0
    for number in itertools.count(1):
        began, at = time.monotonic(), datetime.now(UTC)
        try:
            found = {kind.value: read_figures(redis, kind) for kind in Kind}
        except (RedisError, OSError):
            yield Look(at)
        else:
            # A Redis that lost its keys counts from 0 again.
            done = {kind: max(found[kind].done - queue.done, 0) for kind, queue in before.items()}
            yield Look(at, found, {kind: round(number / (began - looked), 1) for kind, number in done.items()})
            before, looked = found, began
        if number == count:
            return
        time.sleep(max(0.0, began + interval_s - time.monotonic()))


def _shown(look: Look, settings: QueueSettings) -> RenderableType:
    if look.queues is None:
        return "Redis does not answer; looking again"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "queue" else "right", no_wrap=True)
    for kind, queue in look.queues.items():
        rate = look.done_per_s.get(kind)
        table.add_row(
            kind,
            str(queue.waiting),
            str(queue.running),
            f"{queue.oldest_s:.1f} s",
            f"{queue.places}/{settings.max_jobs}",
            f"{queue.bytes_held / MIB:.1f}/{settings.max_bytes / MIB:.0f}",
            str(queue.workers) if queue.workers else "[red]0[/]",
            "-" if queue.job_ms is None else f"{queue.job_ms:.0f} ms",
            "-" if rate is None else f"{rate:.1f}",
            str(queue.done),
            str(queue.taken_over),
            str(queue.dropped),
            "/".join(map(str, queue.refused.values())),
        )
    return table
