"""The test page: a picture is dropped, and what the workers make of it is shown.

Masking goes to the admin API's preview, `/api/v1/admin/test/mask`, which keeps the picture where storage is on; the
other tries ask the queue from here, and nothing of theirs is kept. Each is one job for nobody (NO_TENANT), and numbers
of ID documents leave the worker masked.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser
from gateway.calls import Call, call_of
from gateway.console.shown import shell
from gateway.dialects.xylolabs.parameters import IMAGE_TYPES
from gateway.images import check_image
from gateway.look.render import HEADERS, page
from gateway.multipart import files_of
from gateway.refusals import refuse
from shared import contracts
from shared.contracts import NO_TENANT, CardField, Check, Failure, IdType, ImageFormat, Kind, MaskMethod

TRIES = ("mask", "compare", "liveness", "ocr")


class Tried(msgspec.Struct, frozen=True):
    """What came of a try: its transaction, and the outcome as the worker gave it, with its profile."""

    tx_id: str
    outcome: contracts.FacesDetected | contracts.Compared | contracts.LivenessChecked | contracts.CardRead


@get("/test")
async def test_page(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """The page of one of the tries; masking, unless another is asked for."""
    tried = request.query_params.get("try", TRIES[0])
    return page(
        request,
        "test.html",
        tried=tried if tried in TRIES else TRIES[0],
        tries=TRIES,
        keeps=call_of(request).services.pictures is not None,
        methods=tuple(MaskMethod),
        formats=tuple(ImageFormat),
        checks=tuple(Check),
        id_types=tuple(IdType),
        fields=tuple(CardField),
        failures=tuple(Failure),
        defaults=contracts.MaskFaces(),
        **shell(request, "test"),
    )


@post("/test/detect", status_code=200)
async def detect(request: Request[AdminUser, Any, Any]) -> Response[bytes]:
    """Where the faces of `image` are."""
    return await _try(request, contracts.DetectFaces(), contracts.FacesDetected, Kind.FACE)


@post("/test/compare", status_code=200)
async def compare(request: Request[AdminUser, Any, Any]) -> Response[bytes]:
    """Do `image` and `other` show the same person?"""
    return await _try(request, contracts.CompareFaces(), contracts.Compared, Kind.FACE, "image", "other")


@post("/test/liveness", status_code=200)
async def liveness(request: Request[AdminUser, Any, Any]) -> Response[bytes]:
    """Is the face of `image` a living person's? `?check=` asks one check alone."""
    check = _choice(request, "check", Check)
    operation = contracts.CheckLiveness(checks=(check,) if check else ())
    return await _try(request, operation, contracts.LivenessChecked, Kind.LIVENESS)


@post("/test/ocr", status_code=200)
async def ocr(request: Request[AdminUser, Any, Any]) -> Response[bytes]:
    """What the document of `image` says, its numbers masked."""
    operation = contracts.ReadCard(id_type=_choice(request, "id_type", IdType))
    return await _try(request, operation, contracts.CardRead, Kind.OCR)


async def _try(
    request: Request[AdminUser, Any, Any], operation: contracts.AnyOperation, want: Any, kind: Kind, *parts: str
) -> Response[bytes]:
    call = call_of(request)
    images = await _images(request, call, parts or ("image",))
    call.operation, call.tenant_id = str(operation.__struct_config__.tag), NO_TENANT
    outcome = await call.ask(operation, images, want, kind=kind)
    content = msgspec.json.encode(Tried(call.tx_id, outcome))
    return Response(content, media_type="application/json", headers=HEADERS)


async def _images(request: Request[AdminUser, Any, Any], call: Call, parts: tuple[str, ...]) -> list[bytes]:
    max_bytes = call.services.settings.http.max_image_bytes
    found = await files_of(request, *parts, max_bytes=max_bytes)
    return [
        check_image(data, position=position, types=IMAGE_TYPES, max_bytes=max_bytes)
        for position, data in enumerate(found)
    ]


def _choice(request: Request[AdminUser, Any, Any], name: str, kind: Any) -> Any:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise refuse(Failure.BAD_REQUEST, f"{name}: one of {', '.join(kind)}") from None


ROUTES = (test_page, detect, compare, liveness, ocr)
