"""The embedded servers, and the children that are kept running: data stays, a death is mended, nothing is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import psutil
import psycopg
import pytest
from redis import Redis

from deploy.local import pidfiles
from deploy.local.errors import AlreadyRunningError, PortTakenError, StartError
from deploy.local.folder import Folder
from deploy.local.lock import locked, running
from deploy.local.servers import start_postgres, start_redis
from deploy.local.stack import LocalStack
from deploy.local.supervisor import Program, Supervisor
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def silent(_line: str) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "local")
    made.prepare()
    return made


@pytest.fixture
def supervisor(folder: Folder):
    with Supervisor(folder.run, folder.logs, silent) as made:
        yield made


def program(name: str, code: str) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", code), env=dict(os.environ), cwd="/", stop_timeout_s=5.0)


def test_a_restart_keeps_the_database_and_forgets_the_queue(folder: Folder) -> None:
    for start in (1, 2):
        with Supervisor(folder.run, folder.logs, silent) as servers:
            url = start_postgres(folder, servers, silent)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                connection.execute("CREATE TABLE IF NOT EXISTS starts (number int)")
                connection.execute("INSERT INTO starts VALUES (%s)", (start,))
                rows = connection.execute("SELECT number FROM starts ORDER BY number").fetchall()
            redis = Redis.from_url(start_redis(folder, servers, silent))
            assert not redis.exists("left")
            redis.set("left", "1")
            assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            redis.close()
            pids = [child.pid for child in servers.children]
        assert not any(psutil.pid_exists(pid) for pid in pids)
        assert list(folder.run.glob("*.pid")) == []
    assert rows == [(1,), (2,)]


def test_nobody_else_may_read_what_the_folder_holds(folder: Folder) -> None:
    assert folder.root.stat().st_mode & 0o066 == 0
    assert folder.logs.stat().st_mode & 0o077 == 0


def test_a_child_that_dies_is_started_again(supervisor: Supervisor) -> None:
    child = supervisor.start(program("sleeper", "import time; time.sleep(60)"))
    child.wait_ready(lambda: child.pid is not None, 60)
    first = child.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: child.restarts == 1 and child.pid not in {None, first})


def test_a_child_that_dies_as_it_starts_is_a_clear_error(supervisor: Supervisor) -> None:
    child = supervisor.start(program("broken", "import sys; sys.exit('the reason')"))
    with pytest.raises(StartError, match=r"broken ended as it started[\s\S]*the reason"):
        child.wait_ready(lambda: False, 60)


def test_stopping_ends_the_whole_group(supervisor: Supervisor) -> None:
    code = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        " print(p.pid, flush=True); time.sleep(60)"
    )
    child = supervisor.start(program("parent", code))
    until(lambda: child.log.exists() and child.log.read_text().endswith("\n"))
    grandchild = int(child.log.read_text())
    supervisor.stop()
    until(lambda: is_gone(grandchild), "the grandchild has ended")


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_what_a_killed_runner_left_behind_is_stopped(folder: Folder) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    pidfiles.write(folder.run / "left.pid", left.pid, signal.SIGTERM)
    stranger = pidfiles.PidFile(os.getpid(), "another boot:1", signal.SIGTERM)  # our number, not our identity
    (folder.run / "stranger.pid").write_bytes(msgspec.json.encode(stranger))
    assert pidfiles.stop_leftovers(folder.run) == ["left"]
    assert left.wait(60) == -signal.SIGTERM


def test_one_runner_a_folder(folder: Folder) -> None:
    with locked(folder.lock):
        assert running(folder) == os.getpid()
        with pytest.raises(AlreadyRunningError, match=str(os.getpid())), LocalStack(folder.root, port=0):
            pass
    assert not running(folder)


def test_a_port_that_is_taken_says_which_one_to_choose(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = rf"Port {port} is taken by another program; choose another: PORT=\d+ make run"
        with pytest.raises(PortTakenError, match=message), LocalStack(tmp_path / "local", port=port):
            pass
