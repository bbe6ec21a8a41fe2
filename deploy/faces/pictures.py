"""Engines for a command, and many pictures through them.

Threads, not processes: the models' sessions give up the GIL, and a command then holds them in memory once. (The worker
takes processes, which are a third faster on two cores; a command that runs once need not.)
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.contracts import Failure
from workers.face.load import load_engines
from workers.runtime.supervisor import cores
from workers.vision.decode import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from shared.settings import Settings
    from workers.face.engines import Engine

T = TypeVar("T")
R = TypeVar("R")

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def engines(settings: Settings, name: str = "", *, needs_calibration: bool = True) -> list[Engine]:
    """The engines that can be had, in the order of the settings; with a `name`, that one or none.

    One that is to be measured needs no calibration.
    """
    if name:
        settings = msgspec.structs.replace(settings, faces=msgspec.structs.replace(settings.faces, engines=(name,)))
    return load_engines(settings, needs_calibration=needs_calibration)


def is_picture(path: Path) -> bool:
    """By its name; the decoder looks at the bytes."""
    return path.suffix.lower() in SUFFIXES


def read(path: Path, *, max_bytes: int) -> bytes:
    """A picture's bytes. Raises ImageError where it is unreadable or larger than a call may send."""
    try:
        if path.stat().st_size > max_bytes:
            raise ImageError(Failure.IMAGE_TOO_LARGE, f"a picture may have at most {max_bytes // 1024**2} MB")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(Failure.BAD_IMAGE, error.strerror or str(error)) from None


@contextmanager
def workforce() -> Generator[ThreadPoolExecutor]:
    """A thread a core. Left early (Ctrl-C), what has not begun is dropped."""
    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`work` on each item, the results in the items' order; only a few are ever waiting, however many there are."""
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > 2 * cores():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
