"""The root API: `/auth/client/token` and `/face/…`."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, TypeVar

from litestar import Controller, Request, delete, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from msgspec import UNSET, UnsetType

from gateway.auth.login import log_in
from gateway.bodies import CREDENTIALS_BYTES
from gateway.calls import Call, bearer_guard, call_of
from gateway.dialects.fidox import schemas
from gateway.dialects.fidox.errors import ErrorBody
from gateway.images import ImageType, images_of_base64
from gateway.liveness import ask_with_liveness
from gateway.paths import user_code
from shared import contracts
from shared.contracts import Context

IMAGE_TYPES = (ImageType.JPEG, ImageType.PNG)

ERRORS = {
    400: ResponseSpec(ErrorBody, description="The request or the picture is not usable; errorCode says why"),
    401: ResponseSpec(ErrorBody, description="No, a wrong or an expired token: AUTH001"),
    413: ResponseSpec(ErrorBody, description="The body is too large"),
    415: ResponseSpec(ErrorBody, description="The body is compressed, or not in UTF-8"),
    429: ResponseSpec(ErrorBody, description="The limit is exceeded: LIMIT001; Retry-After says for how long"),
    500: ResponseSpec(ErrorBody, description="A fault of the service"),
    503: ResponseSpec(ErrorBody, description="Busy, or not available now; Retry-After says when to try again"),
}
SECURED: list[dict[str, list[str]]] = [{"bearer": []}]

S = TypeVar("S", contracts.Verified, contracts.Identified)


def new_tx_id() -> str:
    """A transaction's id as the document shows it: `tx_` and 12 hexadecimal digits."""
    return f"tx_{secrets.token_hex(6)}"


@post(
    "/auth/client/token",
    status_code=200,
    request_max_body_size=CREDENTIALS_BYTES,
    operation_id="issueToken",
    summary="Issue a token",
    description="Give the keys, get a bearer token that is valid for one hour.",
    tags=["auth"],
    response_description="The token",
    responses=ERRORS,
)
async def issue_token(request: Request[Any, Any, Any], data: schemas.TokenRequest) -> schemas.TokenAnswer:
    """A token for an access key and its secret."""
    token = await log_in(request, data.access_key, data.secret_key)
    return schemas.TokenAnswer(token=token)


class FaceController(Controller):
    """Register, verify, identify, compare, count, delete."""

    path = "/face"
    guards = [bearer_guard]  # noqa: RUF012 — Litestar declares it on the instance
    tags = ["face"]  # noqa: RUF012
    responses = ERRORS
    security = SECURED

    @post(
        "/register",
        status_code=200,
        operation_id="registerFace",
        operation="register",
        summary="Register a user's face",
        response_description="Done",
        responses=ERRORS,
    )
    async def register(self, request: Request[Any, Any, Any], data: schemas.RegisterRequest) -> schemas.Done:
        """Needed once before verify and identify. A known userCode is FR004."""
        call = call_of(request)
        operation = contracts.RegisterFace(user_code=data.user_code, name=data.name)
        await call.ask(operation, _images(call, data.image), contracts.Registered)
        return schemas.Done(tx_id=call.tx_id)

    @post(
        "/verify",
        status_code=200,
        operation_id="verifyFace",
        operation="verify",
        summary="Is it the registered user?",
        response_description="Done",
        responses=ERRORS,
    )
    async def verify(self, request: Request[Any, Any, Any], data: schemas.VerifyRequest) -> schemas.VerifyAnswer:
        """Compare a picture with a registered face. Another person is no error: `matched` is false."""
        call = call_of(request)
        operation = contracts.VerifyFace(user_code=data.user_code, context=data.context or Context.GENERAL)
        images = _images(call, data.image)
        done, liveness = await _ask(call, operation, images, contracts.Verified, live=bool(data.with_liveness))
        return schemas.VerifyAnswer(
            tx_id=call.tx_id,
            score=_rounded(done.score),
            matched=done.matched,
            threshold=done.threshold,
            liveness=liveness,
        )

    @post(
        "/identify",
        status_code=200,
        operation_id="identifyFace",
        operation="identify",
        summary="Which registered user is it?",
        response_description="Done",
        responses=ERRORS,
    )
    async def identify(self, request: Request[Any, Any, Any], data: schemas.IdentifyRequest) -> schemas.IdentifyAnswer:
        """Search all registered users. Nobody matching is no error: `matched` is false, and there is no `uid`."""
        call = call_of(request)
        images = _images(call, data.image)
        operation = contracts.IdentifyFace()
        done, liveness = await _ask(call, operation, images, contracts.Identified, live=bool(data.with_liveness))
        return schemas.IdentifyAnswer(
            tx_id=call.tx_id,
            score=_rounded(done.score),
            matched=done.matched,
            uid=UNSET if done.user_code is None else done.user_code,
            name=UNSET if done.name is None else done.name,
            liveness=liveness,
        )

    @post(
        "/compare",
        status_code=200,
        operation_id="compareFaces",
        operation="compare",
        summary="Do two pictures show one person?",
        response_description="Done",
        responses=ERRORS,
    )
    async def compare(self, request: Request[Any, Any, Any], data: schemas.CompareRequest) -> schemas.CompareAnswer:
        """Compare two pictures; nothing needs to be registered."""
        call = call_of(request)
        images = _images(call, data.image1, data.image2)
        done = await call.ask(contracts.CompareFaces(), images, contracts.Compared)
        return schemas.CompareAnswer(tx_id=call.tx_id, score=_rounded(done.score), matched=done.matched)

    @post(
        "/count",
        status_code=200,
        operation_id="countFaces",
        operation="count",
        summary="How many faces, and where?",
        response_description="Done",
        responses=ERRORS,
    )
    async def count(self, request: Request[Any, Any, Any], data: schemas.CountRequest) -> schemas.CountAnswer:
        """Count faces and locate each. None is no error: `faceCnt` is 0."""
        call = call_of(request)
        done = await call.ask(contracts.CountFaces(), _images(call, data.image), contracts.FacesCounted)
        boxes = [[round(face.x), round(face.y), round(face.width), round(face.height)] for face in done.faces]
        return schemas.CountAnswer(tx_id=call.tx_id, face_cnt=len(boxes), faces=boxes)

    @delete(
        "/{userCode:str}",
        status_code=200,
        operation_id="deleteFace",
        operation="delete",
        summary="Delete a registered face",
        response_description="Done",
        responses=ERRORS,
    )
    async def forget(
        self,
        request: Request[Any, Any, Any],
        userCode: Annotated[str, Parameter(description="The user's code, percent-encoded")],  # noqa: N803
    ) -> schemas.Done:
        """Remove the user and every template of theirs."""
        call = call_of(request)
        await call.ask(contracts.DeleteUser(user_code=user_code(userCode)), (), contracts.UserDeleted)
        return schemas.Done(tx_id=call.tx_id)


def _images(call: Call, *texts: str) -> list[bytes]:
    return images_of_base64(*texts, types=IMAGE_TYPES, max_bytes=call.services.settings.http.max_image_bytes)


async def _ask(
    call: Call, operation: contracts.AnyOperation, images: list[bytes], want: type[S], *, live: bool
) -> tuple[S, schemas.Liveness | UnsetType]:
    """The face job, with the liveness check beside it where that is wanted."""
    if not live:
        return await call.ask(operation, images, want), UNSET
    done, checked = await ask_with_liveness(call, operation, images, want)
    liveness = schemas.Liveness(is_live=checked.is_live, score=_rounded(checked.score), threshold=checked.threshold)
    return done, liveness


def _rounded(score: float) -> float:
    return round(score, 4)
