"""What needs stored pictures and jobs. Nothing is stored yet, so each of these answers 501 and says what to set."""

# ruff: noqa: ARG002 — the ids are the paths', and stand in the OpenAPI document

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, delete, get
from litestar.params import Parameter

from gateway.auth.admins import AdminUser
from gateway.calls import call_of
from gateway.dialects.xylolabs.admin.common import ERRORS, ROOT, AdminController
from gateway.refusals import RefusedError, refuse
from shared.contracts import Failure

OFF = "pictures and jobs are not kept: set FACE_API_STORAGE_ENABLED=true"
TO_COME = "this version keeps no pictures and jobs yet, although FACE_API_STORAGE_ENABLED is true"
ImageId = Annotated[str, Parameter(description="The picture's id")]
JobId = Annotated[str, Parameter(description="The job's id")]


class StorageController(AdminController):
    """Statistics, pictures, jobs."""

    path = ROOT
    tags = ["admin: storage"]  # noqa: RUF012 — Litestar declares it on the instance

    @get("/stats", operation_id="getStats", summary="Statistics of pictures and jobs", responses=ERRORS)
    async def stats(self, request: Request[AdminUser, Any, Any]) -> None:
        """Of all pictures and jobs that are kept."""
        raise _not_kept(request)

    @get("/images", operation_id="listImages", summary="List pictures", responses=ERRORS)
    async def images(self, request: Request[AdminUser, Any, Any]) -> None:
        """A page of pictures."""
        raise _not_kept(request)

    @get("/images/{image_id:str}", operation_id="getImage", summary="Look at a picture", responses=ERRORS)
    async def image(self, request: Request[AdminUser, Any, Any], image_id: ImageId) -> None:
        """A picture and its jobs."""
        raise _not_kept(request)

    @delete(
        "/images/{image_id:str}",
        status_code=204,
        operation_id="deleteImage",
        summary="Delete a picture",
        responses=ERRORS,
    )
    async def delete_image(self, request: Request[AdminUser, Any, Any], image_id: ImageId) -> None:
        """The picture and its jobs."""
        raise _not_kept(request)

    @get(
        "/images/{image_id:str}/download",
        operation_id="downloadImage",
        summary="Where the picture lies",
        responses=ERRORS,
    )
    async def download_image(self, request: Request[AdminUser, Any, Any], image_id: ImageId) -> None:
        """A redirect to the picture as it came."""
        raise _not_kept(request)

    @get("/jobs", operation_id="listJobs", summary="List jobs", responses=ERRORS)
    async def jobs(self, request: Request[AdminUser, Any, Any]) -> None:
        """A page of jobs."""
        raise _not_kept(request)

    @get("/jobs/{job_id:str}", operation_id="getJob", summary="Look at a job", responses=ERRORS)
    async def job(self, request: Request[AdminUser, Any, Any], job_id: JobId) -> None:
        """What was found, and where the result lies."""
        raise _not_kept(request)

    @get(
        "/jobs/{job_id:str}/download",
        operation_id="downloadJob",
        summary="Where a job's result lies",
        responses=ERRORS,
    )
    async def download_job(self, request: Request[AdminUser, Any, Any], job_id: JobId) -> None:
        """A redirect to the masked picture."""
        raise _not_kept(request)


def _not_kept(request: Request[AdminUser, Any, Any]) -> RefusedError:
    settings = call_of(request).services.settings.face_api
    return refuse(Failure.NOT_ENABLED, TO_COME if settings.storage_enabled else OFF)
