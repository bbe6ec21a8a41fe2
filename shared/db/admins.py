"""Accounts of the admin console and the admin API, and what a username and a password must be like."""

from __future__ import annotations

from datetime import datetime

import msgspec
import psycopg

from shared.db.admin_sessions import end_sessions
from shared.db.passwords import Passwords
from shared.db.pool import DuplicateNameError, Pool, connection

LONGEST_USERNAME = 128
# NIST SP 800-63B asks for 8 and more; these accounts may delete everything, and nobody types one daily.
SHORTEST_PASSWORD = 12
# Longer ones are no safer, and each is hashed.
LONGEST_PASSWORD = 256


class AccountError(ValueError):
    """A username or a password that no account may have; the message says what it takes."""


class Admin(msgspec.Struct, frozen=True):
    """An account; its password is kept only as a hash."""

    username: str
    created_at: datetime


def check_username(username: str) -> None:
    """Raises AccountError. HTTP Basic ends a username at its first colon."""
    if not 1 <= len(username) <= LONGEST_USERNAME or ":" in username or not username.isprintable():
        raise AccountError(f"a username has 1 to {LONGEST_USERNAME} printable characters, and no colon")


def check_password(password: str) -> None:
    """Raises AccountError."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")


class Admins:
    """Reads and writes `admins`."""

    def __init__(self, pool: Pool, passwords: Passwords | None = None) -> None:
        self._pool = pool
        self._passwords = passwords or Passwords()

    async def create(self, username: str, password: str) -> None:
        """A new account. Raises DuplicateNameError, and AccountError for what no account may have."""
        check_username(username)
        check_password(password)
        password_hash = await self._passwords.hash(password)
        async with connection(self._pool) as conn:
            try:
                await conn.execute(
                    "INSERT INTO admins (username, password_hash) VALUES (%s, %s)", (username, password_hash)
                )
            except psycopg.errors.UniqueViolation:
                raise DuplicateNameError(username) from None

    async def list(self) -> list[Admin]:
        """All of them, by name."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute("SELECT username, created_at FROM admins ORDER BY username")
            return [Admin(*row) for row in await cursor.fetchall()]

    async def password_hash(self, username: str) -> str | None:
        """What a password is verified against; None where there is no such account. `username` has no NUL."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute("SELECT password_hash FROM admins WHERE username = %s", (username,))
            row = await cursor.fetchone()
        return str(row[0]) if row else None

    async def set_password(
        self, username: str, password: str, *, instead_of: str | None = None, keep_session: str | None = None
    ) -> bool:
        """Give an account this password, and end its sessions but `keep_session`. Raises AccountError.

        False where there is no such account, or where its hash is not `instead_of` any more: of two who change a
        password at the same moment one has changed it from what it no longer was.
        """
        check_password(password)
        password_hash = await self._passwords.hash(password)
        async with connection(self._pool) as conn, conn.transaction():
            changed = await conn.execute(
                "UPDATE admins SET password_hash = %(new)s WHERE username = %(username)s"
                " AND (%(old)s::text IS NULL OR password_hash = %(old)s)",
                {"new": password_hash, "username": username, "old": instead_of},
            )
            if changed.rowcount:
                await end_sessions(conn, username, but=keep_session)
        return changed.rowcount == 1

    async def delete(self, username: str) -> bool:
        """Remove an account and its sessions. False where there is none of this name."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute("DELETE FROM admins WHERE username = %s", (username,))
        return cursor.rowcount == 1
