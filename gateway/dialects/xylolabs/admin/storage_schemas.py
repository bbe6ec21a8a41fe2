"""What the admin API tells of stored pictures and jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar.params import Parameter
from msgspec import Meta

from gateway.dialects.xylolabs.admin.common import PaginatedResponse
from gateway.dialects.xylolabs.schemas import DetectedFace, Profiling
from shared.contracts import ImageFormat, JobType, MaskMethod

Count = Annotated[int, Meta(ge=0)]
Link = Annotated[
    str | None, Meta(description="Expires after FACE_API_STORAGE_LINK_TTL seconds; null where there is no file")
]
WhyNot = Annotated[str | None, Meta(description="Why a file could not be stored; null where it was")]


class DayCounts(msgspec.Struct):
    """What is new."""

    images: Count
    jobs: Count


class StatsResponse(msgspec.Struct):
    """All that is stored; a picture that is deleted is in no number any more. Bytes are of files that are there."""

    images: Count
    jobs: Count
    faces: Annotated[int, Meta(ge=0, description="Found in all jobs together")]
    processed: Annotated[int, Meta(ge=0, description="Masked pictures")]
    original_bytes: Count
    processed_bytes: Count
    jobs_by_type: dict[JobType, int]
    jobs_by_method: dict[MaskMethod, int]
    last_24h: DayCounts


class StoredImageResponse(msgspec.Struct, kw_only=True):
    """A picture as it came; the same file is one picture, however often it is sent."""

    id: UUID
    original_url: Link
    processed_url: Annotated[str | None, Meta(description="The newest result; null where there is none")]
    width: int
    height: int
    size_bytes: int
    format: ImageFormat
    job_count: Count
    storage_error: WhyNot
    created_at: datetime


class JobResponse(msgspec.Struct, kw_only=True):
    """What was done with a picture. `id` is the `request_id` of the call; `parameters` are those it was asked with."""

    id: UUID
    image_id: UUID
    job_type: JobType
    method: MaskMethod | None
    parameters: dict[str, Any]
    model: str
    face_count: Count
    total_ms: Annotated[float, Meta(ge=0, description="Of the worker's work, until its rows were written")]
    output_format: ImageFormat | None
    output_bytes: int | None
    api_key_id: Annotated[UUID | None, Meta(description="null: an admin's preview, or a call without a key")]
    storage_error: WhyNot
    created_at: datetime


class StoredImageDetailResponse(StoredImageResponse, kw_only=True):
    """A picture with its jobs, the newest first, at most a hundred; GET jobs?image_id=… has them all."""

    jobs: list[JobResponse]


class JobDetailResponse(JobResponse, kw_only=True):
    """A job with what it found."""

    original_url: Link
    processed_url: Link
    detections: list[DetectedFace]
    profiling: Profiling


# Named, or the OpenAPI document would call them by their modules.
StoredImagePage = Annotated[PaginatedResponse[StoredImageResponse], Parameter(schema_component_key="StoredImagePage")]
JobPage = Annotated[PaginatedResponse[JobResponse], Parameter(schema_component_key="JobPage")]
