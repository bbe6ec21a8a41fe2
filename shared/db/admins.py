"""Accounts of the admin console and the admin API."""

from __future__ import annotations

import psycopg

from shared.db.passwords import Passwords
from shared.db.pool import DuplicateNameError, Pool, connection


class Admins:
    """Reads and writes `admins`."""

    def __init__(self, pool: Pool, passwords: Passwords | None = None) -> None:
        self._pool = pool
        self._passwords = passwords or Passwords()

    async def create(self, username: str, password: str) -> None:
        """A new account. Raises DuplicateNameError."""
        password_hash = await self._passwords.hash(password)
        async with connection(self._pool) as conn:
            try:
                await conn.execute(
                    "INSERT INTO admins (username, password_hash) VALUES (%s, %s)", (username, password_hash)
                )
            except psycopg.errors.UniqueViolation:
                raise DuplicateNameError(username) from None

    async def set_password(self, username: str, password: str) -> None:
        """Give the account this password, and make it where there is none."""
        password_hash = await self._passwords.hash(password)
        async with connection(self._pool) as conn:
            await conn.execute(
                "INSERT INTO admins (username, password_hash) VALUES (%s, %s)"
                " ON CONFLICT (username) DO UPDATE SET password_hash = EXCLUDED.password_hash",
                (username, password_hash),
            )

    async def verify(self, username: str, password: str) -> bool:
        """Is this the account's password? Takes as long where there is no such account."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute("SELECT password_hash FROM admins WHERE username = %s", (username,))
            row = await cursor.fetchone()
        return await self._passwords.verify(row[0] if row else None, password)
