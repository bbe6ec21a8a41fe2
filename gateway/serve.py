"""What each of Granian's processes loads: logging set up, then the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.app import create_app
from shared.settings import Settings
from shared.telemetry import set_up_logging

if TYPE_CHECKING:
    from litestar.types import ASGIApp


def app() -> ASGIApp:
    """The application of this process."""
    settings = Settings.from_env()
    set_up_logging(settings.log)
    return create_app(settings)
