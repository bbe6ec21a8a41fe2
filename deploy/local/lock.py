"""One runner a folder: a lock that the kernel lets go of when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deploy.local.errors import AlreadyRunningError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from deploy.local.folder import Folder


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock. Raises AlreadyRunningError, which names the process that has it."""
    # Opened for appending: a lock that cannot be had must not empty the file that says who has it.
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunningError(
                f"`fidox up` runs in this folder already (process {file.read().strip() or 'unknown'});"
                " stop it with Ctrl-C in its terminal first"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def running(folder: Folder) -> int | None:
    """The process whose runner has this folder at the moment; None where there is none."""
    try:
        with folder.lock.open("r", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = file.read().strip()
                # Locked and not yet signed: a runner that began this very moment.
                return int(holder) if holder.isdecimal() else None
    except (FileNotFoundError, PermissionError):
        return None
    return None
