"""Connections to PostgreSQL, and the one error that says it does not answer.

StoreUnavailableError   the server is down, restarting, demoted, gone without a word or out of connections: the caller's
                        failure is a 503, and the next call may work. Nothing else of psycopg leaves a repository but
                        bugs.

Every wait has an end (`watched.py`), and a pool finds a successor by itself: a connection is looked at before it is
used, one is looked at every PROBE_S while nobody uses any, and where that shows a server that is gone or has been
demoted, all of them are opened anew. With several hosts in the address libpq takes the one that may be written to
(`target_session_attrs=read-write`).
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from shared.db.watched import WatchedConnection
from shared.endings import end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from shared.settings import Database

log = logging.getLogger(__name__)

Connection: TypeAlias = AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

# How soon a process that does nothing notices that its server has gone.
PROBE_S = 3.0
# As for Redis (shared/redis_client.py): what no wait bounds the kernel gives up. An address may say otherwise.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    **({"tcp_user_timeout": 10_000} if hasattr(socket, "TCP_USER_TIMEOUT") else {}),
}
# The server ended the session, or may not be written to: psycopg counts these as bugs of the client.
_AWAY = (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.IdleInTransactionSessionTimeout)


# For what no caller waits for, or an operator does: over all of a large tenant, over a day of calls.
LONG_STATEMENT_S = 300.0


class StoreUnavailableError(Exception):
    """PostgreSQL does not answer now. The message is what it said, or what did not come."""


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

    async def prepare(conn: WatchedConnection) -> None:
        conn.limit_s = settings.statement_timeout_s
        if configure is not None:
            await configure(conn)

    async def check(conn: WatchedConnection) -> None:
        """One round trip when a connection is taken: a restarted server is no error for the first caller after it."""
        # Half of the time, so that the other half is left for a new connection.
        conn.limit_s, conn.cancels = settings.connect_timeout_s / 2, False
        try:
            await AsyncConnectionPool.check_connection(conn)
        except psycopg.OperationalError:
            if conn.was_cut:
                await pool.drain()
            raise
        conn.limit_s, conn.cancels = settings.statement_timeout_s, True

    watched = AsyncConnectionPool(
        settings.url,
        connection_class=WatchedConnection,
        min_size=1,
        max_size=settings.pool_size,
        timeout=settings.connect_timeout_s,
        # A server that comes back is noticed within this; the default lets the waits grow to minutes.
        reconnect_timeout=settings.connect_timeout_s,
        configure=prepare,
        check=check,
        kwargs={"autocommit": True, "application_name": application, **_defaults(settings)}
        # Behind a pooler the next statement may reach another session, which knows nothing of what this one prepared.
        | ({} if settings.prepares else {"prepare_threshold": None}),
        open=False,
    )
    pool = cast("Pool", watched)
    # Without an address nothing is tried, and whoever asks is told that there is no database.
    if not settings.url:
        yield pool
        return
    await pool.open(wait=False)
    probing = asyncio.create_task(_probe(pool), name="database probe")
    try:
        yield pool
    finally:
        await end(probing)
        await pool.close(timeout=2.0)


@asynccontextmanager
async def connection(pool: Pool, *, statement_timeout_s: float | None = None) -> AsyncGenerator[Connection]:
    """A connection for one piece of work. Raises StoreUnavailableError where the server does not answer.

    A statement that takes longer than `statement_timeout_s` (FIDOX_DB_STATEMENT_TIMEOUT_S) has not been answered.
    """
    try:
        async with pool.connection() as taken:
            if statement_timeout_s is not None:
                cast("WatchedConnection", taken).limit_s = statement_timeout_s
            try:
                yield taken
            except _AWAY:
                # A demoted server lets its connections live; none of them is of use.
                cast("WatchedConnection", taken).cut()
                await pool.drain()
                raise
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed, *_AWAY) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        log.warning("PostgreSQL does not answer: %s", message)
        raise StoreUnavailableError(message) from error


def _defaults(settings: Database) -> dict[str, Any]:
    """What libpq is told where the address does not."""
    try:
        said = conninfo_to_dict(settings.url)
    except psycopg.ProgrammingError:
        return {}  # whoever connects is told what is wrong with it
    defaults = {"connect_timeout": max(2, math.ceil(settings.connect_timeout_s)), **_KEEPALIVE}
    return {name: value for name, value in defaults.items() if name not in said}


async def _probe(pool: Pool) -> None:
    """Look at one connection every PROBE_S: who calls next finds no server that has gone, or that only reads."""
    while True:
        await asyncio.sleep(PROBE_S)
        # Who needs it logs it.
        with suppress(psycopg.Error, PoolTimeout, PoolClosed):
            async with pool.connection() as taken:
                cursor = await taken.execute("SHOW transaction_read_only")
                if await cursor.fetchone() == ("on",):
                    log.warning("PostgreSQL is read-only here; connecting anew")
                    cast("WatchedConnection", taken).cut()
                    await pool.drain()
