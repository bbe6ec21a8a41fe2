"""Hashes of files, remembered, so that a start does not read hundreds of megabytes again.

A remembered hash is believed only while the file's inode, size, modification and change times are what they were: a
file that is replaced or written to gives itself away. Whoever can forge those could as well change this program.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec


class _Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    stamp: tuple[int, int, int, int]
    sha256: str | None = None
    sha384: str | None = None


# Built here, in the one thread that imports: see manifest.py.
_DECODER = msgspec.json.Decoder(dict[str, _Remembered])


class Hashes:
    """Remembers in `path`; where that cannot be read or written it just computes every time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, file: Path, algorithm: str = "sha256", *, fresh: bool = False) -> str:
        """Return the hash of `file`, sha256 or sha384; `fresh` reads it whatever is remembered. Raises OSError."""
        stat = file.stat()
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        key = str(file.resolve())
        if not fresh and (value := self._remembered(key, stamp).get(algorithm)):
            return value
        with file.open("rb") as opened:
            value = hashlib.file_digest(opened, algorithm).hexdigest()
        # Read again: another process may have remembered something in the meantime. Two writers at the same moment
        # may still lose one entry, which costs one more hash.
        self._write(key, _Remembered(stamp, **{**self._remembered(key, stamp), algorithm: value}))
        return value

    def _remembered(self, key: str, stamp: tuple[int, int, int, int]) -> dict[str, str]:
        """Return what is known of the file by algorithm, if it has not changed since."""
        known = self._read().get(key)
        if known is None or known.stamp != stamp:
            return {}
        both = {"sha256": known.sha256, "sha384": known.sha384}
        return {algorithm: value for algorithm, value in both.items() if value is not None}

    def _read(self) -> dict[str, _Remembered]:
        try:
            return _DECODER.decode(self._path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}

    def _write(self, key: str, remembered: _Remembered) -> None:
        known = {**self._read(), key: remembered}
        there = {key: value for key, value in known.items() if Path(key).exists()}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".verified-")
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(msgspec.json.encode(there))
            Path(name).replace(self._path)
        except OSError:
            return
