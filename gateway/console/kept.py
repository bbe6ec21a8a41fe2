"""Stored pictures for the console's own pages: from this gateway, whichever place they lie in.

The policy lets a page show pictures of this host alone, so none comes by a link to S3. The gateway reads a file piece
by piece and hands it on; it never decodes one, so a small picture in a list is the whole file, made small by the
browser.
A key never names other bytes: a browser may keep what it has seen, and asks each time whether it may still show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response
from litestar.response import Stream

from gateway.auth.admins import note
from gateway.calls import call_of, or_unavailable
from gateway.console.shown import shell
from gateway.look.render import page
from gateway.pictures import file_headers
from gateway.refusals import refuse
from shared.contracts import Failure
from shared.storage import FileMissingError, media_type_of

if TYPE_CHECKING:
    from uuid import UUID

    from litestar import Request

    from gateway.auth.admins import AdminUser
    from gateway.pictures import Pictures


def pictures_of(request: Request[AdminUser, Any, Any]) -> Pictures | None:
    """None where storage is off; a page says so with `show_off`."""
    return call_of(request).services.pictures


def show_off(request: Request[AdminUser, Any, Any], here: str) -> Response[Any]:
    """That storage is off, and how it is turned on."""
    return page(request, "kept_off.html", status=501, **shell(request, here))


async def send_file(request: Request[AdminUser, Any, Any], key: str | None, what: str, row_id: UUID) -> Response[Any]:
    """The file of a key, to be looked at, or with `?download=1` to be kept. Raises RefusedError where there is none."""
    pictures = pictures_of(request)
    if pictures is None or key is None:
        raise refuse(Failure.NOT_FOUND, "it has no stored file")
    attached = request.query_params.get("download") == "1"
    tag = f'"{key.rpartition("/")[2]}"'
    headers = file_headers(key, cache="private, no-cache", attached=attached) | {"ETag": tag}
    if not attached and request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    try:
        file = await or_unavailable(pictures.storage.open(key))
    except FileMissingError:
        raise refuse(Failure.NOT_FOUND, "the file has been deleted") from None
    if attached:
        note(request.user.username, f"{what}.download", id=str(row_id))
    headers["Content-Length"] = str(file.size)
    return Stream(file.chunks, media_type=media_type_of(key), headers=headers)
