"""The v1 API's faces: `/v1/fr/…`."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, delete, get, post
from litestar.params import Parameter

from gateway.calls import bearer_guard, call_of
from gateway.dialects.v1 import schemas
from gateway.dialects.v1.common import ERRORS, SECURED, images_of, rounded
from gateway.engines import ask_engines
from gateway.paths import user_code
from shared import contracts
from shared.contracts import Context


class FaceController(Controller):
    """Register, verify, compare, count, delete, and how the engines are."""

    path = "/v1/fr"
    guards = [bearer_guard]  # noqa: RUF012 — Litestar declares it on the instance
    tags = ["fr"]  # noqa: RUF012
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
    async def register(self, request: Request[Any, Any, Any], data: schemas.RegisterRequest) -> schemas.RegisterAnswer:
        """Needed once before verify. A known userCode with the same person's face is renewed, with another's 40924."""
        call = call_of(request)
        operation = contracts.RegisterFace(user_code=data.user_code, renew=True, engine=data.engine)
        await call.ask(operation, images_of(call, data.image), contracts.Registered)
        return schemas.RegisterAnswer(trx_id=call.tx_id)

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
        """Compare a picture with a registered face. Another person is no error: `isMatch` is false."""
        call = call_of(request)
        context = data.context or Context.GENERAL
        operation = contracts.VerifyFace(user_code=data.user_code, context=context, engine=data.engine)
        done = await call.ask(operation, images_of(call, data.image), contracts.Verified)
        return schemas.VerifyAnswer(
            score=rounded(done.score),
            is_match=done.matched,
            threshold=done.threshold,
            engine=done.engine or "",
            trx_id=call.tx_id,
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
        """Compare two pictures, such as an ID card and a selfie; nothing needs to be registered."""
        call = call_of(request)
        operation = contracts.CompareFaces(engine=data.engine)
        done = await call.ask(operation, images_of(call, data.image1, data.image2), contracts.Compared)
        return schemas.CompareAnswer(
            score=rounded(done.score),
            is_match=done.matched,
            threshold=done.threshold,
            engine=done.engine or "",
            trx_id=call.tx_id,
        )

    @post(
        "/count",
        status_code=200,
        operation_id="countFaces",
        operation="count",
        summary="How many faces?",
        response_description="Done",
        responses=ERRORS,
    )
    async def count(self, request: Request[Any, Any, Any], data: schemas.CountRequest) -> schemas.CountAnswer:
        """Count faces. None is no error: `count` is 0."""
        call = call_of(request)
        done = await call.ask(contracts.CountFaces(), images_of(call, data.image), contracts.FacesCounted)
        return schemas.CountAnswer(count=len(done.faces), trx_id=call.tx_id)

    @delete(
        "/register/{userCode:str}",
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
    ) -> schemas.DeleteAnswer:
        """Remove the user and every template of theirs, in every engine."""
        call = call_of(request)
        await call.ask(contracts.DeleteUser(user_code=user_code(userCode)), (), contracts.UserDeleted)
        return schemas.DeleteAnswer()

    @get(
        "/engines",
        operation_id="listEngines",
        operation="engines",
        summary="How are the engines?",
        response_description="Done",
        responses=ERRORS,
    )
    async def engines(self, request: Request[Any, Any, Any]) -> schemas.EnginesAnswer:
        """Each engine's state: `ready` in one worker process at least, `failed`, or `absent` (no weights for it)."""
        call = call_of(request)
        engines = [
            schemas.EngineState(
                name=engine.name,
                state=engine.state,
                ready=engine.ready,
                processes=engine.processes,
                model=engine.model,
            )
            for engine in await ask_engines(call)
        ]
        return schemas.EnginesAnswer(engines=engines, trx_id=call.tx_id)
