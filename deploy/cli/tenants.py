"""`fidox tenants`: who may use the API, and how much."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.cli import common
from shared.db.pool import DuplicateNameError
from shared.db.tenants import Tenant, Tenants

app = typer.Typer(help="Create, list, disable and enable tenants.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The tenant's name.", show_default=False)]
# The plan of one who is given no other: ten calls a second.
CALLS_PER_MINUTE = 600


@app.command()
def create(
    name: Name,
    calls_per_minute: Annotated[int, typer.Option(help="How many calls a minute its plan allows.", min=1)] = (
        CALLS_PER_MINUTE
    ),
    as_json: common.Json = False,
) -> None:
    """Create a tenant. It then needs a key: `fidox keys create NAME`."""

    async def work() -> Tenant:
        async with common.database() as pool:
            return await Tenants(pool).create(name, calls_per_minute)

    try:
        tenant = asyncio.run(work())
    except DuplicateNameError:
        raise common.CommandError(f"there is a tenant {name} already") from None
    common.show(tenant, f"created tenant {name}, {calls_per_minute} calls a minute", as_json=as_json)


@app.command("list")
def list_tenants(as_json: common.Json = False) -> None:
    """List all tenants."""

    async def work() -> list[Tenant]:
        async with common.database() as pool:
            return await Tenants(pool).list()

    found = asyncio.run(work())
    rows = [
        (one.name, str(one.calls_per_minute), "active" if one.is_active else "disabled", f"{one.created_at:%Y-%m-%d}")
        for one in found
    ]
    common.show_table(found, ("name", "calls a minute", "state", "created"), rows, as_json=as_json)


@app.command()
def disable(name: Name, as_json: common.Json = False) -> None:
    """Refuse a tenant's calls from now on (within 30 seconds); nothing of theirs is deleted."""
    _set_active(name, active=False, as_json=as_json)


@app.command()
def enable(name: Name, as_json: common.Json = False) -> None:
    """Let a disabled tenant call again."""
    _set_active(name, active=True, as_json=as_json)


def _set_active(name: str, *, active: bool, as_json: bool) -> None:
    async def work() -> bool:
        async with common.database() as pool:
            return await Tenants(pool).set_active(name, active)

    if not asyncio.run(work()):
        raise common.CommandError(f"there is no tenant {name}; `fidox tenants list` shows them")
    text = f"{'enabled' if active else 'disabled'} tenant {name}"
    common.show({"name": name, "is_active": active}, text, as_json=as_json)
