"""The sha256 of files, remembered, so that a start does not read hundreds of megabytes again.

A remembered hash is believed only while the file's inode, size, modification and change times are what they were: a
file that is replaced or written to gives itself away. Whoever can forge those could as well change this program.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec


class _Remembered(msgspec.Struct, frozen=True):
    stamp: tuple[int, int, int, int]
    sha256: str


class Hashes:
    """Remembers in `path`; where that cannot be read or written it just computes every time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, file: Path, *, fresh: bool = False) -> str:
        """The sha256 of `file`; `fresh` reads it whatever is remembered. Raises OSError."""
        stat = file.stat()
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        key = str(file.resolve())
        known = self._read()
        if not fresh and key in known and known[key].stamp == stamp:
            return known[key].sha256
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        # Read again: another process may have remembered something in the meantime. Two writers at the same moment
        # may still lose one entry, which costs one more hash.
        self._write({**self._read(), key: _Remembered(stamp, sha256)})
        return sha256

    def _read(self) -> dict[str, _Remembered]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Remembered])
        except (OSError, msgspec.DecodeError):
            return {}

    def _write(self, known: dict[str, _Remembered]) -> None:
        there = {key: value for key, value in known.items() if Path(key).exists()}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".verified-")
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(msgspec.json.encode(there))
            Path(name).replace(self._path)
        except OSError:
            return
