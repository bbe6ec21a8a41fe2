"""`python -m gateway`: the gateway's processes, until SIGTERM."""

from __future__ import annotations

import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels

from gateway.auth.tokens import Tokens, TokenSecretsError
from shared.metrics.queues import QueueFigures
from shared.metrics.server import served
from shared.settings import Settings, SettingsError
from shared.telemetry import set_up_logging

# Longer than a call's deadline: requests in hand are answered before a process ends.
STOP_S = 15


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
        backpressure=512,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_S,
        log_enabled=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
