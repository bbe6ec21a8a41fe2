"""Storage to test against: a folder, and a real server that speaks S3 (rclone's); a gateway and workers that use it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

import psutil
import psycopg
import redis

from shared import keys
from shared.contracts import Kind
from shared.db.cleanup import CleanupTasks
from shared.db.pool import open_pool
from shared.settings import Database, Settings
from shared.storage import open_storage
from tests.support.admin_api import Account, AdminApi, make_account
from tests.support.face_api import FaceApi, make_key
from tests.support.gateways import database_beside
from tests.support.ports import own_port
from tests.support.waiting import until
from workers.face.cron import clean

ROOT = Path(__file__).parents[2]
BUCKET = "pictures"


class Rclone:
    """An S3 server on a folder. Stopped and started again it has the same address and the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / BUCKET).mkdir(parents=True)
        self.port = own_port()
        self.access_key, self.secret_key = secrets.token_hex(8), secrets.token_hex(16)
        self._process: subprocess.Popen | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FACE_API_S3_ENDPOINT": self.endpoint,
            "FACE_API_S3_BUCKET": BUCKET,
            "FACE_API_S3_ACCESS_KEY": self.access_key,
            "FACE_API_S3_SECRET_KEY": self.secret_key,
        }

    def start(self) -> None:
        program = Path(sys.executable).with_name("rclone")
        auth = f"{self.access_key},{self.secret_key}"
        command = [program, "serve", "s3", "--auth-key", auth, "--addr", f"127.0.0.1:{self.port}", self.folder]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([*command, "--config", ""], **quiet)
        until(lambda: answers(self.port))

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class Side:
    """A gateway and a face worker beside the stack's, on a database and a Redis database of their own.

    `place` is the folder in which the files are to be found, and `s3` the server, where there is one; `log` is what
    gateway and worker say.
    """

    def __init__(
        self, stack, redis_db: int, place: Path, log: Path, s3: Rclone | None = None, **environment: str
    ) -> None:
        self.place, self.log, self.s3 = place, log, s3
        self._exit = ExitStack()
        self.database_url = self._exit.enter_context(database_beside(stack))
        self.redis_url = stack.redis_url.replace("db=0", f"db={redis_db}")
        where = s3.environment if s3 else {"FACE_API_STORAGE_DIR": str(place)}
        self.environment = stack.environment | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "PORT": str(own_port()),
            "FIDOX_FACE_PROCESSES": "2",
            # A call whose worker is killed is to be answered by one that has yet to start.
            "FIDOX_DEADLINE_S": "50",
            "FACE_API_DETECT_RATE": "1000000",
            "FACE_API_MASK_RATE": "1000000",
            "FACE_API_STORAGE_ENABLED": "true",
            "FACE_API_STORAGE_DIR": "",
            **where,
            **environment,
        }
        self.settings = Settings.from_env(self.environment)
        self.base_url = f"http://127.0.0.1:{self.environment['PORT']}"
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> Self:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()
            try:
                for name in ("workers.face", "gateway"):
                    with self.log.open("a") as out:
                        options = {"env": self.environment, "cwd": ROOT, "stdout": out, "stderr": out}
                        self._processes[name] = subprocess.Popen([sys.executable, "-m", name], **options)
                until(lambda: client.zcard(keys.workers(Kind.FACE)) == 2, "both workers are up", patience_s=120)
                until(lambda: answers(int(self.environment["PORT"])), "the gateway is up")
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(60)
        self._exit.close()

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(self._processes[name].pid)

    def memory_mb(self) -> dict[str, float]:
        """What gateway and worker hold, with their children."""
        return {
            name: sum(one.memory_info().rss for one in (parent, *parent.children(recursive=True))) / 2**20
            for name in self._processes
            for parent in [self.process(name)]
        }

    def rows(self, query: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def files(self) -> set[str]:
        """The keys of all files that are there."""
        found = (Path(folder) / name for folder, _, names in os.walk(self.place) for name in names)
        return {path.relative_to(self.place).as_posix() for path in found}

    def wanted(self) -> set[str]:
        """The keys of all files that a row has."""
        query = "SELECT original_key FROM images UNION SELECT processed_key FROM jobs"
        return {key for (key,) in self.rows(query) if key}

    def clean(self) -> None:
        """Let all tasks fall due now, and do what the cron does until they are done."""

        async def run() -> None:
            async with open_pool(Database(url=self.database_url)) as pool:
                while await clean(open_storage(self.settings.storage), CleanupTasks(pool)):
                    pass

        self.rows("UPDATE cleanup_tasks SET due_at = now()")
        asyncio.run(run())
        # What a worker's cron had claimed at the same moment is its to finish.
        until(lambda: not self.rows("SELECT key FROM cleanup_tasks"))

    @cached_property
    def account(self) -> Account:
        """An admin; one is enough, since making one takes an argon2."""
        return make_account(self.database_url)

    def admin(self) -> AdminApi:
        """The admin's calls."""
        return AdminApi(self.base_url, self.account)

    def api(self) -> FaceApi:
        """The public calls with a key of their own."""
        return FaceApi(self.base_url, make_key(self.database_url, secrets.token_hex(4))[1])


def answers(port: int) -> bool:
    """Does anybody listen there?"""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def unique(picture: bytes) -> bytes:
    """A file of the same picture that nobody has sent yet: a JPEG ends at its marker, whatever comes behind."""
    return picture + secrets.token_bytes(8)
