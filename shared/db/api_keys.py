"""API keys of the xylolabs dialect's public endpoints."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

import msgspec

from shared.db.pool import Pool, connection

PREFIX_LENGTH = 8
SUFFIX_LENGTH = 4


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


class ApiKeys:
    """Reads and writes `api_keys`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, name: str) -> tuple[ApiKey, str]:
        """A new key: its row and the whole key, which is never to be had again."""
        key = f"xyl_{secrets.token_urlsafe(32)}"
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "INSERT INTO api_keys (name, key_hash, key_prefix, key_suffix) VALUES (%s, %s, %s, %s)"
                " RETURNING id, name, key_prefix, key_suffix, is_active, request_count, last_used_at, created_at",
                (name, hashlib.sha256(key.encode()).digest(), key[:PREFIX_LENGTH], key[-SUFFIX_LENGTH:]),
            )
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 — INSERT … RETURNING gives a row
        return ApiKey(*row), key
