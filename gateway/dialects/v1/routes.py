"""The v1 API beside its faces: `/v1/auth/client/token` and `/v1/liveness/detect`."""

from __future__ import annotations

from typing import Any

from litestar import Request, post
from msgspec import UNSET

from gateway.auth.login import log_in
from gateway.bodies import CREDENTIALS_BYTES
from gateway.calls import bearer_guard, call_of
from gateway.dialects.v1 import schemas
from gateway.dialects.v1.common import ERRORS, SECURED, images_of, rounded
from gateway.dialects.v1.schemas import CheckType
from shared import contracts
from shared.contracts import Check, Kind
from shared.weights.cautions import caution

# None named: every check that the worker has.
CHECKS: dict[CheckType, tuple[Check, ...]] = {
    CheckType.ALL: (),
    CheckType.DEEPFAKE: (Check.DEEPFAKE,),
    CheckType.PHOTO: (Check.PHOTO,),
    CheckType.MASK: (Check.MASK,),
}
FIELDS = {Check.DEEPFAKE: "deepfake", Check.PHOTO: "photo_attack", Check.MASK: "mask"}


@post(
    "/v1/auth/client/token",
    status_code=200,
    request_max_body_size=CREDENTIALS_BYTES,
    operation_id="issueToken",
    summary="Issue a token",
    description="Give the keys, get a bearer token. It opens the root API, too.",
    tags=["auth"],
    response_description="The token",
    responses=ERRORS,
)
async def issue_token(request: Request[Any, Any, Any], data: schemas.TokenRequest) -> schemas.TokenAnswer:
    """A token for an access key and its secret."""
    token = await log_in(request, data.access_key, data.secret_key)
    call = call_of(request)
    return schemas.TokenAnswer(token=token, expires_in=call.services.tokens.ttl_s, trx_id=call.tx_id)


@post(
    "/v1/liveness/detect",
    status_code=200,
    guards=[bearer_guard],
    security=SECURED,
    operation_id="detectLiveness",
    operation="liveness",
    summary="Is the face a living person's?",
    tags=["liveness"],
    response_description="Done",
    responses=ERRORS,
)
async def detect_liveness(request: Request[Any, Any, Any], data: schemas.LivenessRequest) -> schemas.LivenessAnswer:
    """Look for a photo or screen held up, a forged face, a mask. An attack is no error: `isReal` is false."""
    call = call_of(request)
    operation = contracts.CheckLiveness(checks=CHECKS[data.check_type or CheckType.ALL])
    images = images_of(call, data.image)
    done = await call.ask(operation, images, contracts.LivenessChecked, kind=Kind.LIVENESS)
    checks = schemas.Checks(**{FIELDS[result.check]: result.attack for result in done.checks})
    cautions = {result.check: text for result in done.checks if (text := caution([result.model]))}
    return schemas.LivenessAnswer(
        is_real=done.is_live,
        confidence=rounded(done.score),
        checks=checks,
        trx_id=call.tx_id,
        notice="; ".join(f"{check}: {text}" for check, text in cautions.items()) or UNSET,
    )
