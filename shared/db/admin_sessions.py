"""Sessions of the admin console: who a cookie stands for, and until when.

A cookie is 32 random bytes and is kept as a SHA-256. Whoever reads the table cannot make a cookie of it, and no slow
hash is needed, since nobody guesses 32 bytes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from shared.db.pool import Pool, connection

if TYPE_CHECKING:
    from shared.db.pool import Connection

# 32 bytes in URL-safe base64. Anything else is no session, and PostgreSQL need not be asked.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class AdminSessions:
    """Reads and writes `admin_sessions`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def start(self, username: str, password_hash: str, ttl_s: int) -> str | None:
        """A new session's token, and an end of all that have expired. None where the account's hash is another by now.

        The account's row is locked for it: a password that is changed at the same moment either ends this session, or
        is changed before it and then this is none.
        """
        token = secrets.token_urlsafe(32)
        async with connection(self._pool) as conn:
            await conn.execute("DELETE FROM admin_sessions WHERE expires_at <= now()")
            started = await conn.execute(
                "INSERT INTO admin_sessions (token_hash, username, expires_at)"
                " SELECT %s, username, now() + make_interval(secs => %s) FROM admins"
                " WHERE username = %s AND password_hash = %s FOR SHARE",
                (_hash(token), ttl_s, username, password_hash),
            )
        return token if started.rowcount else None

    async def username(self, token: str) -> str | None:
        """Whose session it is; None where it has ended, or never was."""
        if _TOKEN.fullmatch(token) is None:
            return None
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT username FROM admin_sessions WHERE token_hash = %s AND expires_at > now()", (_hash(token),)
            )
            row = await cursor.fetchone()
        return str(row[0]) if row else None

    async def end(self, token: str) -> bool:
        """End a session. False where there is no such one."""
        if _TOKEN.fullmatch(token) is None:
            return False
        async with connection(self._pool) as conn:
            cursor = await conn.execute("DELETE FROM admin_sessions WHERE token_hash = %s", (_hash(token),))
        return cursor.rowcount == 1


async def end_sessions(conn: Connection, username: str, *, but: str | None) -> None:
    """End an account's sessions, all or all but one, in the transaction that `conn` is in."""
    await conn.execute(
        "DELETE FROM admin_sessions WHERE username = %s AND token_hash <> %s", (username, _hash(but or ""))
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
