"""A worker's command: `python -m workers.KIND` watches over its processes, and with `--one` is one of them.

The first form imports no model library: it only starts, watches and stops the others, and serves what they count.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shared.metrics.gpus import Gpus
from shared.metrics.server import served
from shared.settings import Settings, SettingsError
from shared.telemetry import set_up_logging
from workers.runtime.supervisor import EX_CONFIG, KEPT_BYTES, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.contracts import Kind


def main(
    kind: Kind,
    processes: Callable[[Settings], int],
    be_one: Callable[[Settings], None],
    *,
    kept_bytes: int = KEPT_BYTES,
) -> int:
    """Do what the command line says. The exit status.

    `processes` says how many there are to be, and `be_one` is one until it is told to stop; both may raise
    SettingsError. A process keeps freed arrays of up to `kept_bytes` for the next ones.
    """
    try:
        settings = Settings.from_env()
        set_up_logging(settings.log)
        if "--one" in sys.argv[1:]:
            be_one(settings)
            return 0
        return _watch_over(kind, processes(settings), settings, kept_bytes)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EX_CONFIG


def _watch_over(kind: Kind, count: int, settings: Settings, kept_bytes: int) -> int:
    supervisor = Supervisor(
        f"workers.{kind}",
        count,
        lease_s=settings.queue.lease_s,
        ready_file=settings.telemetry.ready_file,
        kept_bytes=kept_bytes,
    )
    with served(settings.telemetry, kind, supervisor, Gpus()):
        return supervisor.run()
