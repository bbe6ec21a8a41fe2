"""`GET /api/v1/files/{key}`: a stored file of the local folder, for whoever has its link.

The link is the permission: an `<img>` in the console sends no header, and a link is handed on. S3 has its own.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs.admin.storage import OFF
from gateway.pictures import file_headers
from gateway.refusals import refuse
from shared.contracts import Failure
from shared.storage import FileMissingError, media_type_of

WRONG = "the link is wrong, or has expired; ask for a new one"


async def link_guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Let those through that follow a link of ours in time. Nobody's call: logged, and no transaction."""
    call = call_of(connection)
    call.operation, call.is_recorded = "file", False
    if (pictures := call.services.pictures) is None:
        raise refuse(Failure.NOT_ENABLED, OFF)
    query = connection.query_params
    if not pictures.links.is_good(_key(connection), query.get("expires", ""), query.get("signature", "")):
        raise refuse(Failure.FORBIDDEN, WRONG)


@get("/api/v1/files/{place:str}/{name:str}", guards=[link_guard], include_in_schema=False)
async def stored_file(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The file."""
    call, key = call_of(request), _key(request)
    assert call.services.pictures is not None  # noqa: S101 — the guard
    try:
        data = await or_unavailable(call.services.pictures.storage.get(key))
    except FileMissingError:
        raise refuse(Failure.NOT_FOUND, "the file has been deleted") from None
    call.finish("ok", recorded=False)
    headers = file_headers(key, cache="private, no-store")
    return Response(data, media_type=media_type_of(key), headers=headers)


def _key(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    return "{place}/{name}".format(**connection.path_params)
