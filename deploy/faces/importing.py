"""A file of `fidox faces export` into a tenant. Who is there already is left alone, so it may be run again."""

from __future__ import annotations

import gzip
import secrets
import zlib
from typing import TYPE_CHECKING, cast

import msgspec

from deploy.faces.fileformat import LineError, read_header, read_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from shared.db.bulk import Bulk, Person
    from shared.db.tenants import Tenant

BATCH = 500
MAX_LINE = 1 << 20  # a user with two engines has 2 kB; without a bound a wrong file would fill the memory
MAX_NAMED = 1000  # refused lines that are named; all are counted


class ImportingError(Exception):
    """Why a file cannot be imported, or only in part."""


class Refused(msgspec.Struct, frozen=True):
    """A line that was left out."""

    line: int
    reason: str


class Imported(msgspec.Struct):
    """What came of it, growing while it runs."""

    exported_from: str = ""
    new: int = 0
    already_there: int = 0
    refused: int = 0
    refused_lines: list[Refused] = msgspec.field(default_factory=list[Refused])

    def refuse(self, line: int, reason: str) -> None:
        """Count a line, and name it while there are few."""
        self.refused += 1
        if len(self.refused_lines) < MAX_NAMED:
            self.refused_lines.append(Refused(line, reason))


async def load(
    bulk: Bulk,
    tenant: Tenant,
    path: Path,
    dimensions: dict[tuple[str, str], int],
    imported: Imported,
    advance: Callable[[int], None],
) -> None:
    """Read `path` into `imported`; a batch is one transaction. Raises ImportingError for a file that is none.

    `dimensions` are the models' that are known; others are learnt from the first line that has them. `advance` is told
    how many bytes of the file have been read.
    """
    tx_id = f"import_{secrets.token_hex(6)}"
    batch: dict[str, Person] = {}

    async def flush() -> None:
        new = await bulk.insert(tenant.id, list(batch.values()), tx_id)
        imported.new += len(new)
        imported.already_there += len(batch) - len(new)
        batch.clear()

    with path.open("rb") as file:
        lines = _lines(file, path)
        _, first = next(lines, (1, b""))
        try:
            imported.exported_from = read_header(first).tenant
        except LineError as error:
            raise ImportingError(f"{path}: {error}") from None
        try:
            for number, line in lines:
                try:
                    person = read_user(line, dimensions)
                except LineError as error:
                    imported.refuse(number, str(error))
                    continue
                for one in person.templates:
                    dimensions.setdefault((one.engine, one.model_id), one.embedding.size)
                if person.user_code in batch:
                    imported.already_there += 1
                else:
                    batch[person.user_code] = person
                if len(batch) >= BATCH:
                    await flush()
                    advance(file.tell())
        finally:
            # A file that breaks off, or Ctrl-C: what was read is kept.
            if batch:
                await flush()


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, of a plain or compressed file: its first bytes say which."""
    compressed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    source = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if compressed else file
    number = 1
    try:
        while line := source.readline(MAX_LINE):
            if len(line) == MAX_LINE:
                raise ImportingError(f"{path}: line {number} is longer than {MAX_LINE} bytes")
            if line.strip():
                yield number, line
            number += 1
    except (EOFError, gzip.BadGzipFile, zlib.error):
        detail = f"it breaks off or is damaged behind line {number - 1}; what stands before is imported"
        raise ImportingError(f"{path}: {detail}") from None
