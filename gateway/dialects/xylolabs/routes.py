"""The xylolabs API's public calls, `/api/v1/detect` and `/api/v1/mask`, and the admin's preview of the latter."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.openapi.datastructures import ResponseSpec

from gateway.auth.admins import admin_guard
from gateway.auth.api_keys import api_key_guard
from gateway.calls import Call, call_of
from gateway.dialects.xylolabs import schemas
from gateway.dialects.xylolabs.answers import detect_response, mask_headers, mask_response
from gateway.dialects.xylolabs.errors import ErrorBody
from gateway.dialects.xylolabs.operations import GivesImage, WithImage
from gateway.dialects.xylolabs.parameters import detect_options, mask_options, read_form
from shared import contracts
from shared.contracts import NO_TENANT
from shared.formats import MEDIA_TYPES

K = TypeVar("K", bound=contracts.Keepable)

ERRORS = {
    400: ResponseSpec(ErrorBody, description="The request or the picture is not usable; detail says why"),
    401: ResponseSpec(ErrorBody, description="No, a wrong or a disabled key, or no admin"),
    413: ResponseSpec(ErrorBody, description="The body is too large"),
    415: ResponseSpec(ErrorBody, description="The body is compressed, or not in UTF-8"),
    429: ResponseSpec(ErrorBody, description="Too many requests; Retry-After says for how long"),
    500: ResponseSpec(ErrorBody, description="A fault of the service"),
    501: ResponseSpec(ErrorBody, description="Switched off here: a database"),
    503: ResponseSpec(ErrorBody, description="Busy, or not available now; Retry-After says when to try again"),
}


@post(
    "/api/v1/detect",
    status_code=200,
    guards=[api_key_guard],
    security=[{"apiKey": []}],
    operation_id="detectFaces",
    operation="detect",
    dependencies={"asked": Provide(detect_options, sync_to_thread=False)},
    operation_class=WithImage,
    summary="Where are the faces?",
    tags=["faces"],
    response_description="The faces",
    responses=ERRORS,
)
async def detect(request: Request[Any, Any, Any], asked: contracts.DetectFaces) -> schemas.DetectResponse:
    """Find every face of a picture, the largest first. None is no error: `detections` is empty."""
    call = call_of(request)
    asked, image = await read_form(request, asked)
    done = await call.ask(_kept(call, asked), [image], contracts.FacesDetected)
    return detect_response(call, asked, done)


@post(
    "/api/v1/mask",
    status_code=200,
    guards=[api_key_guard],
    security=[{"apiKey": []}],
    operation_id="maskFaces",
    operation="mask",
    dependencies={"asked": Provide(mask_options, sync_to_thread=False)},
    operation_class=GivesImage,
    summary="The picture without its faces",
    tags=["faces"],
    response_description="The masked picture; the headers tell of it",
    media_type="image/jpeg",
    responses=ERRORS,
)
async def mask(request: Request[Any, Any, Any], asked: contracts.MaskFaces) -> Response[bytes]:
    """Find every face and make it unrecognisable. The file that comes back is upright and has no metadata."""
    call = call_of(request)
    asked, image = await read_form(request, asked)
    done = await call.ask(_kept(call, asked), [image], contracts.FacesMasked)
    return Response(done.image, media_type=MEDIA_TYPES[done.format], headers=mask_headers(call, done))


@post(
    "/api/v1/admin/test/mask",
    status_code=200,
    guards=[admin_guard],
    security=[{"basic": []}, {"session": []}],
    cache_control=CacheControlHeader(no_store=True),
    operation_id="previewMask",
    dependencies={"asked": Provide(mask_options, sync_to_thread=False)},
    operation_class=WithImage,
    summary="Try out masking",
    tags=["admin"],
    response_description="The faces, and the masked picture in base64",
    responses=ERRORS,
)
async def preview_mask(request: Request[Any, Any, Any], asked: contracts.MaskFaces) -> schemas.MaskResponse:
    """What `/api/v1/mask` does, with everything that is known of it, for the console's test page."""
    call = call_of(request)
    call.tenant_id = NO_TENANT
    asked, image = await read_form(request, asked)
    done = await call.ask(_kept(call, asked), [image], contracts.FacesMasked)
    return mask_response(call, asked, done)


def _kept(call: Call, asked: K) -> K:
    """The operation, with its picture to be kept where storage is on. The job's id is the request's."""
    if call.services.pictures is None:
        return asked
    key = str(call.api_key_id) if call.api_key_id else None
    return msgspec.structs.replace(asked, keep=contracts.Keep(job_id=call.tx_id, api_key_id=key))
