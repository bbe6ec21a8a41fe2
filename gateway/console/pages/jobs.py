"""What was done with stored pictures: each detect and mask, before and after, what it found and how long it took."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, get

from gateway.auth.admins import AdminUser
from gateway.calls import call_of, or_unavailable
from gateway.console.drawn import overlay_of, steps_of
from gateway.console.kept import pictures_of, send_file, show_off
from gateway.console.listing import PERIODS, PICTURES_A_PAGE, asked, pager_of, period_of, window_of
from gateway.console.shown import shell
from gateway.look.render import page
from gateway.refusals import refuse
from shared.contracts import Failure, JobType, MaskMethod
from shared.db.images import Found, StoredJob, WantedJobs

HERE = "jobs"
SORTS = frozenset({"created_at"})
DEFAULT_PERIOD = "all"


@get("/jobs")
async def list_jobs(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A page of jobs."""
    if (pictures := pictures_of(request)) is None:
        return show_off(request, HERE)
    window = window_of(request, SORTS, "-created_at", per_page=PICTURES_A_PAGE)
    period, since = period_of(request, DEFAULT_PERIOD)
    filters = {
        "job_type": asked(request, "job_type", JobType),
        "method": asked(request, "method", MaskMethod),
        "image_id": asked(request, "image", UUID),
    }
    found = await or_unavailable(pictures.images.jobs(window, WantedJobs(since=since, **filters)))
    key_ids = {job.api_key_id for job in found.items if job.api_key_id}
    return page(
        request,
        "jobs.html",
        jobs=found.items,
        with_files=await or_unavailable(pictures.images.with_files({job.image_id for job in found.items})),
        keys=await or_unavailable(call_of(request).services.api_keys.names(key_ids)),
        pager=pager_of(window, found),
        filters=filters,
        job_types=tuple(JobType),
        methods=tuple(MaskMethod),
        period=period,
        periods=tuple(PERIODS),
        **shell(request, HERE),
    )


@get("/jobs/{job_id:uuid}")
async def show_job(request: Request[AdminUser, Any, Any], job_id: UUID) -> Response[Any]:
    """One job."""
    if pictures_of(request) is None:
        return show_off(request, HERE)
    job, found = await _job(request, job_id)
    profile = found.profile
    return page(
        request,
        "job.html",
        job=job,
        has_original=found.original_key is not None,
        faces=found.faces,
        overlay=overlay_of(found.faces, profile.image_size),
        profile=profile,
        steps=steps_of(profile),
        keys=await or_unavailable(
            call_of(request).services.api_keys.names({job.api_key_id} if job.api_key_id else set())
        ),
        **shell(request, HERE),
    )


@get("/jobs/{job_id:uuid}/result")
async def result(request: Request[AdminUser, Any, Any], job_id: UUID) -> Response[Any]:
    """The masked picture."""
    job, _ = await _job(request, job_id)
    return await send_file(request, job.processed_key, "job", job_id)


async def _job(request: Request[AdminUser, Any, Any], job_id: UUID) -> tuple[StoredJob, Found]:
    pictures = pictures_of(request)
    if pictures is None:
        raise refuse(Failure.NOT_ENABLED)
    known = await or_unavailable(pictures.images.job(job_id))
    if known is None:
        raise refuse(Failure.NOT_FOUND)
    return known


ROUTES = (list_jobs, show_job, result)
