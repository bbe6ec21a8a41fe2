"""`python -m gateway`: the gateway's processes, until SIGTERM."""

from __future__ import annotations

import resource
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from gateway.auth.tokens import Tokens, TokenSecretsError
from shared.metrics.queues import QueueFigures
from shared.metrics.server import served
from shared.settings import Settings, SettingsError
from shared.telemetry import set_up_logging

# Longer than a call's deadline: requests in hand are answered before a process ends.
STOP_S = 15
# A process's connections. A silent one costs some kilobytes until its header's time is over; what requests hold in
# memory is bounded by bytes (bodies.py).
MOST_CONNECTIONS = 1024
# For them, for stores and for files.
MOST_FILES = 4096


def main() -> None:
    """Read the settings, say what is wrong with them, serve."""
    try:
        settings = Settings.from_env()
        settings.storage.require_place()
        # Here, because Granian ends a process whose start fails without a word of its own.
        Tokens(settings.auth.jwt_secrets, settings.auth.token_ttl_s)
    except (SettingsError, TokenSecretsError) as error:
        sys.exit(str(error))
    set_up_logging(settings.log)
    try:
        with served(settings.telemetry, "gateway", QueueFigures(settings.queue)):
            _serve(settings)
    except SettingsError as error:
        sys.exit(str(error))


def _serve(settings: Settings) -> None:
    _allow_files()
    Granian(
        "gateway.serve:app",
        factory=True,
        address=settings.http.host,
        port=settings.http.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.http.processes,
        backlog=1024,
        backpressure=MOST_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=round(settings.http.header_timeout_s * 1000)),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_S,
        log_enabled=False,
        log_level=LogLevels.warning,
    ).serve()


def _allow_files() -> None:
    """Raise the soft limit of open files where it is lower than the connections need and the hard one lets it be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
