"""Connections to PostgreSQL, and the one error that says it does not answer.

StoreUnavailableError   the server is down, restarting or out of connections: the caller's failure is a 503, and
                        the next call may work. Nothing else of psycopg leaves a repository but bugs.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from shared.settings import Database

Connection: TypeAlias = AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]


class StoreUnavailableError(Exception):
    """PostgreSQL does not answer now."""


class DuplicateNameError(Exception):
    """There is a tenant or an account of this name already."""


@asynccontextmanager
async def open_pool(
    settings: Database, *, application: str = "fidox", configure: Callable[[Connection], Awaitable[None]] | None = None
) -> AsyncGenerator[Pool]:
    """A pool that opens in the background: a process may start before its database does.

    Where no database is set it stays shut: libpq would go to whatever server this machine happens to have.

    `configure` runs on each new connection, for example to teach it pgvector's types. Connections commit by
    themselves; what belongs together stands in `async with connection.transaction()`.
    """
    pool: Pool = AsyncConnectionPool(
        settings.url,
        min_size=1,
        max_size=settings.pool_size,
        timeout=settings.connect_timeout_s,
        # A server that comes back is noticed within this; the default lets the waits grow to minutes.
        reconnect_timeout=settings.connect_timeout_s,
        configure=configure,
        # One round trip when a connection is taken, and a restarted server is no error for the first caller after it.
        check=AsyncConnectionPool.check_connection,
        kwargs={"autocommit": True, "application_name": application},
        open=False,
    )
    # Without an address nothing is tried, and whoever asks is told that there is no database.
    if settings.url:
        await pool.open(wait=False)
    try:
        yield pool
    finally:
        await pool.close(timeout=2.0)


@asynccontextmanager
async def connection(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection for one piece of work. Raises StoreUnavailableError where the server does not answer."""
    try:
        async with pool.connection() as taken:
            yield taken
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
        raise StoreUnavailableError(type(error).__name__) from error
