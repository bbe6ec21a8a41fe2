"""A tenant's faces into a file, a page at a time, so that a stop loses one page and memory stays constant.

The file grows as FILE.part and takes its name when it is whole. Each page is written at once: as lines, or as one gzip
member (members one behind another are a valid file, RFC 1952, section 2.2). So the good part of a broken file ends with
its last whole line or member, and `resume` goes on behind it.
"""

from __future__ import annotations

import gzip
import os
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from deploy.faces.fileformat import LineError, UserLine, header_line, read_header, user_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from shared.db.bulk import Bulk
    from shared.db.tenants import Tenant

OWNER_ONLY = 0o600  # a face template is biometric data
CHUNK = 1 << 20


class ExportError(Exception):
    """Why the file cannot be written or gone on with."""


class Begun(NamedTuple):
    """The good part of a broken export: where it ends, how many users it has, and the last one's code."""

    end: int
    users: int
    last: str


def part_of(out: Path) -> Path:
    """Where a file grows."""
    return out.with_name(out.name + ".part")


async def export(
    bulk: Bulk, tenant: Tenant, out: Path, *, resume: bool, advance: Callable[[int], None]
) -> tuple[int, int]:
    """Write all users; returns how many there are in the file, and how many of them an earlier run wrote.

    Raises ExportError. `advance` is told of each page's users.
    """
    part, compressed = part_of(out), out.suffix == ".gz"
    begun = Begun(0, 0, "")
    if part.exists():
        if not resume:
            raise ExportError(f"{part} is there from a run that was stopped; go on with --resume, or delete it")
        begun = _begun(part, tenant.name, compressed=compressed)
    users = begun.users
    advance(users)
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, OWNER_ONLY), "r+b") as file:
        os.fchmod(file.fileno(), OWNER_ONLY)
        file.truncate(begun.end)
        file.seek(begun.end)
        if not begun.end:
            _write(file, header_line(tenant.name, datetime.now(UTC)), compressed=compressed)
        async for page in bulk.pages(tenant.id, after=begun.last):
            _write(file, b"".join(map(user_line, page)), compressed=compressed)
            users += len(page)
            advance(len(page))
        os.fsync(file.fileno())
    part.replace(out)
    return users, begun.users


def _write(file: BinaryIO, data: bytes, *, compressed: bool) -> None:
    # Vectors hardly shrink; what goes is base64's overhead (20,000 users: 29.5 to 20.8 MB); the fastest level does.
    file.write(gzip.compress(data, compresslevel=1, mtime=0) if compressed else data)
    file.flush()


def _begun(part: Path, tenant: str, *, compressed: bool) -> Begun:
    """What is good of a broken file. Raises ExportError where it is another tenant's, or no export."""
    begun, first = Begun(0, 0, ""), True
    for lines, end in _members(part) if compressed else _lines(part):
        for line in lines:
            try:
                if first:
                    owner = read_header(line).tenant
                    if owner != tenant:
                        raise ExportError(f"{part} was begun for the tenant {owner}; delete it")
                    first = False
                else:
                    begun = Begun(end, begun.users + 1, msgspec.json.decode(line, type=UserLine).user_code)
            except (LineError, msgspec.DecodeError) as error:
                raise ExportError(f"{part} cannot be gone on with ({error}); delete it") from None
        begun = begun._replace(end=end)
    return begun


def _lines(part: Path) -> Iterator[tuple[list[bytes], int]]:
    """Whole lines, each with the place behind it."""
    end = 0
    with part.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            yield [line], end


def _members(part: Path) -> Iterator[tuple[list[bytes], int]]:
    """The lines of each whole gzip member, with the place behind it."""
    end, data = 0, b""
    with part.open("rb") as file:
        while True:
            member, text = zlib.decompressobj(wbits=31), b""
            data = data or file.read(CHUNK)
            size = 0
            while data and not member.eof:
                size += len(data)
                try:
                    text += member.decompress(data)
                except zlib.error:
                    return
                data = member.unused_data if member.eof else file.read(CHUNK)
            if not member.eof:
                return
            end += size - len(member.unused_data)
            yield text.splitlines(keepends=True), end
