"""Where the processes of one service keep their numbers: files in a folder, which the parent adds up at each scrape.

prometheus-client does this by process id, and its files would grow in number with every process that was ever started.
Here a process takes the lowest place that is free, and goes on counting where the last one there stopped: as many
files as processes at once, and a sum that does not fall when one dies. A lock on the place says that it is taken, so
it falls free however its process ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, cast

from prometheus_client import values
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from prometheus_client.metrics_core import Metric

# prometheus-client's own name, which its files' code reads, too.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "fidox-metrics-"
# Held for as long as the process lives.
_taken: list[int] = []


@contextmanager
def a_folder() -> Generator[Path]:
    """A folder for this process's children, named in their environment; gone with the end of the block.

    One that a killed parent left behind is removed here, by the next. A lock gets its name when it is held: the parts
    of one machine start at the same time, and one of them would take another's new folder for a left one.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/owner.lock"):
        with suppress(OSError):  # another user's, or gone already
            if (lock := _lock(left, os.O_RDWR)) is not None:
                os.close(lock)
                shutil.rmtree(left.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = _lock(folder / "new")
    (folder / "new").rename(folder / "owner.lock")
    os.environ[VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        del os.environ[VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def take_place() -> None:
    """Count in the parent's folder from now on, where there is one. Before any metric is made: see measures.py."""
    name = os.environ.get(VARIABLE)
    if not name:
        return
    folder = Path(name)
    number = next(number for number in count() if _taken_now(folder / f"{number}.lock"))
    _forget_states(folder, number)
    values.ValueClass = values.MultiProcessValue(lambda: number)


def _taken_now(path: Path) -> bool:
    lock = _lock(path)
    if lock is not None:
        _taken.append(lock)
    return lock is not None


class Places:
    """A collector for prometheus-client: the sum over the folder's places."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sum = MultiProcessCollector(None, path=str(folder))

    def collect(self) -> Iterable[Metric]:
        """Every metric of every place; of a process that is gone what it counted stays, and its states do not."""
        for path in self._folder.glob("[0-9]*.lock"):
            if (lock := _lock(path)) is not None:
                _forget_states(self._folder, int(path.stem))
                os.close(lock)
        return cast("Iterable[Metric]", self._sum.collect())


def _lock(path: Path, flags: int = os.O_CREAT | os.O_RDWR) -> int | None:
    """An open lock on `path`, which is made where it is missing; None where another process holds it."""
    opened = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    return opened


def _forget_states(folder: Path, number: int) -> None:
    for stale in folder.glob(f"gauge_live*_{number}.db"):
        stale.unlink(missing_ok=True)
