"""Connections to Redis on which every wait has an end.

    a command        PATIENCE_S to send, and a second more for each BYTES_A_SECOND; PATIENCE_S until the answer is there
    a blocking pop   its own time more
    a new connection PATIENCE_S, greeting and password included
    a free place     PATIENCE_S: a process holds at most `most` connections, and who comes then waits for one

A server may vanish without a word (its host, or what lies between), be demoted, or be loading. Whoever waits too long,
or is told one of `AWAY`, gets a `redis.exceptions.ConnectionError` or `TimeoutError`, the connection is dropped, and
the idle ones of the same client are opened anew when they are next taken: what made one of them useless did so to all.
So a client finds the successor as soon as its address leads there, and nobody has to restart it.

redis-py's own `socket_timeout` would not do: it bounds a blocking pop like any other command, and its writes go through
`asyncio.wait_for`, which may swallow a cancellation (see endings.py). What bounds here is `asyncio.timeout`.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import redis
from redis import connection as blocking
from redis import exceptions, sentinel
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from shared.settings import Queue as QueueSettings

# Chosen: a command takes a millisecond, and the longest script a few; a gateway's calls have ten seconds in all.
PATIENCE_S = 2.0
# Two pictures of 10 MB get two seconds more. A network between gateway and Redis that is slower does not carry them.
BYTES_A_SECOND = 10 * 1024 * 1024
# A transport lets its writer wait beyond 64 KiB.
UNWATCHED_BYTES = 32 * 1024
# What a server says that cannot serve us now, and may be able to after a failover or a restart. A script of Redis 6.2
# wraps it ("ERR Error running script … -READONLY …"), so it is looked for anywhere.
AWAY = re.compile(
    r"\b(READONLY|UNBLOCKED|LOADING|MASTERDOWN|NOPERM|NOAUTH|WRONGPASS|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF)\b"
)
# redis-py knows these, and takes the word off the message.
_AWAY_CLASSES = (exceptions.ReadOnlyError, exceptions.NoPermissionError)
_BLOCKING = frozenset({"BLPOP"})

# The kernel notices a peer that has gone after 11 s of silence (5, then 3 times 2), and after 10 s with data under way.
# Each wait here ends sooner; this frees the sockets of connections that nobody waits for. Linux has all of these.
_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in (
        ("TCP_KEEPIDLE", 5),
        ("TCP_KEEPINTVL", 2),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 10_000),
    )
    if hasattr(socket, name)
}


# One of three may have gone with the primary's host: the others have time left.
SENTINEL_S = 0.5
SENTINEL_PORT = 26379

_Find: TypeAlias = "Callable[[], Awaitable[tuple[str, int]]]"


def connect(settings: QueueSettings, *, most: int = 32) -> Redis:
    """Return a client with at most `most` connections, none of which is open yet. Raises ValueError for a bad URL.

    The URL is redis://, rediss:// (TLS; `?ssl_ca_certs=` names the authority) or unix://. Where there are sentinels,
    each new connection asks one of them for the primary; host and port of the URL are not used then, and the sentinels
    are asked with TLS where it is rediss://.
    """
    options = cast("dict[str, Any]", parse_url(settings.url))
    if not settings.sentinels:
        return _client(options, most)
    if "path" in options:
        raise ValueError("sentinels: expected redis:// or rediss://, got unix://")
    ours = {"db", "username", "password", "host", "port"}
    account = {"username": settings.sentinel_username or None, "password": settings.sentinel_password or None}
    alike = {name: value for name, value in options.items() if name not in ours} | account
    places = [alike | {"host": host, "port": port} for host, port in sentinel_addresses(settings.sentinels)]

    async def find() -> tuple[str, int]:
        return await _ask_sentinels(places, settings.sentinel_master)

    return _client(options | {"find": find}, most)


def connect_blocking(settings: QueueSettings, *, patience_s: float) -> redis.Redis:
    """Return a client without an event loop, for a look now and then, as `connect` does. Raises ValueError."""
    patience = {"socket_connect_timeout": patience_s, "socket_timeout": patience_s}
    if not settings.sentinels:
        return redis.Redis.from_url(settings.url, **patience)
    options = cast("dict[str, Any]", blocking.parse_url(settings.url))
    tls = {"ssl": options.pop("connection_class", None) is blocking.SSLConnection}
    alike = {name: value for name, value in options.items() if name.startswith("ssl_")} | tls
    asked = sentinel.Sentinel(
        sentinel_addresses(settings.sentinels),
        sentinel_kwargs={
            **alike,
            "username": settings.sentinel_username or None,
            "password": settings.sentinel_password or None,
            "socket_connect_timeout": SENTINEL_S,
            "socket_timeout": SENTINEL_S,
        },
    )
    rest = {name: value for name, value in options.items() if name not in {"host", "port"}}
    return cast("Any", asked).master_for(settings.sentinel_master, **rest, **tls, **patience)


def sentinel_addresses(said: Sequence[str]) -> list[tuple[str, int]]:
    """Return `host:port` of each as a pair; a port that is missing is 26379. Raises ValueError."""
    found: list[tuple[str, int]] = []
    for one in said:
        host, _, port = one.rpartition(":") if re.search(r":\d+$", one) else (one, "", str(SENTINEL_PORT))
        found.append((host.strip("[]"), int(port)))
    return found


async def _ask_sentinels(places: Sequence[dict[str, Any]], name: str) -> tuple[str, int]:
    """The primary's address, from the first that knows it. Raises ConnectionError.

    In any order: what one of them says may be old, and whoever is sent to a server that has gone asks again.
    """
    complaints: list[str] = []
    for place in random.sample(places, len(places)):
        try:
            async with asyncio.timeout(SENTINEL_S), _client(place, most=1) as client:
                asked = cast("Callable[..., Awaitable[Any]]", client.execute_command)
                found = await asked("SENTINEL GET-MASTER-ADDR-BY-NAME", name)
        except (exceptions.RedisError, OSError) as error:
            complaints.append(words(error))
            continue
        if found:
            host, port = found
            return host.decode(), int(port)
        complaints.append(f"no primary is called {name}")
    raise exceptions.ConnectionError(f"no sentinel knows the primary: {'; '.join(complaints)}")


def _client(options: dict[str, Any], most: int) -> Redis:
    base = options.get("connection_class", Connection)
    options = {name: value for name, value in options.items() if name != "connection_class"}
    if base is not UnixDomainSocketConnection:
        options |= {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE}
    pool = _BoundedPool(
        connection_class=_BOUNDED[base],
        max_connections=most,
        socket_connect_timeout=PATIENCE_S,
        # Not sent: an account with the least rights may not, and nothing reads them.
        lib_name=None,
        lib_version=None,
        doubt=_Doubt(),
        **options,
    )
    return Redis.from_pool(pool)


def words(error: BaseException) -> str:
    """Return what a server or the network said, for the log; its kind where it said nothing."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class _BoundedPool(ConnectionPool):
    """Who finds all connections in use waits for one, PATIENCE_S at most.

    redis-py's BlockingConnectionPool does the same by a condition, which costs a tenth of a round trip each time; its
    plain pool connects one at a time, so one address that does not answer would hold up everybody.
    """

    def __init__(self, *, max_connections: int, **options: Any) -> None:
        super().__init__(max_connections=max_connections, **options)
        self._places = asyncio.Semaphore(max_connections)

    async def get_connection(self, *_names: Any, **_options: Any) -> AbstractConnection:
        """Return an open connection. Raises redis errors."""
        if self._places.locked():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._places.acquire()
            except TimeoutError:
                raise exceptions.ConnectionError(f"all connections are in use, for {PATIENCE_S:g} s") from None
        else:
            await self._places.acquire()
        connection = self.get_available_connection()
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Take it back."""
        try:
            await super().release(connection)
        finally:
            self._places.release()


class _Doubt:
    """When a connection of the client failed last, by the event loop's clock."""

    def __init__(self) -> None:
        self.since = float("-inf")


class _Bounded(AbstractConnection):
    """A connection that waits for nothing longer than it should."""

    def __init__(self, *, doubt: _Doubt, find: _Find | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._doubt = doubt
        self._find = find
        self._opened = 0.0
        self._blocks_s = 0.0

    async def connect(self) -> None:
        """Open it, and anew where another one has failed since it was opened."""
        if self.is_connected and self._opened <= self._doubt.since:
            await self.disconnect(nowait=True)
        if self.is_connected:
            return
        opened = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                if self._find is not None:
                    self.host, self.port = await self._find()
                await super().connect()
        except TimeoutError:
            await self._give_up()
            raise exceptions.TimeoutError(f"no connection to {self._host_error()} within {PATIENCE_S:g} s") from None
        except BaseException:
            # redis-py leaves one open whose greeting was broken off.
            await self.disconnect(nowait=True)
            raise
        self._opened = opened

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        """Send it, and remember how long its answer may take."""
        await super().send_command(*args, **kwargs)
        if args[0] in _BLOCKING:
            self._blocks_s = float(args[-1])

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send it. Raises redis errors."""
        if not self.is_connected:
            await self.connect()
        parts = cast("Iterable[bytes]", (command,) if isinstance(command, (bytes, str)) else command)
        size = sum(map(len, parts))
        if size < UNWATCHED_BYTES and self._writer is not None and not self._writer.transport.get_write_buffer_size():
            # It goes to the kernel, or into a buffer that has room: nothing is waited for, and a timer costs a hop.
            await super().send_packed_command(command, check_health)
            return
        patience_s = PATIENCE_S + size / BYTES_A_SECOND
        try:
            async with asyncio.timeout(patience_s):
                await super().send_packed_command(command, check_health)
        except TimeoutError:
            await self._give_up()
            raise exceptions.TimeoutError(f"{self._host_error()} took no data for {patience_s:.1f} s") from None

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """Return the next answer. Raises redis errors."""
        patience_s, self._blocks_s = PATIENCE_S + self._blocks_s, 0.0
        try:
            async with asyncio.timeout(patience_s):
                return await cast("Any", super().read_response)(*args, **kwargs)
        except TimeoutError:
            await self._give_up()
            raise exceptions.TimeoutError(f"no answer from {self._host_error()} within {patience_s:g} s") from None
        except exceptions.ResponseError as error:
            if not isinstance(error, _AWAY_CLASSES) and not AWAY.search(str(error)):
                raise
            await self._give_up()
            raise exceptions.ConnectionError(f"{self._host_error()} cannot serve: {words(error)}") from error
        except exceptions.ConnectionError:
            await self._give_up()
            raise

    async def _give_up(self) -> None:
        self._doubt.since = asyncio.get_running_loop().time()
        await self.disconnect(nowait=True)


class _BoundedTcp(_Bounded, Connection):
    pass


class _BoundedTls(_Bounded, SSLConnection):
    pass


class _BoundedUnix(_Bounded, UnixDomainSocketConnection):
    pass


_BOUNDED: dict[type[AbstractConnection], type[AbstractConnection]] = {
    Connection: _BoundedTcp,
    SSLConnection: _BoundedTls,
    UnixDomainSocketConnection: _BoundedUnix,
}
