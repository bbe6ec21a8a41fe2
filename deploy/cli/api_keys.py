"""`fidox api-keys`: the keys of `/api/v1/detect` and `/api/v1/mask`. A tenant's access keys are `fidox keys`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from deploy.cli import common
from shared.db.api_keys import ApiKey, ApiKeys
from shared.db.pages import Window

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

app = typer.Typer(
    help="Create, list, enable, disable and delete the API keys of detect and mask.", no_args_is_help=True
)

KeyId = Annotated[UUID, typer.Argument(help="The key's id, as `fidox api-keys list` shows it.", show_default=False)]
LONGEST_NAME = 128
PAGE = 100


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.", show_default=False)],
    as_json: common.Json = False,
) -> None:
    """Create a key. It is shown now and never again."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise common.CommandError(f"a name has 1 to {LONGEST_NAME} printable characters")

    async def work() -> tuple[ApiKey, str]:
        async with common.database() as pool:
            return await ApiKeys(pool).create(name)

    row, key = asyncio.run(work())
    common.show(
        {**msgspec.to_builtins(row), "key": key},
        f"id   {row.id}\nkey  {key}\n\nIt is kept nowhere: note it now, it cannot be shown again.",
        as_json=as_json,
    )


@app.command("list")
def list_keys(as_json: common.Json = False) -> None:
    """List the keys, without what makes them keys, the oldest first."""

    async def work() -> list[ApiKey]:
        async with common.database() as pool:
            return [key async for key in _all(ApiKeys(pool))]

    found = asyncio.run(work())
    rows = [
        (
            str(key.id),
            key.name,
            f"{key.key_prefix}…{key.key_suffix}",
            "active" if key.is_active else "disabled",
            str(key.request_count),
            f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never",
            f"{key.created_at:%Y-%m-%d}",
        )
        for key in found
    ]
    common.show_table(found, ("id", "name", "key", "state", "requests", "last used", "created"), rows, as_json=as_json)


@app.command()
def enable(key_id: KeyId, as_json: common.Json = False) -> None:
    """Let a disabled key in again."""
    _set_active(key_id, active=True, as_json=as_json)


@app.command()
def disable(key_id: KeyId, as_json: common.Json = False) -> None:
    """Refuse calls with a key from now on (within 5 seconds)."""
    _set_active(key_id, active=False, as_json=as_json)


@app.command()
def delete(key_id: KeyId, as_json: common.Json = False) -> None:
    """Delete a key for good. Calls with it are refused within 5 seconds."""

    async def work() -> bool:
        async with common.database() as pool:
            return await ApiKeys(pool).delete(key_id)

    if not asyncio.run(work()):
        raise _unknown(key_id)
    common.show({"id": key_id, "deleted": True}, f"deleted API key {key_id}", as_json=as_json)


async def _all(api_keys: ApiKeys) -> AsyncGenerator[ApiKey]:
    page = 1
    while found := (await api_keys.page(Window(page, PAGE, "created_at"))).items:
        for key in found:
            yield key
        page += 1


def _set_active(key_id: UUID, *, active: bool, as_json: bool) -> None:
    async def work() -> ApiKey | None:
        async with common.database() as pool:
            return await ApiKeys(pool).update(key_id, is_active=active)

    key = asyncio.run(work())
    if key is None:
        raise _unknown(key_id)
    common.show(key, f"{'enabled' if active else 'disabled'} API key {key.name}", as_json=as_json)


def _unknown(key_id: UUID) -> common.CommandError:
    return common.CommandError(f"there is no API key {key_id}; `fidox api-keys list` shows them")
