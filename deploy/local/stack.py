"""The whole product on one machine, as one context manager: `make run` and the tests start the same thing.

    with LocalStack(folder, port=0) as stack:
        stack.base_url, stack.demo, stack.database_url, stack.redis_url, stack.children, stack.fidox("keys", "list")

    lock ─> leftovers ─> port ─> servers ─> migrate ─> demo tenant ─> weights ─> workers and gateway ─> ready

Leaving it stops everything in the reverse order, whatever happened in between. Where DATABASE_URL or REDIS_URL is
set, that server is used and none is embedded.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self
from urllib.request import urlopen

import psycopg
from redis.exceptions import RedisError

from deploy.local import demo, envfiles, pidfiles
from deploy.local.errors import LocalError, PortTakenError
from deploy.local.folder import CHECKOUT, DEFAULT_ROOT, Folder
from deploy.local.lock import locked
from deploy.local.servers import start_postgres, start_redis
from deploy.local.supervisor import Child, Program, Supervisor
from shared.contracts import Kind
from shared.db.migrate import MigrationError, migrate
from shared.db.pool import StoreUnavailableError
from shared.queue import open_queue
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from deploy.local.supervisor import Say

# Generous: a cold disk, or a CUDA context on a machine with many GPUs.
READY_S = 120.0
# The worker's own supervisor gives its processes 20 s to finish their jobs, the gateway 15 s its calls.
STOP_S = 25.0


def _nothing(_line: str) -> None:
    """No console."""


class LocalStack:
    """Build it with a folder of its own. `port` 0 takes a free one, None what the environment says.

    `environment` is laid over the process's own, for the children too. `say` gets a line for each step;
    `before_start` runs when the servers are there and the workers are not yet.
    """

    def __init__(
        self,
        root: Path = DEFAULT_ROOT,
        port: int | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        say: Say = _nothing,
        before_start: Callable[[], None] | None = None,
    ) -> None:
        self.folder = Folder(root)
        self.environment = {**os.environ, **(environment or {})}
        self.settings = Settings.from_env(self.environment)
        self.demo: dict[str, str] = {}
        self._port = self.settings.http.port if port is None else port
        self._say = say
        self._before_start = before_start
        self._exit = ExitStack()
        self._supervisor = Supervisor(self.folder.run, self.folder.logs, say)

    @property
    def base_url(self) -> str:
        """Where the gateway answers on this machine."""
        host = self.settings.http.host
        reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        return f"http://{reachable}:{self.port}"

    @property
    def port(self) -> int:
        """Where the gateway listens."""
        return self.settings.http.port

    @property
    def database_url(self) -> str:
        """PostgreSQL, as libpq reads it."""
        return self.settings.database.url

    @property
    def redis_url(self) -> str:
        """Redis, as redis-py reads it."""
        return self.settings.queue.url

    @property
    def children(self) -> dict[str, Child]:
        """What was started, by name: postgres, redis, face, liveness, ocr, gateway."""
        return {child.program.name: child for child in self._supervisor.children}

    def fidox(self, *arguments: str) -> str:
        """What `fidox ARGUMENTS` prints beside this stack. Raises LocalError with its complaint where it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            env=self.environment,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalError(f"fidox {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def stop(self) -> None:
        """Stop what was started, the gateway first, PostgreSQL last. Harmless a second time."""
        self._exit.close()

    def __enter__(self) -> Self:
        try:
            self._start()
        except (psycopg.OperationalError, StoreUnavailableError) as error:
            self._exit.close()
            raise LocalError(f"PostgreSQL does not answer: {error}") from error
        except MigrationError as error:
            self._exit.close()
            raise LocalError(str(error)) from error
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def _start(self) -> None:
        self.folder.prepare()
        self._exit.enter_context(locked(self.folder.lock))
        for name in pidfiles.stop_leftovers(self.folder.run):
            self._say(f"Stopped {name}, which an earlier start left behind")
        if not self.environment.get(envfiles.JWT_SECRETS):
            self.environment |= envfiles.signing_secrets(self.folder.secrets)
        # Off by default, so that nothing is kept unasked; on here, so that every documented endpoint can be tried.
        self.environment.setdefault("FACE_API_STORAGE_ENABLED", "true")
        if not self.environment.get("FACE_API_STORAGE_DIR"):
            self.environment["FACE_API_STORAGE_DIR"] = str(self.folder.storage)
        self.environment["PORT"] = str(free_port(self.settings.http.host, self._port))
        self._exit.enter_context(self._supervisor)
        self._start_servers()
        self.settings = Settings.from_env(self.environment)
        self._publish()
        self._fill()
        if self._before_start is not None:
            self._before_start()
        self._start_programs()

    def _start_servers(self) -> None:
        for name, start in (("DATABASE_URL", start_postgres), ("REDIS_URL", start_redis)):
            if self.environment.get(name):
                self._say(f"{name} is set: that server is used, none is started")
            else:
                self.environment[name] = start(self.folder, self._supervisor, self._say)

    def _publish(self) -> None:
        """Let `fidox` commands in another terminal find this stack."""
        names = ("DATABASE_URL", "REDIS_URL", "PORT", "FACE_API_STORAGE_ENABLED", "FACE_API_STORAGE_DIR")
        named = {name: self.environment[name] for name in names}
        if port := self.settings.telemetry.metrics_port:
            named["FIDOX_METRICS_PORT"] = str(port)
        envfiles.write(self.folder.urls, named)
        self._exit.callback(self.folder.urls.unlink, missing_ok=True)

    def _fill(self) -> None:
        for name in asyncio.run(migrate(self.settings.database.direct_url or self.database_url)):
            self._say(f"Migrated the database: {name}")
        if asyncio.run(demo.seed(self.settings.database, self.folder.demo)):
            self._say(f"Made the demo tenant; its keys are in {os.path.relpath(self.folder.demo)}")
        self.demo = envfiles.read(self.folder.demo)

    def _start_programs(self) -> None:
        self._say("Starting the face worker, the liveness worker, the OCR worker and the gateway")
        face, liveness, ocr, gateway = (
            self._supervisor.start(
                Program(
                    name=name,
                    argv=(sys.executable, "-m", module),
                    env=self.environment | self._metrics_port(place),
                    cwd=str(CHECKOUT),
                    stop_timeout_s=STOP_S,
                )
            )
            for place, name, module in (
                (1, "face", "workers.face"),
                (2, "liveness", "workers.liveness"),
                (3, "ocr", "workers.ocr"),
                (0, "gateway", "gateway"),
            )
        )
        gateway.wait_ready(self._gateway_answers, READY_S)
        face.wait_ready(lambda: self._worker_lives(Kind.FACE), READY_S, every_s=0.05)
        liveness.wait_ready(lambda: self._worker_lives(Kind.LIVENESS), READY_S, every_s=0.05)
        ocr.wait_ready(lambda: self._worker_lives(Kind.OCR), READY_S, every_s=0.05)

    def _metrics_port(self, place: int) -> dict[str, str]:
        """A port for each on this one machine: the gateway's is the one that was asked for, the workers' come after."""
        first = self.settings.telemetry.metrics_port
        return {"FIDOX_METRICS_PORT": str(first + place)} if first else {}

    def _gateway_answers(self) -> bool:
        try:
            with urlopen(f"{self.base_url}/health/live", timeout=2) as answer:  # noqa: S310 — our own address
                return bool(answer.status == 200)
        except OSError:
            return False

    def _worker_lives(self, kind: Kind) -> bool:
        async def count() -> int:
            async with open_queue(self.settings.queue) as queue:
                return await queue.live_workers(kind)

        try:
            return asyncio.run(count()) > 0
        except (RedisError, OSError):
            return False


def free_port(host: str, port: int) -> int:
    """`port` if the gateway could listen there, or any free one for 0.

    Raises PortTakenError, which names a port that is free, and LocalError where `host` is none of this machine's.
    """
    try:
        return _bound(host, port)
    except PermissionError as error:
        raise LocalError(
            f"Port {port} needs more rights than this user has; take another: PORT=8000 make run"
        ) from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise LocalError(f"FIDOX_HOST={host} is no address of this machine: {error.strerror}") from error
    for other in range(port + 1, min(port + 50, 65536)):
        with suppress(OSError):
            _bound(host, other)
            break
    else:
        other = _bound(host, 0)
    raise PortTakenError(f"Port {port} is taken by another program; choose another: PORT={other} make run")


def _bound(host: str, port: int) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the gateway does: connections of an earlier run that are still winding down are no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
