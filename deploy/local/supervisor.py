"""Child processes that are kept running, and that all end when the runner does.

    start ─> running ─ready─> kept ──dies──> back-off ─> running …
                └─dies before it is ready─> failed: the start is given up with the tail of its log

Each child leads a process group of its own, so a Ctrl-C at the terminal reaches only the runner, which then stops
them one by one, the last started first. Each has a thread that waits for it: nothing polls. That thread also starts
it, since Linux sends the parent-death signal (see `tether`) when the *thread* that started the child ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec

from deploy.local import pidfiles
from deploy.local.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    Say = Callable[[str], None]

TETHER = Path(__file__).with_name("tether.py")
# Chosen: a crash at every start then costs little CPU, and a rare one half a second of service.
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A child that lived this long has not crashed because of how it starts.
STEADY_S = 60.0
OLD_LOGS = 3
TAIL_LINES = 15


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What to run and how to end it. `user` is the system user it runs as, None for the runner's own."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    user: str | None = None
    stop_signal: int = signal.SIGTERM
    stop_timeout_s: float = 15.0


class Child:
    """One program and its current process. Made by `Supervisor.start`."""

    def __init__(self, program: Program, run: Path, logs: Path, say: Say) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self.restarts = 0
        self.failed = threading.Event()
        self._pid_file = run / f"{program.name}.pid"
        self._say = say
        self._ready = False
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        _rotate(self.log)
        self.log.touch(mode=0o600)
        self._thread = threading.Thread(target=self._keep, name=program.name, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Of the current process; None before the first and between two."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def wait_ready(self, is_ready: Callable[[], bool], timeout_s: float, *, every_s: float = 0.02) -> None:
        """Ask until it is; from then on a death is mended. Raises StartError when it dies first, or takes too long."""
        until = time.monotonic() + timeout_s
        while not is_ready():
            if self.failed.wait(every_s):
                raise StartError(f"{self.program.name} ended as it started\n{self.tail()}")
            if time.monotonic() > until:
                raise StartError(f"{self.program.name} was not ready within {timeout_s:.0f} s\n{self.tail()}")
        self._ready = True

    def tail(self) -> str:
        """The last lines of its log, under the log's name."""
        try:
            lines = self.log.read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        except OSError:
            lines = []
        return "\n".join([f"  {self.log}:", *(f"    {line}" for line in lines or ["(empty)"])])

    def stop(self) -> None:
        """End it in good order, or by force after its time; returns when nothing of its group is left."""
        self._stopping.set()
        with self._lock:  # not in the moment between the look at `_stopping` and the start of a process
            process = self._process
        if process is not None and self._thread.is_alive():
            for number, patience_s in ((self.program.stop_signal, self.program.stop_timeout_s), (signal.SIGKILL, 5.0)):
                # The process is not reaped twice: `send_signal` looks, under Popen's own lock, whether it still is.
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                self._thread.join(patience_s)
                if not self._thread.is_alive():
                    break
                self._say(f"{self.program.name} did not stop within {patience_s:.0f} s and is killed")

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = self._spawn()
            code = self._process.wait()
            pidfiles.kill_group(self._process.pid)
            self._pid_file.unlink(missing_ok=True)
            if self._stopping.is_set():
                return
            if not self._ready:
                self.failed.set()
                return
            if time.monotonic() - began > STEADY_S:
                pause_s = FIRST_PAUSE_S
            self._say(f"{self.program.name} ended ({_how(code)}) and starts again in {pause_s:.1f} s, see {self.log}")
            if self._stopping.wait(pause_s):
                return
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self.restarts += 1

    def _spawn(self) -> subprocess.Popen[bytes]:
        program = self.program
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(program.stop_signal))]
        with _opened(self.log) as log:
            process = subprocess.Popen(
                [*tether, program.user or "-", *program.argv],
                env=program.env,
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        pidfiles.write(self._pid_file, process.pid, int(program.stop_signal))
        return process


class Supervisor:
    """The children, in the order in which they were started. A context manager: leaving it stops them all."""

    def __init__(self, run: Path, logs: Path, say: Say) -> None:
        self._run, self._logs, self._say = run, logs, say
        self.children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, program: Program) -> Child:
        """Start a program; `wait_ready` on what is returned."""
        child = Child(program, self._run, self._logs, self._say)
        self.children.append(child)
        return child

    def stop(self) -> None:
        """Stop them all, the last started first: what needs another is gone before what it needs."""
        while self.children:
            self._say(f"Stopping {self.children[-1].program.name}")
            self.children[-1].stop()
            self.children.pop()


def _opened(log: Path) -> IO[bytes]:
    return log.open("ab", buffering=0)


def _rotate(log: Path) -> None:
    names = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, OLD_LOGS + 1))]
    for newer, older in reversed(list(pairwise(names))):
        if newer.exists():
            newer.replace(older)


def _how(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
