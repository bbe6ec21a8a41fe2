"""`fidox tenants`: who may use the API, and how much."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from deploy.cli import common
from gateway.auth.tokens import TokenKind, Tokens
from shared.db.pool import DuplicateNameError
from shared.db.tenants import Tenant, Tenants

app = typer.Typer(help="Create, list, disable and enable tenants, and give them tokens.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The tenant's name.", show_default=False)]
# The plan of one who is given no other: ten calls a second.
CALLS_PER_MINUTE = 600
TOKEN_DAYS = 365
MOST_TOKEN_DAYS = 3650
DAY_S = 86_400
# What `fidox keys list` shows of a tenant token.
TOKEN_LABEL = "tenant token"  # noqa: S105 — a name, no secret


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
        (
            one.name,
            str(one.calls_per_minute),
            "active" if one.is_active else "disabled",
            "matches nobody" if one.spoof_rejects else "is told of",
            "shown whole" if one.reveals_numbers else "masked",
            f"{one.created_at:%Y-%m-%d}",
        )
        for one in found
    ]
    common.show_table(
        found, ("name", "calls a minute", "state", "a spoof", "numbers", "created"), rows, as_json=as_json
    )


@app.command()
def disable(name: Name, as_json: common.Json = False) -> None:
    """Refuse a tenant's calls from now on (within 30 seconds); nothing of theirs is deleted."""
    _set_active(name, active=False, as_json=as_json)


@app.command()
def enable(name: Name, as_json: common.Json = False) -> None:
    """Let a disabled tenant call again."""
    _set_active(name, active=True, as_json=as_json)


@app.command("set")
def set_tenant(
    name: Name,
    spoof_rejects: Annotated[
        bool | None,
        typer.Option(
            "--spoof-rejects/--no-spoof-rejects",
            help="Where withLiveness finds a spoof, matched is false; or it is only told of.",
            show_default=False,
        ),
    ] = None,
    reveals_numbers: Annotated[
        bool | None,
        typer.Option(
            "--reveal-numbers/--mask-numbers",
            help="OCR gives the numbers of ID documents whole; or masked.",
            show_default=False,
        ),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Change what a tenant may choose; it holds within 30 seconds. What is not named stays as it is."""
    if spoof_rejects is None and reveals_numbers is None:
        raise common.CommandError("nothing to change: name an option; `fidox tenants set --help` lists them")

    async def work() -> Tenant | None:
        async with common.database() as pool:
            return await Tenants(pool).set_choices(name, spoof_rejects=spoof_rejects, reveals_numbers=reveals_numbers)

    tenant = asyncio.run(work())
    if tenant is None:
        raise common.CommandError(f"there is no tenant {name}; `fidox tenants list` shows them")
    spoof = "matches nobody" if tenant.spoof_rejects else "is told of, and changes nothing"
    numbers = "shown whole" if tenant.reveals_numbers else "masked"
    common.show(tenant, f"tenant {name}: a spoof {spoof}; numbers of ID documents are {numbers}", as_json=as_json)


@app.command()
def token(
    name: Name,
    days: Annotated[int, typer.Option(help="How long it is valid.", min=1, max=MOST_TOKEN_DAYS)] = TOKEN_DAYS,
    as_json: common.Json = False,
) -> None:
    """Give a tenant a long-lived bearer token. It is shown now and never again.

    It comes with an access key of its own, which nobody has the secret of: revoke that key, and the token ends.
    """
    secrets = common.settings().auth.jwt_secrets
    if not secrets:
        raise common.CommandError("no signing secret: set FIDOX_JWT_SECRETS to the gateway's, or start `fidox up`")
    try:
        tokens = Tokens(secrets, days * DAY_S)
    except ValueError as error:
        raise common.CommandError(str(error)) from None

    async def work() -> tuple[int, str]:
        async with common.database() as pool:
            tenants = Tenants(pool)
            tenant = await common.tenant_named(tenants, name)
            _, access_key, _ = await tenants.create_key(tenant.id, TOKEN_LABEL)
            return tenant.id, access_key

    tenant_id, access_key = asyncio.run(work())
    made = tokens.issue(tenant_id, access_key, TokenKind.TENANT)
    expires = datetime.now(UTC) + timedelta(days=days)
    common.show(
        {"name": name, "token": made, "access_key": access_key, "expires_at": expires},
        f"{made}\n\nValid until {expires:%Y-%m-%d}. It is kept nowhere: note it now, it cannot be shown again.\n"
        f"To end it: fidox keys revoke {access_key}",
        as_json=as_json,
    )


def _set_active(name: str, *, active: bool, as_json: bool) -> None:
    async def work() -> bool:
        async with common.database() as pool:
            return await Tenants(pool).set_active(name, active)

    if not asyncio.run(work()):
        raise common.CommandError(f"there is no tenant {name}; `fidox tenants list` shows them")
    text = f"{'enabled' if active else 'disabled'} tenant {name}"
    common.show({"name": name, "is_active": active}, text, as_json=as_json)
