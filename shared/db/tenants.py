"""Tenants, their plans, and the access keys by which their programs ask for tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import psycopg

from shared.db.pages import Listing, Page, read_page
from shared.db.passwords import Passwords
from shared.db.pool import LONG_STATEMENT_S, DuplicateNameError, Pool, connection

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import LiteralString

    from shared.db.pages import Filters, Window

_TENANT: LiteralString = "id, name, calls_per_minute, is_active, created_at, spoof_rejects, reveals_numbers"
_LISTING = Listing(
    columns=_TENANT,
    source="tenants",
    key=("id",),
    sorts={"name": "name", "calls_per_minute": "calls_per_minute", "created_at": "created_at"},
)
_KEYS = Listing(
    columns="access_key, tenant_id, tenants.name, label, access_keys.created_at, revoked_at",
    source="access_keys JOIN tenants ON tenants.id = tenant_id",
    key=("access_key",),
    sorts={"label": "label", "created_at": "access_keys.created_at"},
)


class Tenant(msgspec.Struct, frozen=True):
    """Whoever integrates the API: their users, templates and transactions are theirs alone.

    With `spoof_rejects` a picture in which `withLiveness` finds a spoof matches nobody. With `reveals_numbers` OCR
    gives the numbers of ID documents whole.
    """

    id: int
    name: str
    calls_per_minute: int
    is_active: bool
    created_at: datetime
    spoof_rejects: bool
    reveals_numbers: bool


class AccessKey(msgspec.Struct, frozen=True):
    """The public half of a key; the secret is shown once, when it is made, and kept only as a hash."""

    access_key: str
    tenant_id: int
    tenant: str
    label: str
    created_at: datetime
    revoked_at: datetime | None


class Credential(msgspec.Struct, frozen=True):
    """What a login needs to know about an access key; `secret_digest` is None for a key from before there were any."""

    tenant_id: int
    secret_hash: str
    secret_digest: bytes | None
    is_active: bool


class KeyState(msgspec.Struct, frozen=True):
    """What every call needs to know about the key its token was made with."""

    tenant_id: int
    is_active: bool
    calls_per_minute: int
    spoof_rejects: bool
    reveals_numbers: bool


def digest_of(secret_key: str) -> bytes:
    """The SHA-256 of a secret key, which is 256 random bits."""
    return hashlib.sha256(secret_key.encode()).digest()


class Tenants:
    """Reads and writes `tenants` and `access_keys`."""

    def __init__(self, pool: Pool, passwords: Passwords | None = None) -> None:
        self._pool = pool
        self._passwords = passwords or Passwords()

    async def create(
        self, name: str, calls_per_minute: int, *, spoof_rejects: bool = False, reveals_numbers: bool = False
    ) -> Tenant:
        """A new tenant. Raises DuplicateNameError."""
        async with connection(self._pool) as conn:
            try:
                cursor = await conn.execute(
                    "INSERT INTO tenants (name, calls_per_minute, spoof_rejects, reveals_numbers)"  # noqa: S608
                    f" VALUES (%s, %s, %s, %s) RETURNING {_TENANT}",
                    (name, calls_per_minute, spoof_rejects, reveals_numbers),
                )
            except psycopg.errors.UniqueViolation:
                raise DuplicateNameError(name) from None
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 — INSERT … RETURNING gives a row
        return Tenant(*row)

    async def list(self) -> list[Tenant]:
        """All of them, by name."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(f"SELECT {_TENANT} FROM tenants ORDER BY name")  # noqa: S608 — ours
            return [Tenant(*row) for row in await cursor.fetchall()]

    async def by_name(self, name: str) -> Tenant | None:
        """The tenant of this name."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(f"SELECT {_TENANT} FROM tenants WHERE name = %s", (name,))  # noqa: S608
            row = await cursor.fetchone()
        return Tenant(*row) if row else None

    async def page(self, window: Window, *, is_active: bool | None = None, name: str | None = None) -> Page[Tenant]:
        """Tenants, or those that are active or not, or whose name has `name` in it, whatever its case."""
        filters: Filters = [("is_active = %s", is_active), ("strpos(lower(name), lower(%s)) > 0", name)]
        return await read_page(self._pool, _LISTING, window, filters, Tenant)

    async def get(self, tenant_id: int) -> Tenant | None:
        """The tenant of this id."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(f"SELECT {_TENANT} FROM tenants WHERE id = %s", (tenant_id,))  # noqa: S608
            row = await cursor.fetchone()
        return Tenant(*row) if row else None

    async def names(self, tenant_ids: Collection[int]) -> dict[int, str]:
        """The names of these tenants, by id; those that are gone are left out."""
        if not tenant_ids:
            return {}
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT id, name FROM tenants WHERE id = ANY(%s::bigint[])", (sorted(tenant_ids),)
            )
            return dict(await cursor.fetchall())

    async def update(
        self,
        tenant_id: int,
        *,
        calls_per_minute: int | None = None,
        is_active: bool | None = None,
        spoof_rejects: bool | None = None,
        reveals_numbers: bool | None = None,
    ) -> Tenant | None:
        """Change what is not None; the tenant as it is then. None where there is none of this id."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "UPDATE tenants SET calls_per_minute = coalesce(%s, calls_per_minute),"  # noqa: S608 — ours
                " is_active = coalesce(%s, is_active), spoof_rejects = coalesce(%s, spoof_rejects),"
                f" reveals_numbers = coalesce(%s, reveals_numbers) WHERE id = %s RETURNING {_TENANT}",
                (calls_per_minute, is_active, spoof_rejects, reveals_numbers, tenant_id),
            )
            row = await cursor.fetchone()
        return Tenant(*row) if row else None

    async def delete(self, tenant_id: int, name: str) -> bool:
        """Forget a tenant with its keys, users and templates; its transactions stay. False where there is none.

        `name` has to be the tenant's. The templates go first, in one statement: by the cascade, user by user, each
        would note a change of its own (0002), all on one row, and that gets slower with every one.
        """
        long = connection(self._pool, statement_timeout_s=LONG_STATEMENT_S)
        async with long as conn, conn.transaction():
            found = await conn.execute(
                "SELECT 1 FROM tenants WHERE id = %s AND name = %s FOR UPDATE", (tenant_id, name)
            )
            if await found.fetchone() is None:
                return False
            await conn.execute("DELETE FROM templates WHERE tenant_id = %s", (tenant_id,))
            await conn.execute("DELETE FROM tenants WHERE id = %s", (tenant_id,))
        return True

    async def set_active(self, name: str, active: bool) -> bool:
        """Disable a tenant or bring it back. False where there is none of this name."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute("UPDATE tenants SET is_active = %s WHERE name = %s", (active, name))
        return cursor.rowcount == 1

    async def set_choices(
        self, name: str, *, spoof_rejects: bool | None = None, reveals_numbers: bool | None = None
    ) -> Tenant | None:
        """Change what is not None; the tenant as it is then. None where there is no tenant of this name."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "UPDATE tenants SET spoof_rejects = coalesce(%s, spoof_rejects),"  # noqa: S608 — the columns are ours
                f" reveals_numbers = coalesce(%s, reveals_numbers) WHERE name = %s RETURNING {_TENANT}",
                (spoof_rejects, reveals_numbers, name),
            )
            row = await cursor.fetchone()
        return Tenant(*row) if row else None

    async def create_key(self, tenant_id: int, label: str = "") -> tuple[AccessKey, str, str]:
        """A new key: its row, the access key and the secret key. The secret is never to be had again."""
        access_key, secret_key = f"fxa_{secrets.token_hex(12)}", f"fxs_{secrets.token_urlsafe(32)}"
        secret_hash = await self._passwords.hash(secret_key)
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "INSERT INTO access_keys (access_key, tenant_id, label, secret_hash, secret_digest)"
                " VALUES (%s, %s, %s, %s, %s)"
                " RETURNING access_key, tenant_id, (SELECT name FROM tenants WHERE id = tenant_id), label, created_at,"
                " revoked_at",
                (access_key, tenant_id, label, secret_hash, digest_of(secret_key)),
            )
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 — INSERT … RETURNING gives a row
        return AccessKey(*row), access_key, secret_key

    async def keys(self, tenant_id: int | None = None) -> list[AccessKey]:
        """The keys of one tenant, or of all, the newest last."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT access_key, tenant_id, tenants.name, label, access_keys.created_at, revoked_at"
                " FROM access_keys JOIN tenants ON tenants.id = tenant_id"
                " WHERE %(tenant)s::bigint IS NULL OR tenant_id = %(tenant)s ORDER BY access_keys.created_at",
                {"tenant": tenant_id},
            )
            return [AccessKey(*row) for row in await cursor.fetchall()]

    async def key_page(self, tenant_id: int, window: Window, *, is_active: bool | None = None) -> Page[AccessKey]:
        """A tenant's keys, or those that are live or revoked."""
        filters: Filters = [("tenant_id = %s", tenant_id), ("(revoked_at IS NULL) = %s", is_active)]
        return await read_page(self._pool, _KEYS, window, filters, AccessKey)

    async def revoke_key(self, access_key: str, tenant_id: int | None = None) -> bool:
        """No more tokens by this key, and those it gave end. False where there is no such live key (of this tenant)."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "UPDATE access_keys SET revoked_at = now() WHERE access_key = %(key)s AND revoked_at IS NULL"
                " AND (%(tenant)s::bigint IS NULL OR tenant_id = %(tenant)s)",
                {"key": access_key, "tenant": tenant_id},
            )
        return cursor.rowcount == 1

    async def credential(self, access_key: str) -> Credential | None:
        """What a login with this access key is checked against."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT tenant_id, secret_hash, secret_digest, revoked_at IS NULL AND tenants.is_active"
                " FROM access_keys JOIN tenants ON tenants.id = tenant_id WHERE access_key = %s",
                (access_key,),
            )
            row = await cursor.fetchone()
        return Credential(*row) if row else None

    async def add_digest(self, access_key: str, secret_key: str) -> None:
        """Give a key from before its digest, once its secret was found to be right."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE access_keys SET secret_digest = %s WHERE access_key = %s AND secret_digest IS NULL",
                (digest_of(secret_key), access_key),
            )

    async def key_state(self, access_key: str) -> KeyState | None:
        """Whether tokens of this key still count, and what its tenant may do."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT tenant_id, revoked_at IS NULL AND tenants.is_active, calls_per_minute, spoof_rejects,"
                " reveals_numbers FROM access_keys JOIN tenants ON tenants.id = tenant_id WHERE access_key = %s",
                (access_key,),
            )
            row = await cursor.fetchone()
        return KeyState(*row) if row else None
