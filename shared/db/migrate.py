"""Plain-SQL migrations: `migrations/NNNN_name.sql`, each applied once, in order, under an advisory lock.

Several processes may start at once; one of them migrates and the others wait for it and find nothing to do. A file
that was applied and then changed is refused: what a database has seen is history, and a change is a new file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import psycopg

FOLDER = Path(__file__).parent / "migrations"
# Chosen: any number will do, so long as nothing else in this database locks on it.
LOCK_ID = 0x0F1D0C


class MigrationError(Exception):
    """A migration that was changed after it was applied."""


class Migration(NamedTuple):
    """One file, by its name without the suffix."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What is remembered of it in the database."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All of them, in the order they are applied."""
    return [Migration(path.stem, path.read_text("utf-8")) for path in sorted(FOLDER.glob("[0-9]*.sql"))]


class Difference(NamedTuple):
    """Between this code and a database: what it has not seen, and what it has that this code does not know."""

    pending: list[str]
    unknown: list[str]


async def compare(url: str) -> Difference:
    """How `url` differs from this code. Raises as `migrate` does."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        applied = await _applied(connection)
    known = migrations()
    for migration in known:
        _refuse_changed(migration, applied.get(migration.name, migration.sha256))
    names = {migration.name for migration in known}
    return Difference([m.name for m in known if m.name not in applied], sorted(applied.keys() - names))


async def migrate(url: str) -> list[str]:
    """Apply what is pending, each in a transaction of its own, and return the names.

    Raises MigrationError, and psycopg.OperationalError where the server does not answer.
    """
    done: list[str] = []
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_ID,))
        try:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations"
                " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            applied = await _applied(connection)
            for migration in migrations():
                if migration.name in applied:
                    _refuse_changed(migration, applied[migration.name])
                    continue
                async with connection.transaction():
                    await connection.execute(migration.sql.encode())
                    await connection.execute(
                        "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
                        (migration.name, migration.sha256),
                    )
                done.append(migration.name)
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK_ID,))
    return done


def _refuse_changed(migration: Migration, applied_sha256: str) -> None:
    if applied_sha256 != migration.sha256:
        raise MigrationError(f"{migration.name} was changed after it was applied here; write a new migration instead")


async def _applied(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> dict[str, str]:
    found = await connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL")
    row = await found.fetchone()
    if row is None or not row[0]:
        return {}
    rows = await connection.execute("SELECT name, sha256 FROM schema_migrations")
    return {str(name): str(sha256) for name, sha256 in await rows.fetchall()}
