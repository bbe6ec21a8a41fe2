"""What the console's routes share: their guard, their end, and how small their bodies are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Router

from gateway.auth.admins import admin_guard, open_guard
from gateway.console.forms import MOST_BYTES
from gateway.dialects.xylolabs.admin.common import finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types.empty import EmptyType


def guarded(routes: Sequence[Any], *, max_bytes: int | EmptyType = MOST_BYTES) -> Router:
    """For admins alone. `max_bytes` Empty leaves the bound that every body has."""
    return Router(
        "/admin",
        route_handlers=routes,
        guards=[admin_guard],
        include_in_schema=False,
        request_max_body_size=max_bytes,
    )


def opened(routes: Sequence[Any]) -> Router:
    """For anybody but another site's page."""
    return Router(
        "/admin",
        route_handlers=routes,
        guards=[open_guard],
        include_in_schema=False,
        request_max_body_size=MOST_BYTES,
        after_response=finish,
    )
