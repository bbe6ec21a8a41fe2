"""The console as `app.py` mounts it."""

from __future__ import annotations

from uuid import uuid4

from litestar.types import Empty

from gateway.console.common import guarded, opened
from gateway.console.pages import (
    access_keys,
    account,
    api_keys,
    engines,
    images,
    jobs,
    login,
    overview,
    tenants,
    test,
    transactions,
    users,
)
from gateway.look.assets import asset_route
from gateway.surface import Surface
from shared.contracts import Dialect

# What it asks workers for is recorded as the dialect's whose admin API it stands beside.
CONSOLE = Surface(
    name=Dialect.XYLOLABS,
    prefixes=("/admin",),
    routes=(
        asset_route("/admin/assets", "gateway.console"),
        opened(login.ROUTES),
        guarded(
            (
                *overview.ROUTES,
                *api_keys.ROUTES,
                *tenants.ROUTES,
                *access_keys.ROUTES,
                *users.ROUTES,
                *transactions.ROUTES,
                *images.ROUTES,
                *jobs.ROUTES,
                *engines.ROUTES,
                *account.ROUTES,
            )
        ),
        guarded(test.ROUTES, max_bytes=Empty),
    ),
    new_tx_id=lambda: str(uuid4()),
    records=False,
)
