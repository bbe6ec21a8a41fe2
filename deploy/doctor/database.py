"""PostgreSQL, as the product needs it: version, pgvector, tables of this version, partitions ahead, room, clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import psycopg

from deploy.doctor.finding import Finding, State, judged
from shared.db.migrate import MigrationError, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

# The oldest that squawk is told of in the tests; the tests themselves run on 18.
LEAST_VERSION = 15
# halfvec, which templates are, came with it.
LEAST_VECTOR = (0, 7)
# Of the connections that the server gives to those who are no superuser.
MOST_CONNECTIONS = 0.8
MOST_SKEW_S = 2.0
# Six attempts take ten minutes (shared/db/cleanup.py).
LATE_ATTEMPTS, LATE_S = 6, 600

_LOOK = """
SELECT current_setting('server_version_num')::int / 10000,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       extract(epoch FROM clock_timestamp())::float8,
       to_regclass('transactions_' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM')) IS NOT NULL
"""


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything about it; one line where it does not answer."""
    url = settings.database.url
    if not url:
        yield Finding(State.WARN, "database", "DATABASE_URL is unset", "`fidox up` starts one; elsewhere set it")
        return
    try:
        with psycopg.connect(url, connect_timeout=3, autocommit=True) as connection:
            connection.execute("SET statement_timeout = '5s'")
            asked = time.time()
            (row,) = connection.execute(_LOOK).fetchall()
            skew_s = row[5] - (asked + time.time()) / 2
            tables = connection.execute("SELECT to_regclass('cleanup_tasks') IS NOT NULL").fetchone()
            backlog = _backlog(connection) if tables and tables[0] else None
        difference = asyncio.run(compare(url))
    except psycopg.Error as error:
        yield Finding(State.FAIL, "database", " ".join(str(error).split()), "start it, or mend DATABASE_URL")
        return
    except MigrationError as error:
        yield Finding(State.FAIL, "migrations", str(error), "run the version that this database belongs to")
        return
    version, installed, available, used, most, _, month_is_there = row
    todo = "" if version >= LEAST_VERSION else f"{LEAST_VERSION} or newer is needed"
    yield judged("database", f"PostgreSQL {version}", todo, bad=State.FAIL)
    yield _vector(installed, available)
    if difference.pending:
        yield Finding(State.FAIL, "migrations", f"pending: {', '.join(difference.pending)}", "run `fidox migrate`")
    elif difference.unknown:
        todo = "a newer version has migrated it: right during an upgrade, and otherwise upgrade this one, too"
        yield Finding(State.WARN, "migrations", f"newer than this code: {', '.join(difference.unknown)}", todo)
    else:
        yield Finding(State.OK, "migrations", "all applied")
    if not difference.pending:
        todo = "" if month_is_there else "workers make it: see that one runs, and what its log says"
        yield judged("partitions", f"next month's is {'there' if month_is_there else 'missing'}", todo)
    todo = "raise max_connections, or lower FIDOX_DB_POOL" if used > MOST_CONNECTIONS * most else ""
    yield judged("database connections", f"{used} of {most}", todo)
    yield skew("database clock", skew_s)
    if backlog is not None and settings.storage.enabled:
        yield _cleanup(*backlog)


def skew(check: str, seconds: float) -> Finding:
    """A clock beside this machine's. Tokens are dated by the gateway's, partitions and deadlines by the servers'."""
    todo = "set the clocks by NTP on both machines" if abs(seconds) > MOST_SKEW_S else ""
    return judged(check, f"{seconds:+.1f} s from this machine's", todo)


def _vector(installed: str | None, available: str | None) -> Finding:
    version = installed or available
    if version is None:
        return Finding(State.FAIL, "pgvector", "missing", "install the extension pgvector on the database server")
    least = ".".join(map(str, LEAST_VECTOR))
    new_enough = tuple(int(part) for part in version.split(".")[:2]) >= LEAST_VECTOR
    todo = "" if new_enough else f"{least} or newer is needed: upgrade it, then ALTER EXTENSION vector UPDATE"
    return judged("pgvector", version, todo, bad=State.FAIL)


def _backlog(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[int, int, str | None]:
    """Files that are due for removal, those of them that are late, and what the last one of these failed with."""
    (row,) = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE attempts >= %s OR due_at < now() - make_interval(secs => %s)),"
        " max(last_error) FROM cleanup_tasks WHERE attempts > 0 OR due_at <= now()",
        (LATE_ATTEMPTS, LATE_S),
    ).fetchall()
    return row[0], row[1], row[2]


def _cleanup(due: int, late: int, error: str | None) -> Finding:
    todo = f"a face worker removes them: see that one runs; the last error: {error or 'none'}" if late else ""
    return judged("cleanup", f"{due} files to be removed, {late} of them for over {LATE_S // 60} minutes", todo)
