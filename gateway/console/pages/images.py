"""Stored pictures: a gallery, each with what was found in it and done with it, and the deletion of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.console.access import see_other
from gateway.console.confirm import ask, is_confirmed
from gateway.console.drawn import overlay_of
from gateway.console.forms import Form, read_form
from gateway.console.kept import pictures_of, send_file, show_off
from gateway.console.listing import PERIODS, PICTURES_A_PAGE, asked, pager_of, period_of, window_of
from gateway.console.shown import shell
from gateway.look.render import page
from gateway.refusals import refuse
from shared.contracts import Failure, ImageFormat
from shared.db.images import StoredImage, WantedImages, WantedJobs
from shared.db.pages import Window

if TYPE_CHECKING:
    from gateway.pictures import Pictures

HERE, ROOT = "images", "/admin/images"
SORTS = ("-created_at", "created_at", "-size_bytes", "size_bytes", "-job_count")
DEFAULT_SORT, DEFAULT_PERIOD = "-created_at", "all"
# On the page of one picture; the page of jobs has all.
MOST_JOBS = 20


@get("/images")
async def list_images(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A page of the gallery."""
    if (pictures := pictures_of(request)) is None:
        return show_off(request, HERE)
    fields = {sort.lstrip("-") for sort in SORTS}
    window = window_of(request, fields, DEFAULT_SORT, per_page=PICTURES_A_PAGE)
    period, since = period_of(request, DEFAULT_PERIOD)
    filters = {"format": asked(request, "format", ImageFormat), "processed": asked(request, "processed", bool)}
    found = await or_unavailable(pictures.images.page(window, WantedImages(since=since, **filters)))
    return page(
        request,
        "images.html",
        rows=found.items,
        pager=pager_of(window, found),
        filters=filters,
        formats=tuple(ImageFormat),
        period=period,
        periods=tuple(PERIODS),
        sorts=SORTS,
        **shell(request, HERE),
    )


@get("/images/{image_id:uuid}")
async def show_image(request: Request[AdminUser, Any, Any], image_id: UUID) -> Response[Any]:
    """One picture, with the detections of its newest job over it."""
    if (pictures := pictures_of(request)) is None:
        return show_off(request, HERE)
    row = await _image(pictures, image_id)
    window = Window(1, MOST_JOBS, "-created_at")
    jobs = await or_unavailable(pictures.images.jobs(window, WantedJobs(image_id=row.id)))
    newest = await or_unavailable(pictures.images.job(jobs.items[0].id)) if jobs.items else None
    key_ids = {job.api_key_id for job in jobs.items if job.api_key_id}
    return page(
        request,
        "image.html",
        row=row,
        jobs=jobs.items,
        job_total=jobs.total,
        newest=newest[0] if newest else None,
        faces=newest[1].faces if newest else (),
        overlay=overlay_of(newest[1].faces if newest else (), (row.width, row.height)),
        keys=await or_unavailable(call_of(request).services.api_keys.names(key_ids)),
        **shell(request, HERE),
    )


@get("/images/{image_id:uuid}/original")
async def original(request: Request[AdminUser, Any, Any], image_id: UUID) -> Response[Any]:
    """The file as it came."""
    row = await _of_this_id(request, image_id)
    return await send_file(request, row.original_key, "image", image_id)


@get("/images/{image_id:uuid}/result")
async def newest_result(request: Request[AdminUser, Any, Any], image_id: UUID) -> Response[Any]:
    """The file of its newest result."""
    row = await _of_this_id(request, image_id)
    return await send_file(request, row.processed_key, "image", image_id)


@get("/images/{image_id:uuid}/delete")
async def ask_delete_image(request: Request[AdminUser, Any, Any], image_id: UUID) -> Response[Any]:
    """The question, where a browser comes back to it."""
    return _ask(request, await _of_this_id(request, image_id), Form())


@post("/images/{image_id:uuid}/delete", status_code=303)
async def delete_image(request: Request[AdminUser, Any, Any], image_id: UUID) -> Response[Any]:
    """The picture, its jobs and the files of both, once it is confirmed."""
    form, row = await read_form(request), await _of_this_id(request, image_id)
    if not is_confirmed(form):
        return _ask(request, row, form)
    pictures = pictures_of(request)
    if pictures is not None and await or_unavailable(pictures.delete(image_id)):
        note(request.user.username, "image.delete", id=str(image_id))
    return see_other(f"{ROOT}?done=deleted")


async def _of_this_id(request: Request[AdminUser, Any, Any], image_id: UUID) -> StoredImage:
    pictures = pictures_of(request)
    if pictures is None:
        raise refuse(Failure.NOT_ENABLED)
    return await _image(pictures, image_id)


async def _image(pictures: Pictures, image_id: UUID) -> StoredImage:
    row = await or_unavailable(pictures.images.get(image_id))
    if row is None:
        raise refuse(Failure.NOT_FOUND)
    return row


def _ask(request: Request[AdminUser, Any, Any], row: StoredImage, form: Form) -> Response[Any]:
    return ask(
        request,
        HERE,
        question="images.delete_question",
        what=str(row.id),
        action="images.delete",
        back=f"{ROOT}/{row.id}",
        form=form,
    )


ROUTES = (list_images, show_image, original, newest_result, ask_delete_image, delete_image)
