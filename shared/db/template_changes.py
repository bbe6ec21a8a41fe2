"""Reads for who keeps a tenant's templates in memory: all of them once, then what changed. Workers only.

    gallery(key)        every template of the key, in blocks          ─┐ then, before each use
    since(key, known)   the revision now, and what changed after known ┘
    owner(…)            whose template it is, if it is still there

Triggers write the revisions (migration 0002), so every writer is seen. As in `templates`, the tenant is in every WHERE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shared.db.pool import Pool, connection
from shared.db.templates import TEMPLATE_VERSION, Vector

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from numpy.typing import NDArray

# Rows that are converted at one time: 4,096 of 512 numbers take 4 ms, in which the event loop does nothing else.
BLOCK_ROWS = 4096


class GalleryKey(NamedTuple):
    """Templates that may be compared with one another: one tenant's, of one model of one engine."""

    tenant_id: int
    engine: str
    model_id: str


class Revision(NamedTuple):
    """A state of a tenant's templates.

    Those of two starts of the server are not comparable: it may have been restored from a backup in between.
    """

    server_start: datetime
    number: int


class Changes(NamedTuple):
    """The tenant now, and the way there from the revision asked about.

    `templates` counts every engine's and model's. `changed` has (template id, embedding of this key or None where there
    is none any more); it is None where the way is too long or unknown, and everything must be read again.
    """

    revision: Revision
    templates: int
    changed: list[tuple[int, Vector | None]] | None


class TemplateChanges:
    """Reads `template_revisions`, `template_changes` and `templates`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def since(self, key: GalleryKey, known: Revision | None) -> Changes | None:
        """What happened after `known`. None where the tenant never had a template.

        One statement, so one snapshot: the revision and the changes belong together.
        """
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                # The embedding by a subquery: for a join the planner may read every template (12 ms of 100,000).
                "SELECT pg_postmaster_start_time(), now.revision, log_start, now.templates, template_id,"
                " (SELECT embedding FROM templates WHERE tenant_id = %(tenant)s AND id = template_id"
                "  AND engine = %(engine)s AND model_id = %(model)s AND version = %(version)s)"
                " FROM template_revisions AS now"
                " LEFT JOIN template_changes AS change"
                "   ON change.tenant_id = %(tenant)s AND change.revision > %(known)s"
                " WHERE now.tenant_id = %(tenant)s",
                _parameters(key) | {"known": known.number if known else None},
            )
            rows = await cursor.fetchall()
        if not rows:
            return None
        server_start, number, log_start, templates = rows[0][:4]
        revision = Revision(server_start, number)
        if known is None or known.server_start != server_start or not log_start <= known.number <= number:
            return Changes(revision, templates, None)
        changed = [
            (template_id, None if embedding is None else embedding.to_numpy().astype(np.float32))
            for *_, template_id, embedding in rows
            if template_id is not None
        ]
        return Changes(revision, templates, changed)

    async def count(self, key: GalleryKey) -> int:
        """How many templates the key has."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT count(*) FROM templates WHERE tenant_id = %(tenant)s AND engine = %(engine)s"
                " AND model_id = %(model)s AND version = %(version)s",
                _parameters(key),
            )
            (count,) = await cursor.fetchone() or (0,)
        return int(count)

    async def gallery(self, key: GalleryKey, dimension: int) -> AsyncGenerator[tuple[NDArray[np.int64], Vector]]:
        """Blocks of at most BLOCK_ROWS (ids, embeddings). Take the revision before: what is newer comes again later.

        COPY in binary form is a fixed number of bytes a row, which numpy reads as it lies: 100,000 templates in 0.4 s
        where rows of Python objects take 1.5 s.
        """
        row = _copied_row(dimension)
        async with connection(self._pool) as conn, conn.cursor() as cursor:
            query = (
                "COPY (SELECT id, embedding FROM templates WHERE tenant_id = %(tenant)s AND engine = %(engine)s"
                " AND model_id = %(model)s AND version = %(version)s AND vector_dims(embedding) = %(dimension)s)"
                " TO STDOUT (FORMAT binary)"
            )
            held = bytearray()
            skip = _COPY_HEADER_BYTES
            async with cursor.copy(query, _parameters(key) | {"dimension": dimension}) as copy:
                async for data in copy:
                    held += data
                    if skip and len(held) >= skip:
                        del held[:skip]
                        skip = 0
                    if len(held) >= BLOCK_ROWS * row.itemsize:
                        yield _block(held, row, BLOCK_ROWS)
                        del held[: BLOCK_ROWS * row.itemsize]
            # What is left ends with a trailer of two bytes, less than a row.
            if count := len(held) // row.itemsize:
                yield _block(held, row, count)

    async def owner(self, key: GalleryKey, template_id: int) -> tuple[str, str | None] | None:
        """User code and name; None where the template is gone."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                # No join here either: the prepared plan, made for any tenant, read all of its users (8 to 15 ms).
                "SELECT user_code, name FROM users WHERE tenant_id = %(tenant)s AND user_code ="
                " (SELECT user_code FROM templates WHERE tenant_id = %(tenant)s AND id = %(id)s)",
                {"tenant": key.tenant_id, "id": template_id},
            )
            found = await cursor.fetchone()
        return (found[0], found[1]) if found else None


# PostgreSQL's documentation, COPY, "Binary Format": signature 11 bytes, flags 4, length of the extension 4.
_COPY_HEADER_BYTES = 19


def _parameters(key: GalleryKey) -> dict[str, Any]:
    return {"tenant": key.tenant_id, "engine": key.engine, "model": key.model_id, "version": TEMPLATE_VERSION}


def _copied_row(dimension: int) -> np.dtype[np.void]:
    """A row of `COPY (SELECT bigint, halfvec)`: fields after their lengths; a halfvec is dimension, 0, numbers."""
    header = [
        ("fields", ">i2"),
        ("id_bytes", ">i4"),
        ("id", ">i8"),
        ("vector_bytes", ">i4"),
        ("dimension_and_0", ">i4"),
    ]
    return np.dtype([*header, ("vector", ">f2", (dimension,))])


def _block(held: bytearray, row: np.dtype[np.void], count: int) -> tuple[NDArray[np.int64], Vector]:
    rows = np.frombuffer(bytes(memoryview(held)[: count * row.itemsize]), row)
    return rows["id"].astype(np.int64), rows["vector"].astype(np.float32)
