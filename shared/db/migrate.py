"""Plain-SQL migrations: `migrations/NNNN_name.sql`, each applied once, in order, under an advisory lock.

Several processes may start at once; one of them migrates and the others wait for it and find nothing to do. A file
that was applied and then changed is refused: what a database has seen is history, and a change is a new file.

Calls go on meanwhile. A statement that waits for a lock makes every call queue behind it, so it waits for LOCK_S, lets
the queue pass and tries again, for as long as a backup may hold the table.

    a file                                  one transaction, which begins again where a lock was not to be had
    a file that begins with NO_TRANSACTION  statement by statement, for CREATE INDEX CONCURRENTLY: each ends with a
                                            semicolon at the end of a line, and is safe to run twice
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import psycopg

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "migrations"
# Chosen: any number will do, so long as nothing else in this database locks on it.
LOCK_ID = 0x0F1D0C
NO_TRANSACTION = "-- no-transaction"
# What calls may notice, and what lets those that queued pass.
LOCK_S, PAUSE_S = 0.5, 3.0
# A dump of a large database takes hours; somebody should be told before that.
PATIENCE_S = 3600.0

_Connection: TypeAlias = psycopg.AsyncConnection[tuple[object, ...]]


class MigrationError(Exception):
    """A migration that was changed after it was applied, or that got no lock."""


class Migration(NamedTuple):
    """One file, by its name without the suffix."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What is remembered of it in the database."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """Its statements, where it is to run without a transaction; else nothing."""
        if not self.sql.startswith(NO_TRANSACTION):
            return []
        return [part for part in re.split(r"(?<=;)[ \t]*\n", self.sql) if re.sub(r"--.*", "", part).strip()]


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All of them, in the order they are applied."""
    return [Migration(path.stem, path.read_text("utf-8")) for path in sorted(folder.glob("[0-9]*.sql"))]


class Difference(NamedTuple):
    """Between this code and a database: what it has not seen, and what it has that this code does not know."""

    pending: list[str]
    unknown: list[str]


async def compare(url: str) -> Difference:
    """How `url` differs from this code. Raises as `migrate` does."""
    async with await _connect(url) as connection:
        applied = await _applied(connection)
    known = migrations()
    for migration in known:
        _refuse_changed(migration, applied.get(migration.name, migration.sha256))
    names = {migration.name for migration in known}
    return Difference([m.name for m in known if m.name not in applied], sorted(applied.keys() - names))


async def migrate(url: str, *, folder: Path = FOLDER, patience_s: float = PATIENCE_S) -> list[str]:
    """Apply what is pending and return the names. `url` leads to the server itself, not to a pooler.

    Raises MigrationError, also where a lock was not to be had within `patience_s`, and psycopg.OperationalError where
    the server does not answer.
    """
    done: list[str] = []
    until = time.monotonic() + patience_s
    async with await _connect(url) as connection:
        await _lock(connection, until)
        try:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations"
                " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            applied = await _applied(connection)
            for migration in migrations(folder):
                if migration.name in applied:
                    _refuse_changed(migration, applied[migration.name])
                    continue
                await _apply(connection, migration, until)
                done.append(migration.name)
        finally:
            if not connection.broken:
                await connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK_ID,))
    return done


async def _connect(url: str) -> _Connection:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def _lock(connection: _Connection, until: float) -> None:
    # Asked again and again: one that waits inside pg_advisory_lock would keep CREATE INDEX CONCURRENTLY waiting for it.
    while True:
        found = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_ID,))
        if await found.fetchone() == (True,):
            return
        if time.monotonic() > until:
            raise MigrationError("another process has been migrating this database for too long; see what it waits for")
        await asyncio.sleep(0.2)


async def _apply(connection: _Connection, migration: Migration, until: float) -> None:
    async def run_all() -> None:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_S}s'".encode())
            await connection.execute(migration.sql.encode())
            await _note(connection, migration)

    if not migration.statements:
        await _patiently(run_all, migration.name, until)
        return
    for statement in migration.statements:

        async def run_one(statement: str = statement) -> None:
            # What is concurrent waits for other transactions and lets everybody by, so it may wait.
            lock_s = 0 if re.search(r"\bconcurrently\b", statement, re.IGNORECASE) else LOCK_S
            await connection.execute(f"SET lock_timeout = '{lock_s}s'".encode())
            await connection.execute(statement.encode())

        await _patiently(run_one, migration.name, until)
    await connection.execute("RESET lock_timeout")
    await _note(connection, migration)


async def _patiently(run: Callable[[], Awaitable[None]], name: str, until: float) -> None:
    """Run it until it gets its locks. Raises MigrationError after `until`."""
    while True:
        try:
            return await run()
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > until:
                message = f"{name} got no lock, of a backup or a long transaction; end that, and run it again"
                raise MigrationError(message) from error
            log.warning("%s waits for a lock; next attempt in %.0f s", name, PAUSE_S)
            await asyncio.sleep(PAUSE_S)


async def _note(connection: _Connection, migration: Migration) -> None:
    await connection.execute(
        "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)", (migration.name, migration.sha256)
    )


def _refuse_changed(migration: Migration, applied_sha256: str) -> None:
    if applied_sha256 != migration.sha256:
        raise MigrationError(f"{migration.name} was changed after it was applied here; write a new migration instead")


async def _applied(connection: _Connection) -> dict[str, str]:
    found = await connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL")
    row = await found.fetchone()
    if row is None or not row[0]:
        return {}
    rows = await connection.execute("SELECT name, sha256 FROM schema_migrations")
    return {str(name): str(sha256) for name, sha256 in await rows.fetchall()}
