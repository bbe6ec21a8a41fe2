"""Stored pictures and jobs: statistics, listings, details, downloads, deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from litestar import Request, delete, get
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.response import Redirect

from gateway.auth.admins import AdminUser, admin_guard, note
from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs import answers
from gateway.dialects.xylolabs.admin import storage_schemas as schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    UNKNOWN,
    AdminController,
    From,
    PageNumber,
    PerPage,
    To,
    paginated,
    time_of,
)
from gateway.refusals import RefusedError, refuse
from shared.contracts import Failure, ImageFormat, JobType, MaskMethod
from shared.db.images import StoredImage, StoredJob, WantedImages, WantedJobs
from shared.db.pages import Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.pictures import Pictures

OFF = "pictures and jobs are not kept: set FACE_API_STORAGE_ENABLED=true"
# Of one picture, in its detail.
MOST_JOBS = 100

ImageId = Annotated[str, Parameter(description="The picture's id")]
JobId = Annotated[str, Parameter(description="The job's id")]
ImageSort = Literal["created_at", "-created_at", "size_bytes", "-size_bytes", "job_count", "-job_count"]
JobSort = Literal["created_at", "-created_at"]
Processed = Annotated[bool | None, Parameter(description="Only those with a masked picture, or without")]
FOUND = {302: ResponseSpec(None, description="Location is a link to the file; it expires")}


async def storage_guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Where storage is off the answer is 501, whatever the parameters are."""
    if call_of(connection).services.pictures is None:
        raise refuse(Failure.NOT_ENABLED, OFF)


class StorageController(AdminController):
    """Statistics, pictures, jobs."""

    path = ROOT
    tags = ["admin: storage"]  # noqa: RUF012 — Litestar declares it on the instance
    guards = [admin_guard, storage_guard]  # noqa: RUF012

    @get(
        "/stats",
        operation_id="getStats",
        summary="Statistics of pictures and jobs",
        response_description="Counts and sums",
        responses=ERRORS,
    )
    async def stats(self, request: Request[AdminUser, Any, Any]) -> schemas.StatsResponse:
        """Of all pictures and jobs that are stored."""
        told = await or_unavailable(_pictures(request).images.statistics())
        by_type = dict.fromkeys(JobType, 0)
        by_method = dict.fromkeys(MaskMethod, 0)
        for kind in told.kinds:
            by_type[kind.job_type] += kind.jobs
            if kind.method is not None:
                by_method[kind.method] += kind.jobs
        return schemas.StatsResponse(
            images=told.images,
            jobs=sum(kind.jobs for kind in told.kinds),
            faces=sum(kind.faces for kind in told.kinds),
            processed=sum(kind.processed for kind in told.kinds),
            original_bytes=told.original_bytes,
            processed_bytes=sum(kind.processed_bytes for kind in told.kinds),
            jobs_by_type=by_type,
            jobs_by_method=by_method,
            last_24h=schemas.DayCounts(images=told.images_24h, jobs=sum(kind.jobs_24h for kind in told.kinds)),
        )

    @get("/images", operation_id="listImages", summary="List pictures", response_description="A page", responses=ERRORS)
    async def images(
        self,
        request: Request[AdminUser, Any, Any],
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: ImageSort = "-created_at",
        format: ImageFormat | None = None,  # noqa: A002 — the caller's name for it
        processed: Processed = None,
        since: From = None,
        until: To = None,
    ) -> schemas.StoredImagePage:
        """A page of pictures, each with a link to the original and to the newest result."""
        pictures, window = _pictures(request), Window(page, per_page, sort)
        wanted = WantedImages(
            format=format, processed=processed, since=time_of("from", since), until=time_of("to", until)
        )
        found = await or_unavailable(pictures.images.page(window, wanted))
        links = await _links(request, (key for row in found.items for key in (row.original_key, row.processed_key)))
        return paginated(found, window, lambda row: schemas.StoredImageResponse(**_image(row, links)))

    @get(
        "/images/{image_id:str}",
        operation_id="getImage",
        summary="Look at a picture",
        response_description="The picture and its jobs",
        responses=ERRORS | UNKNOWN,
    )
    async def image(
        self, request: Request[AdminUser, Any, Any], image_id: ImageId
    ) -> schemas.StoredImageDetailResponse:
        """A picture and its jobs, the newest first."""
        row = await _known_image(request, image_id)
        window, wanted = Window(1, MOST_JOBS, "-created_at"), WantedJobs(image_id=row.id)
        jobs = await or_unavailable(_pictures(request).images.jobs(window, wanted))
        links = await _links(request, (row.original_key, row.processed_key))
        return schemas.StoredImageDetailResponse(**_image(row, links), jobs=[_job(job) for job in jobs.items])

    @delete(
        "/images/{image_id:str}",
        status_code=204,
        operation_id="deleteImage",
        summary="Delete a picture",
        response_description="Gone, with its jobs; a file that could not be removed is tried again until it is",
        responses=ERRORS | UNKNOWN,
    )
    async def delete_image(self, request: Request[AdminUser, Any, Any], image_id: ImageId) -> None:
        """The picture, its jobs, and the files of both."""
        found = _uuid(image_id, "picture")
        if not await or_unavailable(_pictures(request).delete(found)):
            raise _unknown("picture")
        note(request.user.username, "image.delete", id=str(found))

    @get(
        "/images/{image_id:str}/download",
        operation_id="downloadImage",
        status_code=302,
        summary="Download a picture",
        responses=ERRORS | UNKNOWN | FOUND,
    )
    async def download_image(self, request: Request[AdminUser, Any, Any], image_id: ImageId) -> Redirect:
        """A redirect to the picture as it came."""
        row = await _known_image(request, image_id)
        note(request.user.username, "image.download", id=str(row.id))
        return await _redirect(request, row.original_key)

    @get("/jobs", operation_id="listJobs", summary="List jobs", response_description="A page", responses=ERRORS)
    async def jobs(
        self,
        request: Request[AdminUser, Any, Any],
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: JobSort = "-created_at",
        job_type: JobType | None = None,
        method: MaskMethod | None = None,
        image_id: UUID | None = None,
        since: From = None,
        until: To = None,
    ) -> schemas.JobPage:
        """A page of jobs."""
        window = Window(page, per_page, sort)
        wanted = WantedJobs(
            job_type=job_type,
            method=method,
            image_id=image_id,
            since=time_of("from", since),
            until=time_of("to", until),
        )
        return paginated(await or_unavailable(_pictures(request).images.jobs(window, wanted)), window, _job)

    @get(
        "/jobs/{job_id:str}",
        operation_id="getJob",
        summary="Look at a job",
        response_description="The job, with what it found",
        responses=ERRORS | UNKNOWN,
    )
    async def job(self, request: Request[AdminUser, Any, Any], job_id: JobId) -> schemas.JobDetailResponse:
        """What was found, and where the result lies."""
        known = await or_unavailable(_pictures(request).images.job(_uuid(job_id, "job")))
        if known is None:
            raise _unknown("job")
        row, found = known
        links = await _links(request, (found.original_key, row.processed_key))
        return schemas.JobDetailResponse(
            **_job_fields(row),
            original_url=links[found.original_key],
            processed_url=links[row.processed_key],
            detections=answers.faces(found.faces, *found.profile.image_size),
            profiling=answers.profiling(found.profile),
        )

    @get(
        "/jobs/{job_id:str}/download",
        operation_id="downloadJob",
        status_code=302,
        summary="Download a job's result",
        responses=ERRORS | UNKNOWN | FOUND,
    )
    async def download_job(self, request: Request[AdminUser, Any, Any], job_id: JobId) -> Redirect:
        """A redirect to the masked picture; 404 for a job that has none."""
        known = await or_unavailable(_pictures(request).images.job(_uuid(job_id, "job")))
        if known is None:
            raise _unknown("job")
        note(request.user.username, "job.download", id=str(known[0].id))
        return await _redirect(request, known[0].processed_key)


def _pictures(request: Request[AdminUser, Any, Any]) -> Pictures:
    pictures = call_of(request).services.pictures
    assert pictures is not None  # noqa: S101 — storage_guard
    return pictures


async def _known_image(request: Request[AdminUser, Any, Any], image_id: str) -> StoredImage:
    row = await or_unavailable(_pictures(request).images.get(_uuid(image_id, "picture")))
    if row is None:
        raise _unknown("picture")
    return row


async def _links(request: Request[AdminUser, Any, Any], keys: Iterable[str | None]) -> dict[str | None, str | None]:
    return await or_unavailable(_pictures(request).links.make(keys, str(request.base_url)))


async def _redirect(request: Request[AdminUser, Any, Any], key: str | None) -> Redirect:
    link = (await _links(request, (key,)))[key]
    if link is None:
        raise refuse(Failure.NOT_FOUND, "it has no stored file")
    return Redirect(link, status_code=302)


def _uuid(text: str, what: str) -> UUID:
    """An id. What is none is nobody's."""
    try:
        return UUID(text)
    except ValueError:
        raise _unknown(what) from None


def _unknown(what: str) -> RefusedError:
    return refuse(Failure.NOT_FOUND, f"no {what} of this id")


def _image(row: StoredImage, links: dict[str | None, str | None]) -> dict[str, Any]:
    names = ("id", "width", "height", "size_bytes", "job_count", "storage_error", "created_at")
    return {name: getattr(row, name) for name in names} | {
        "format": ImageFormat(row.format),
        "original_url": links[row.original_key],
        "processed_url": links[row.processed_key],
    }


def _job_fields(row: StoredJob) -> dict[str, Any]:
    names = ("id", "image_id", "job_type", "method", "parameters", "model", "face_count", "api_key_id", "created_at")
    return {name: getattr(row, name) for name in names} | {
        "total_ms": round(row.total_ms, 2),
        "output_format": row.processed_format,
        "output_bytes": row.processed_bytes,
        "storage_error": row.storage_error,
    }


def _job(row: StoredJob) -> schemas.JobResponse:
    return schemas.JobResponse(**_job_fields(row))
