"""What is soaked: everything twice that can be there twice, under the one-machine runner's own supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import urlopen

import psutil
import redis

from deploy.local import envfiles
from deploy.local.folder import CHECKOUT, Folder
from deploy.local.servers import start_postgres, start_redis
from deploy.local.supervisor import Child, Program, Supervisor
from shared import keys
from shared.contracts import Kind
from shared.db.migrate import migrate
from shared.settings import Settings
from tests.support.ports import own_port
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GATEWAYS = ("gateway-1", "gateway-2")
FACES = ("face-1", "face-2")
WORKERS = (*FACES, "liveness-1")
MODULES = {"gateway": "gateway", "face": "workers.face", "liveness": "workers.liveness"}
DEADLINE_S = 10.0
READY_S = 90.0
DISK_MIB = 384
PIECE = bytes(1 << 16)


class Stand:
    """A context manager. `say` gets what the supervisor says: which child ended, and when it starts again.

    `with_metrics` gives each child a port for them.
    """

    def __init__(self, root: Path, say: Callable[[str], None], *, with_metrics: bool = False) -> None:
        self.folder = Folder(root)
        self.disk = Disk(root / "disk", self)
        self._supervisor = Supervisor(self.folder.run, self.folder.logs, say)
        self.environment: dict[str, str] = {}
        # The servers' own addresses; gateways and workers reach them through proxies, which can make them vanish.
        self.settings = Settings()
        self.proxies: dict[str, Proxy] = {}
        self._parts = contextlib.ExitStack()
        self.urls: dict[str, str] = {}
        # By child, the port of its metrics; empty without.
        self.metrics: dict[str, int] = {}
        self._with_metrics = with_metrics

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in WORKERS:
            self.thaw(name)
        self._supervisor.stop()
        self._parts.close()
        self.disk.unmount()

    def _start(self) -> None:
        self.folder.prepare()
        self.disk.mount()
        database_url = start_postgres(self.folder, self._supervisor, print)
        redis_url = start_redis(self.folder, self._supervisor, print)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FIDOX_", "FACE_API_"))},
            **envfiles.signing_secrets(self.folder.secrets),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "FIDOX_DEADLINE_S": str(DEADLINE_S),
            # One process a supervisor: two of each are there, and each can be killed.
            "FIDOX_FACE_PROCESSES": "1",
            "FIDOX_LIVENESS_PROCESSES": "1",
            # So that a PostgreSQL that is away is asked.
            "FIDOX_KEY_CACHE_S": "1",
            "FACE_API_KEY_CACHE_S": "1",
            "FACE_API_DETECT_RATE": "1000000",
            "FACE_API_MASK_RATE": "1000000",
            "FACE_API_STORAGE_ENABLED": "true",
            "FACE_API_STORAGE_DIR": str(self.disk.storage),
        }
        if weights := os.environ.get("FIDOX_WEIGHTS_DIR"):
            self.environment["FIDOX_WEIGHTS_DIR"] = weights
        self.settings = Settings.from_env(self.environment)
        sockets = parse_qs(urlsplit(database_url).query)["host"][0]
        for name, path in (("redis", unquote(urlsplit(redis_url).path)), ("postgres", f"{sockets}/.s.PGSQL.5432")):
            self.proxies[name] = self._parts.enter_context(Proxy(path))
        self.environment |= {
            "DATABASE_URL": f"postgresql://postgres:@127.0.0.1:{self.proxies['postgres'].port}/postgres",
            "REDIS_URL": f"redis://127.0.0.1:{self.proxies['redis'].port}/0",
        }
        asyncio.run(migrate(database_url))
        for name in (*WORKERS, *GATEWAYS):
            self._launch(name)
        for name in GATEWAYS:
            self.child(name).wait_ready(lambda url=self.urls[name]: answers(url), READY_S)
        for name in WORKERS:
            self.child(name).wait_ready(lambda: self.alive() >= len(WORKERS), READY_S, every_s=0.1)

    def _launch(self, name: str) -> None:
        environment = self.environment
        if name in GATEWAYS:
            port = own_port()
            self.urls[name] = f"http://127.0.0.1:{port}"
            environment = environment | {"PORT": str(port)}
        if self._with_metrics:
            self.metrics[name] = own_port()
            environment = environment | {"FIDOX_METRICS_PORT": str(self.metrics[name])}
        argv = (sys.executable, "-m", MODULES[name.partition("-")[0]])
        program = Program(name=name, argv=argv, env=environment, cwd=str(CHECKOUT), stop_timeout_s=25.0)
        self._supervisor.start(program)

    def child(self, name: str) -> Child:
        return next(child for child in self._supervisor.children if child.program.name == name)

    def process(self, name: str) -> psutil.Process | None:
        """What runs under this name now; None between two."""
        pid = self.child(name).pid
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(pid) if pid else None
        return None

    def processes(self, name: str) -> list[psutil.Process]:
        """A supervisor's, or a gateway's, processes: those that work."""
        parent = self.process(name)
        with contextlib.suppress(psutil.NoSuchProcess):
            return parent.children() if parent else []
        return []

    def thaw(self, name: str) -> None:
        """Let whatever stands still go on."""
        with contextlib.suppress(StopIteration):
            for process in self.processes(name):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def vanish(self, name: str) -> int:
        """Swallow what is open to a store; how many connections. New ones reach it."""
        proxy = self.proxies[name]
        number = proxy.open
        proxy.vanish(proxy.target)
        return number

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.settings.queue.url, socket_timeout=5)

    def alive(self) -> int:
        """Worker processes that count as alive, of all kinds; 0 without a Redis."""
        try:
            with self.redis() as client:
                seconds, _ = client.time()
                return sum(client.zcount(keys.workers(kind), seconds * 1000, "+inf") for kind in Kind)
        except (redis.RedisError, OSError):
            return 0

    def is_well(self) -> bool:
        """Do all of them live, and would each gateway have a call answered?"""
        return self.alive() >= len(WORKERS) and all(answers(url, "ready") for url in self.urls.values())

    def wait_well(self, patience_s: float) -> bool:
        until = time.monotonic() + patience_s
        while not self.is_well():
            if time.monotonic() > until:
                return False
            time.sleep(0.2)
        return True

    def memory_mib(self) -> dict[str, float]:
        """By role: what the largest of its processes holds, with its own children (a face process's second engine)."""
        found: dict[str, float] = {}
        for name in (*GATEWAYS, *WORKERS):
            for process in self.processes(name):
                with contextlib.suppress(psutil.NoSuchProcess):
                    held = sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
                    role = name.partition("-")[0]
                    found[role] = max(found.get(role, 0.0), held / 2**20)
        with contextlib.suppress(redis.RedisError), self.redis() as client:
            found["redis"] = client.info("memory")["used_memory"] / 2**20
        return found


def answers(url: str, what: str = "live") -> bool:
    try:
        with urlopen(f"{url}/health/{what}", timeout=3) as answer:
            return answer.status == 200
    except OSError:
        return False


class Disk:
    """The file system of the stored pictures, and two ways to have it full.

    As root it is a small one in memory, and a file fills it. Who may not mount lets the workers write no more bytes
    into any file (RLIMIT_FSIZE): the error is another one (EFBIG for ENOSPC), what it is for the product is the same.
    """

    def __init__(self, folder: Path, stand: Stand) -> None:
        self.storage = folder / "storage"
        self.how = ""
        self._folder = folder
        self._stand = stand

    def mount(self) -> None:
        self._folder.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", str(self._folder)]
        may = os.geteuid() == 0 and shutil.which("mount")
        mounted = may and subprocess.run(command, capture_output=True, check=False).returncode == 0
        self.how = f"a tmpfs of {DISK_MIB} MiB, filled by a file" if mounted else "RLIMIT_FSIZE of the face workers"

    @property
    def _is_mounted(self) -> bool:
        return self._folder.is_mount()

    def fill(self) -> None:
        if self._is_mounted:
            # Written, not allocated: who else writes at the same moment would make that fail as a whole.
            with contextlib.suppress(OSError), (self._folder / "ballast").open("wb", buffering=0) as file:
                while file.write(PIECE):
                    pass
        else:
            self._limit(0)

    def free(self) -> None:
        if self._is_mounted:
            (self._folder / "ballast").unlink(missing_ok=True)
        else:
            self._limit(resource.RLIM_INFINITY)

    def _limit(self, most: int) -> None:
        for process in (process for name in FACES for process in self._stand.processes(name)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.rlimit(psutil.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def unmount(self) -> None:
        if self._is_mounted:
            subprocess.run(["umount", "--lazy", str(self._folder)], check=False)
