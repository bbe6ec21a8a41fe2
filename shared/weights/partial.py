"""Files on their way into the cache: one part a file, which one process at a time writes.

    CACHE/partial/sha256-5e44….part     what has come of a file with that hash; the next fetch goes on from there
    CACHE/partial/url-8f23….part        the same of a zip, by its address

A part is locked by the kernel, which lets go when its process ends, however it ends. Whoever waited for the lock looks
whether the work is done.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from shared.weights.manifest import Digest

FOLDER = "partial"


class Part(NamedTuple):
    """An open part: `file` reads and appends. `waited` where another process had it before."""

    path: Path
    file: IO[bytes]
    waited: bool

    def digest(self, algorithm: str) -> str:
        """Return the hash of what is there."""
        self.file.flush()
        self.file.seek(0)
        return hashlib.file_digest(self.file, algorithm).hexdigest()  # pyright: ignore[reportArgumentType]

    def empty(self) -> None:
        """Forget what has come."""
        self.file.seek(0)
        self.file.truncate()

    def become(self, target: Path) -> None:
        """Put it in its place. Raises OSError."""
        self.file.flush()
        os.fsync(self.file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o644)
        self.path.replace(target)


def part_of_file(cache: Path, digest: Digest) -> Path:
    """Where what has come of the file with this hash lies."""
    return cache / FOLDER / f"{digest.algorithm}-{digest.value[:32]}.part"


def part_of_url(cache: Path, url: str) -> Path:
    """Where what has come of an address lies, of which no hash is known."""
    return cache / FOLDER / f"url-{hashlib.sha256(url.encode()).hexdigest()[:32]}.part"


@contextmanager
def opened(path: Path) -> Generator[Part]:
    """Open and lock a part, waiting for whoever has it; afterwards an empty one is removed. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file, waited = _locked(path)
    try:
        yield Part(path, file, waited)
    finally:
        with suppress(OSError):
            # Still under its name: it has not become the file that it was for.
            if _is_at(file, path) and not os.fstat(file.fileno()).st_size:
                path.unlink()
        file.close()
        with suppress(OSError):
            path.parent.rmdir()  # only an empty one goes


def _locked(path: Path) -> tuple[IO[bytes], bool]:
    waited = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a+b")
        except FileNotFoundError:
            continue  # its folder was removed a moment ago
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, path):
            return file, waited
        file.close()  # it was finished or removed while this process waited


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(file.fileno())
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
