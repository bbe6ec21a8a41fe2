"""Pid files that can be believed: which process it was, not just its number, so that a stranger is never stopped.

A runner that is killed leaves them; the next one reads them, and stops what is still there and really is its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import psutil

# PostgreSQL's fast shutdown writes a checkpoint first; everything else is done sooner.
PATIENCE_S = 15.0


class PidFile(msgspec.Struct, frozen=True):
    """A process that was started as the leader of its own group."""

    pid: int
    identity: str
    stop_signal: int


def identity(pid: int) -> str | None:
    """What tells this process from a later one of the same number. None where there is no such process.

    One that has ended and that nobody has waited for counts as none: in a container without an init it stays for ever.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        # Linux: boot, and clock ticks since. psutil's creation time moves when the clock is set.
        if sys.platform == "linux":
            ticks = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
            return f"{Path('/proc/sys/kernel/random/boot_id').read_text('utf-8').strip()}:{ticks}"
        return str(process.create_time())
    except (psutil.NoSuchProcess, OSError):
        return None


def write(path: Path, pid: int, stop_signal: int) -> None:
    """Remember a child that was just started."""
    if (who := identity(pid)) is not None:
        path.write_bytes(msgspec.json.encode(PidFile(pid, who, stop_signal)))


def stop_leftovers(run: Path) -> list[str]:
    """Stop what an earlier runner left behind, and return the names. Call it only with the runner's lock held."""
    stopped: list[str] = []
    for path in sorted(run.glob("*.pid")):
        try:
            left = msgspec.json.decode(path.read_bytes(), type=PidFile)
        except (OSError, msgspec.DecodeError):
            left = None
        if left is not None and identity(left.pid) == left.identity:
            _stop(left)
            stopped.append(path.stem)
        path.unlink(missing_ok=True)
    return stopped


def kill_group(group: int) -> None:
    """End what is left of a group whose leader has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _stop(left: PidFile) -> None:
    for number in (left.stop_signal, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(left.pid, number)
        until = time.monotonic() + PATIENCE_S
        # Not a child of this process, so there is nothing to wait on but its disappearance.
        while identity(left.pid) == left.identity and time.monotonic() < until:
            time.sleep(0.02)
        if identity(left.pid) != left.identity:
            break
    kill_group(left.pid)
