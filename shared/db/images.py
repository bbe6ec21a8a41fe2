"""Stored pictures and their jobs as operators look at them. What writes them is keeping.py.

Everything that a page shows of a picture stands in its own row, so that a page among a hundred thousand is one look at
an index.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from shared.contracts import Face, ImageFormat, JobType, MaskMethod, Profile
from shared.db.pages import Listing, Page, read_page
from shared.db.pool import Pool, connection

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import LiteralString

    from shared.db.pages import Filters, Window

_IMAGE: LiteralString = (
    "id, format, width, height, size_bytes, job_count, original_key, processed_key, storage_error, created_at"
)
_IMAGES = Listing(
    columns=_IMAGE,
    source="images",
    key=("id",),
    sorts={"created_at": "created_at", "size_bytes": "size_bytes", "job_count": "job_count"},
)
_JOB: LiteralString = (
    "id, image_id, api_key_id, job_type, method, parameters, model, face_count, total_ms, processed_key,"
    " processed_format, processed_bytes, storage_error, created_at"
)
_JOBS = Listing(
    columns=_JOB,
    source="jobs",
    key=("id",),
    # By nothing else: there are more jobs than pictures, and their rows are long.
    sorts={"created_at": "created_at"},
    is_wide=True,
)


class StoredImage(msgspec.Struct, frozen=True):
    """A picture; `processed_key` is its newest result's."""

    id: UUID
    format: ImageFormat
    width: int
    height: int
    size_bytes: int
    job_count: int
    original_key: str | None
    processed_key: str | None
    storage_error: str | None
    created_at: datetime


class StoredJob(msgspec.Struct, frozen=True):
    """A job without what it found."""

    id: UUID
    image_id: UUID
    api_key_id: UUID | None
    job_type: JobType
    method: MaskMethod | None
    parameters: dict[str, Any]
    model: str
    face_count: int
    total_ms: float
    processed_key: str | None
    processed_format: ImageFormat | None
    processed_bytes: int | None
    storage_error: str | None
    created_at: datetime


class Found(msgspec.Struct, frozen=True):
    """What a job found, how long each step took, and the key of the picture that it looked at."""

    faces: tuple[Face, ...]
    profile: Profile
    original_key: str | None


class WantedImages(msgspec.Struct, frozen=True, kw_only=True):
    """Which pictures; None: any. `processed`: those with a result, or without."""

    format: ImageFormat | None = None
    processed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


class WantedJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs; None: any."""

    job_type: JobType | None = None
    method: MaskMethod | None = None
    image_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class Kind(msgspec.Struct, frozen=True):
    """Jobs of one type and method together."""

    job_type: JobType
    method: MaskMethod | None
    jobs: int
    jobs_24h: int
    faces: int
    processed: int
    processed_bytes: int


class Statistics(msgspec.Struct, frozen=True):
    """All pictures and jobs together; bytes are of the files that are stored."""

    images: int
    images_24h: int
    original_bytes: int
    kinds: list[Kind]


class Images:
    """Reads `images` and `jobs`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, window: Window, wanted: WantedImages) -> Page[StoredImage]:
        """Pictures, sorted by created_at, size_bytes or job_count."""
        filters: Filters = [
            ("format = %s", wanted.format),
            ("(processed_key IS NOT NULL) = %s", wanted.processed),
            ("created_at >= %s", wanted.since),
            ("created_at < %s", wanted.until),
        ]
        return await read_page(self._pool, _IMAGES, window, filters, StoredImage)

    async def get(self, image_id: UUID) -> StoredImage | None:
        """The picture of this id."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(f"SELECT {_IMAGE} FROM images WHERE id = %s", (image_id,))  # noqa: S608 — ours
            row = await cursor.fetchone()
        return StoredImage(*row) if row else None

    async def with_files(self, image_ids: Collection[UUID]) -> set[UUID]:
        """Those of these pictures whose file is stored."""
        if not image_ids:
            return set()
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT id FROM images WHERE id = ANY(%s::uuid[]) AND original_key IS NOT NULL", (list(image_ids),)
            )
            return {image_id for (image_id,) in await cursor.fetchall()}

    async def jobs(self, window: Window, wanted: WantedJobs) -> Page[StoredJob]:
        """Jobs, sorted by created_at."""
        filters: Filters = [
            ("job_type = %s", wanted.job_type),
            ("method = %s", wanted.method),
            ("image_id = %s", wanted.image_id),
            ("created_at >= %s", wanted.since),
            ("created_at < %s", wanted.until),
        ]
        return await read_page(self._pool, _JOBS, window, filters, StoredJob)

    async def job(self, job_id: UUID) -> tuple[StoredJob, Found] | None:
        """The job of this id, and what it found."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"SELECT detections, profiling, (SELECT original_key FROM images WHERE id = image_id), {_JOB}"  # noqa: S608
                " FROM jobs WHERE id = %s",
                (job_id,),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        faces, profile, original_key, *job = row
        found = Found(msgspec.convert(faces, tuple[Face, ...]), msgspec.convert(profile, Profile), original_key)
        return StoredJob(*job), found

    async def statistics(self) -> Statistics:
        """Counts and sums of everything: of the pictures from their table, of the jobs from one index."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT count(*), count(*) FILTER (WHERE created_at >= now() - interval '24 hours'),"
                " coalesce(sum(size_bytes) FILTER (WHERE original_key IS NOT NULL), 0) FROM images"
            )
            images = await cursor.fetchone()
            assert images is not None  # noqa: S101 — an aggregate gives a row
            cursor = await conn.execute(
                "SELECT job_type, method, count(*), count(*) FILTER (WHERE created_at >= now() - interval '24 hours'),"
                " sum(face_count), count(processed_key), coalesce(sum(processed_bytes), 0)"
                " FROM jobs GROUP BY job_type, method ORDER BY job_type, method NULLS FIRST"
            )
            kinds = [_kind(*row) for row in await cursor.fetchall()]
        count, count_24h, size_bytes = images
        return Statistics(count, count_24h, int(size_bytes), kinds)


def _kind(job_type: str, method: str | None, *numbers: int) -> Kind:
    return Kind(JobType(job_type), MaskMethod(method) if method else None, *map(int, numbers))
