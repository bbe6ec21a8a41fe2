"""How a picture and its job become rows, and how pictures go: never a file that no row knows of.

    begin   the keys of the files that are about to be written are cleanup tasks
    …       the caller writes the files
    write   one transaction: the tasks go, the rows come

A writer that dies in between leaves tasks, and the cron removes its files. Of two writers of the same picture each has
a file; the second one's is surplus, and stays a task. So does the result of a job that is done twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from shared.contracts import Face, ImageFormat, JobType, MaskMethod, Profile
from shared.db.cleanup import RESERVED_S, due_now
from shared.db.pool import Connection, Pool, connection

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

TOO_LATE = "it took so long that its file was given up"
# Whoever deletes a picture removes its files at once; should they die over it, the cron does, after this.
CLAIMED_S = 10


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it came: SHA-256 of its bytes, upright size in pixels."""

    sha256: bytes
    format: ImageFormat
    width: int
    height: int
    size_bytes: int


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with it. `id` is the call's; `parameters` are those that the call asked for, by their names."""

    id: UUID
    api_key_id: UUID | None
    job_type: JobType
    method: MaskMethod | None
    parameters: dict[str, float | int | str]
    model: str
    faces: tuple[Face, ...]
    profile: Profile
    processed_format: ImageFormat | None = None
    processed_bytes: int | None = None


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of what was written for a job, and why something was not. `is_known`: the original was there already."""

    original: str | None = None
    processed: str | None = None
    is_known: bool = False
    original_error: str | None = None
    processed_error: str | None = None


class VanishedError(Exception):
    """The picture that was there already has been deleted meanwhile: begin again."""


class Keeping:
    """Writes `images`, `jobs` and `cleanup_tasks`, together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, sha256: bytes, original: str, processed: str | None) -> bool:
        """Reserve the keys that will be written. True where the picture's file is there, and only the result's is."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "WITH known AS (SELECT 1 FROM images WHERE sha256 = %(sha256)s AND original_key IS NOT NULL),"
                " reserved AS (INSERT INTO cleanup_tasks (key, due_at)"
                " SELECT key, now() + make_interval(secs => %(secs)s) FROM ("
                "  SELECT %(original)s::text AS key WHERE NOT EXISTS (SELECT FROM known)"
                "  UNION ALL SELECT %(processed)s::text) AS keys WHERE key IS NOT NULL)"
                " SELECT EXISTS (SELECT FROM known)",
                {"sha256": sha256, "original": original, "processed": processed, "secs": RESERVED_S},
            )
            row = await cursor.fetchone()
        return bool(row and row[0])

    async def write(self, picture: Picture, work: Work, files: Files) -> UUID:
        """The rows; the picture's id. A job that has a row keeps it.

        Raises VanishedError where `files.is_known` is true no more.
        """
        async with connection(self._pool) as conn, conn.transaction():
            ours = await _take(conn, [key for key in (files.original, files.processed) if key])
            original = files.original if files.original in ours else None
            processed = files.processed if files.processed in ours else None
            surplus: list[str] = []
            if files.is_known:
                image_id, kept = await _find(conn, picture.sha256)
            else:
                why = files.original_error or (None if original else TOO_LATE)
                image_id, kept = await _insert_picture(conn, picture, original, why)
                if original and kept != original:
                    surplus.append(original)
            error = TOO_LATE if files.processed != processed else files.processed_error
            error = error or (None if kept else files.original_error or TOO_LATE)
            if await _insert_work(conn, image_id, work, processed, error):
                await conn.execute(
                    "UPDATE images SET job_count = job_count + 1, last_job_at = now(),"
                    " processed_key = coalesce(%s, processed_key) WHERE id = %s",
                    (processed, image_id),
                )
            elif processed:
                surplus.append(processed)
            if surplus:
                await due_now(conn, surplus)
        return image_id

    async def delete(self, image_id: UUID, *, claim: bool) -> list[str] | None:
        """Forget a picture and its jobs; the keys of their files, which are tasks now. None where there is no such row.

        With `claim` the caller removes them at once, and the cron leaves them alone for some seconds.
        """
        async with connection(self._pool) as conn, conn.transaction():
            gone, keys = await _delete(conn, [image_id], claim=claim)
        return keys if gone else None

    async def delete_older(self, days: int, most: int) -> int:
        """Forget up to `most` pictures that were last sent more than `days` days ago; how many there were."""
        async with connection(self._pool) as conn, conn.transaction():
            cursor = await conn.execute(
                "SELECT id FROM images WHERE created_at < now() - make_interval(days => %(days)s)"
                " AND last_job_at < now() - make_interval(days => %(days)s)"
                " ORDER BY created_at LIMIT %(most)s FOR UPDATE SKIP LOCKED",
                {"days": days, "most": most},
            )
            gone, _ = await _delete(conn, [image_id for (image_id,) in await cursor.fetchall()], claim=False)
        return gone


async def _take(conn: Connection, keys: Sequence[str]) -> Collection[str]:
    """Take the tasks of files that are about to have a row. Not among them: those that the cron was faster with."""
    if not keys:
        return ()
    cursor = await conn.execute(
        "DELETE FROM cleanup_tasks WHERE key = ANY(%s::text[]) AND attempts = 0 RETURNING key", (keys,)
    )
    return {str(key) for (key,) in await cursor.fetchall()}


async def _find(conn: Connection, sha256: bytes) -> tuple[UUID, str]:
    """The picture that has a file, locked against its deletion, and the file's key."""
    cursor = await conn.execute(
        "SELECT id, original_key FROM images WHERE sha256 = %s AND original_key IS NOT NULL FOR NO KEY UPDATE",
        (sha256,),
    )
    row = await cursor.fetchone()
    if row is None:
        raise VanishedError
    return row[0], row[1]


async def _insert_picture(
    conn: Connection, picture: Picture, original: str | None, error: str | None
) -> tuple[UUID, str | None]:
    """The picture's id and its file's key. One that is there is kept, and its file given to it where it had none."""
    cursor = await conn.execute(
        "INSERT INTO images (sha256, format, width, height, size_bytes, original_key, storage_error)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (sha256) DO UPDATE SET"
        " original_key = coalesce(images.original_key, excluded.original_key), storage_error ="
        " CASE WHEN coalesce(images.original_key, excluded.original_key) IS NULL THEN excluded.storage_error END"
        " RETURNING id, original_key",
        (*msgspec.structs.astuple(picture), original, None if original else error),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 — INSERT … DO UPDATE … RETURNING gives a row
    return row[0], row[1]


async def _insert_work(conn: Connection, image_id: UUID, work: Work, processed: str | None, error: str | None) -> bool:
    """Write a job's row. False where there is one."""
    cursor = await conn.execute(
        "INSERT INTO jobs (id, image_id, api_key_id, job_type, method, parameters, model, face_count, detections,"
        " profiling, total_ms, processed_key, processed_format, processed_bytes, storage_error)"
        " VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s, %s)"
        " ON CONFLICT (id) DO NOTHING",
        (
            work.id,
            image_id,
            work.api_key_id,
            work.job_type,
            work.method,
            _json(work.parameters),
            work.model,
            len(work.faces),
            _json(work.faces),
            _json(work.profile),
            work.profile.total_ms,
            processed,
            work.processed_format if processed else None,
            work.processed_bytes if processed else None,
            error,
        ),
    )
    return cursor.rowcount == 1


async def _delete(conn: Connection, ids: Sequence[UUID], *, claim: bool) -> tuple[int, list[str]]:
    """How many there were, and the keys of their files. The lock comes first: no job joins a picture that goes."""
    await conn.execute("SELECT FROM images WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE", (ids,))
    cursor = await conn.execute(
        "INSERT INTO cleanup_tasks (key, due_at, attempts)"
        " SELECT key, now() + make_interval(secs => %s), %s FROM ("
        "  SELECT original_key AS key FROM images WHERE id = ANY(%s::uuid[])"
        "  UNION ALL SELECT processed_key FROM jobs WHERE image_id = ANY(%s::uuid[])) AS files"
        " WHERE key IS NOT NULL ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at RETURNING key",
        (CLAIMED_S if claim else 0, int(claim), ids, ids),
    )
    keys = [str(key) for (key,) in await cursor.fetchall()]
    gone = await conn.execute("DELETE FROM images WHERE id = ANY(%s::uuid[])", (ids,))
    return gone.rowcount, keys


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
