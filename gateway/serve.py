"""What each of Granian's processes loads: logging set up, then the application."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from gateway.app import create_app
from shared.settings import Settings
from shared.telemetry import set_up_logging
from shared.tracing import set_up_tracing

if TYPE_CHECKING:
    from litestar.types import ASGIApp


def app() -> ASGIApp:
    """The application of this process."""
    settings = Settings.from_env()
    set_up_logging(settings.log)
    set_up_tracing(settings.telemetry, "gateway")
    made = create_app(settings)
    # What is there now stays: the collector need not walk through it between calls.
    gc.collect()
    gc.freeze()
    return made
