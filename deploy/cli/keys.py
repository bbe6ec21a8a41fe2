"""`fidox keys`: the access keys by which a tenant's programs ask for tokens."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from deploy.cli import common
from shared.db.tenants import AccessKey, Tenants

app = typer.Typer(help="Create, list and revoke access keys.", no_args_is_help=True)


@app.command()
def create(
    tenant: Annotated[str, typer.Argument(help="The tenant's name.", show_default=False)],
    label: Annotated[str, typer.Option(help="What the key is for, as a reminder.")] = "",
    as_json: common.Json = False,
) -> None:
    """Create a key for a tenant. Its secret is shown now and never again."""

    async def work() -> tuple[AccessKey, str, str]:
        async with common.database() as pool:
            tenants = Tenants(pool)
            return await tenants.create_key((await common.tenant_named(tenants, tenant)).id, label)

    row, access_key, secret_key = asyncio.run(work())
    common.show(
        {**msgspec.to_builtins(row), "secret_key": secret_key},
        f"access key  {access_key}\nsecret key  {secret_key}\n\nThe secret is kept nowhere: note it now, it cannot be"
        " shown again.",
        as_json=as_json,
    )


@app.command("list")
def list_keys(
    tenant: Annotated[str, typer.Option(help="Only this tenant's.", show_default=False)] = "",
    as_json: common.Json = False,
) -> None:
    """List access keys, without their secrets."""

    async def work() -> list[AccessKey]:
        async with common.database() as pool:
            tenants = Tenants(pool)
            return await tenants.keys((await common.tenant_named(tenants, tenant)).id if tenant else None)

    found = asyncio.run(work())
    rows = [
        (
            key.access_key,
            key.tenant,
            key.label,
            f"{key.created_at:%Y-%m-%d}",
            f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "live",
        )
        for key in found
    ]
    common.show_table(found, ("access key", "tenant", "label", "created", "state"), rows, as_json=as_json)


@app.command()
def revoke(
    access_key: Annotated[str, typer.Argument(help="The access key, fxa_….", show_default=False)],
    as_json: common.Json = False,
) -> None:
    """Revoke a key for good. The tokens it gave stop within 30 seconds."""

    async def work() -> bool:
        async with common.database() as pool:
            return await Tenants(pool).revoke_key(access_key)

    if not asyncio.run(work()):
        raise common.CommandError(f"there is no live key {access_key}; `fidox keys list` shows them")
    common.show({"access_key": access_key, "revoked": True}, f"revoked {access_key}", as_json=as_json)
