"""What stands around every page of the console: the way to the others, and who is logged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.auth.admins import AdminUser

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Request

    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the navigation: `name` is its word (`nav.NAME`), its icon, and what it calls itself in `shell`."""

    name: str
    path: str
    is_there: Callable[[Settings], bool] = lambda _settings: True


def _keeps_pictures(settings: Settings) -> bool:
    return settings.storage.enabled


# A page is a module in pages/, a template, and a line here. One that needs a setting says so.
ENTRIES: tuple[Entry, ...] = (
    Entry("overview", "/admin"),
    Entry("keys", "/admin/api-keys"),
    Entry("tenants", "/admin/tenants"),
    Entry("users", "/admin/users"),
    Entry("transactions", "/admin/transactions"),
    Entry("images", "/admin/images", _keeps_pictures),
    Entry("jobs", "/admin/jobs", _keeps_pictures),
    Entry("engines", "/admin/engines"),
    Entry("test", "/admin/test"),
)


def shell(request: Request[Any, Any, Any], here: str) -> dict[str, Any]:
    """What a page's template needs beside its own values; `here` is its Entry's name."""
    settings = request.app.state.services.settings
    user = request.scope.get("user")
    return {
        "here": here,
        "entries": [entry for entry in ENTRIES if entry.is_there(settings)],
        "username": user.username if isinstance(user, AdminUser) else None,
        "done": request.query_params.get("done"),
    }
