"""Files that are to be removed from the storage, and are not yet: one row each (see 0005_storage.sql).

reserved  attempts 0   about to be written; due some minutes later, for the case that its writer dies
due       attempts 0+  somebody may set out to remove it
claimed   attempts 1+  somebody has; if they fail, or die, it falls due again, after ever longer pauses
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.db.pool import Connection, Pool, connection

if TYPE_CHECKING:
    from collections.abc import Sequence

# Longer than any job takes, which is two minutes (workers/runtime/worker.py).
RESERVED_S = 600
# 10 seconds after the first failure, then twice as long each time, up to an hour.
_NEXT = "now() + least(interval '1 hour', interval '10 seconds' * 2 ^ least(attempts, 10))"


class CleanupTasks:
    """Reads and writes `cleanup_tasks`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, most: int) -> list[str]:
        """Keys that are due, now the caller's to remove; several callers at once get different ones."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"UPDATE cleanup_tasks SET attempts = attempts + 1, due_at = {_NEXT} WHERE key IN"  # noqa: S608 — ours
                " (SELECT key FROM cleanup_tasks WHERE due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)"
                " RETURNING key",
                (most,),
            )
            return [str(key) for (key,) in await cursor.fetchall()]

    async def backlog(self) -> tuple[int, float]:
        """How many are to be removed now or were tried already, and how many seconds ago the first was noted."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)"
                " FROM cleanup_tasks WHERE due_at <= now() OR attempts > 0"
            )
            count, oldest_s = (await cursor.fetchall())[0]
            return int(count), max(float(oldest_s), 0.0)

    async def done(self, keys: Sequence[str]) -> None:
        """These files are gone."""
        async with connection(self._pool) as conn:
            await conn.execute("DELETE FROM cleanup_tasks WHERE key = ANY(%s::text[])", (list(keys),))

    async def failed(self, keys: Sequence[str], error: str) -> None:
        """These are not; they are due again when their claim said."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE cleanup_tasks SET last_error = %s WHERE key = ANY(%s::text[])", (error, list(keys))
            )


async def due_now(conn: Connection, keys: Sequence[str]) -> None:
    """Note on a connection, inside its transaction, that files are to go."""
    await conn.execute(
        "INSERT INTO cleanup_tasks (key, due_at) SELECT unnest(%s::text[]), now()"
        " ON CONFLICT (key) DO UPDATE SET due_at = now()",
        (list(keys),),
    )
