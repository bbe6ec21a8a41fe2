"""API keys of the xylolabs dialect's public endpoints."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from shared.db.pages import Listing, Page, read_page
from shared.db.pool import Pool, connection

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import LiteralString

    from shared.db.pages import Filters, Window

PREFIX_LENGTH = 8
SUFFIX_LENGTH = 4

_KEY: LiteralString = "id, name, key_prefix, key_suffix, is_active, request_count, last_used_at, created_at"
_LISTING = Listing(
    columns=_KEY,
    source="api_keys",
    key=("id",),
    sorts={
        "name": "name",
        "request_count": "request_count",
        "last_used_at": "last_used_at",
        "created_at": "created_at",
    },
    nullable=frozenset({"last_used_at"}),
)


class ApiKey(msgspec.Struct, frozen=True):
    """A key's metadata; the key itself is shown once, when it is made, and kept only as a SHA-256."""

    id: UUID
    name: str
    key_prefix: str
    key_suffix: str
    is_active: bool
    request_count: int
    last_used_at: datetime | None
    created_at: datetime


class ApiKeyState(msgspec.Struct, frozen=True):
    """What every call needs to know about its key."""

    id: UUID
    is_active: bool


class ApiKeys:
    """Reads and writes `api_keys`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, name: str) -> tuple[ApiKey, str]:
        """A new key: its row and the whole key, which is never to be had again."""
        key = f"xyl_{secrets.token_urlsafe(32)}"
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "INSERT INTO api_keys (name, key_hash, key_prefix, key_suffix) VALUES (%s, %s, %s, %s)"  # noqa: S608
                f" RETURNING {_KEY}",
                (name, hashlib.sha256(key.encode()).digest(), key[:PREFIX_LENGTH], key[-SUFFIX_LENGTH:]),
            )
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 — INSERT … RETURNING gives a row
        return ApiKey(*row), key

    async def page(self, window: Window, *, is_active: bool | None = None, name: str | None = None) -> Page[ApiKey]:
        """Keys, or those that are active or not, or whose name has `name` in it, whatever its case."""
        filters: Filters = [("is_active = %s", is_active), ("strpos(lower(name), lower(%s)) > 0", name)]
        return await read_page(self._pool, _LISTING, window, filters, ApiKey)

    async def get(self, key_id: UUID) -> ApiKey | None:
        """The key of this id."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(f"SELECT {_KEY} FROM api_keys WHERE id = %s", (key_id,))  # noqa: S608
            row = await cursor.fetchone()
        return ApiKey(*row) if row else None

    async def names(self, key_ids: Collection[UUID]) -> dict[UUID, str]:
        """The names of these keys, by id; those that are gone are left out."""
        if not key_ids:
            return {}
        async with connection(self._pool) as conn:
            cursor = await conn.execute("SELECT id, name FROM api_keys WHERE id = ANY(%s::uuid[])", (list(key_ids),))
            return dict(await cursor.fetchall())

    async def update(self, key_id: UUID, *, name: str | None = None, is_active: bool | None = None) -> ApiKey | None:
        """Change what is not None; the key as it is then. None where there is no such key."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "UPDATE api_keys SET name = coalesce(%s, name), is_active = coalesce(%s, is_active)"  # noqa: S608
                f" WHERE id = %s RETURNING {_KEY}",
                (name, is_active, key_id),
            )
            row = await cursor.fetchone()
        return ApiKey(*row) if row else None

    async def delete(self, key_id: UUID) -> bool:
        """Forget a key; calls with it are refused. False where there is no such key."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute("DELETE FROM api_keys WHERE id = %s", (key_id,))
        return cursor.rowcount == 1

    async def state(self, key: str) -> ApiKeyState | None:
        """Whether this whole key, as a caller sends it, still counts."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT id, is_active FROM api_keys WHERE key_hash = %s", (hashlib.sha256(key.encode()).digest(),)
            )
            row = await cursor.fetchone()
        return ApiKeyState(*row) if row else None

    async def add_uses(self, uses: Mapping[UUID, tuple[int, datetime]]) -> None:
        """Add to each key's count of requests, and note when the last one was; all in one statement.

        In one order, or two gateways that write the same keys would wait for each other for ever.
        """
        rows = sorted(uses.items())
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE api_keys SET request_count = request_count + uses,"
                " last_used_at = greatest(last_used_at, used_at)"
                " FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) AS new(key_id, uses, used_at)"
                " WHERE id = key_id",
                ([key for key, _ in rows], [count for _, (count, _) in rows], [last for _, (_, last) in rows]),
            )
