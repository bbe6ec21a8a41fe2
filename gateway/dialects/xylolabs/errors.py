"""The xylolabs API's errors: from `contracts.Failure` to a status and `{"detail": …}`.

The document has one form and no codes. A bad request is 400 here as in the other dialects; docs/xylolabs-api.md has the
table for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from litestar import Response

from gateway.refusals import error_headers
from shared.contracts import Failed, Failure

if TYPE_CHECKING:
    from gateway.calls import Call

ADMIN = "admin"


class ErrorBody(msgspec.Struct):
    """What every error of the xylolabs API looks like."""

    detail: str


class Row(NamedTuple):
    """One row of the table."""

    status: int
    message: str


ROWS: dict[Failure, Row] = {
    Failure.NO_FACE: Row(400, "no face in the image"),
    Failure.MULTIPLE_FACES: Row(400, "several faces in the image"),
    Failure.LOW_QUALITY: Row(400, "the face cannot be seen well enough"),
    Failure.NO_DOCUMENT: Row(400, "no ID document in the image"),
    Failure.WRONG_DOCUMENT: Row(400, "the ID document is of another type"),
    Failure.BAD_IMAGE: Row(400, "the image cannot be read"),
    Failure.UNSUPPORTED_IMAGE: Row(400, "the image format is not supported"),
    Failure.IMAGE_TOO_LARGE: Row(400, "the image is too large"),
    Failure.NOT_ENROLLED: Row(404, "there is no such user"),
    Failure.ALREADY_ENROLLED: Row(409, "there is such a user already"),
    Failure.FACE_MISMATCH: Row(409, "the face is another person's"),
    Failure.BAD_REQUEST: Row(400, "the request is not valid"),
    Failure.BODY_TOO_LARGE: Row(413, "the request body is too large"),
    Failure.UNSUPPORTED_BODY: Row(415, "the request body is encoded in a way that is not supported"),
    Failure.NOT_FOUND: Row(404, "there is nothing here"),
    Failure.CONFLICT: Row(409, "there is one already"),
    Failure.METHOD_NOT_ALLOWED: Row(405, "this path does not take this method"),
    Failure.NOT_ENABLED: Row(501, "this is switched off here"),
    Failure.UNAUTHENTICATED: Row(401, "not authenticated"),
    Failure.WRONG_ACCESS_KEY: Row(401, "not authenticated"),
    Failure.WRONG_SECRET_KEY: Row(401, "not authenticated"),
    Failure.EXPIRED_TOKEN: Row(401, "not authenticated"),
    Failure.EXPIRED_TENANT_TOKEN: Row(401, "not authenticated"),
    Failure.FORBIDDEN: Row(403, "this is not allowed"),
    Failure.RATE_LIMITED: Row(429, "too many requests"),
    Failure.OCR_FAILED: Row(503, "the ID document could not be read"),
    Failure.ENGINE_UNAVAILABLE: Row(503, "the service for this call is not available"),
    Failure.OVERLOADED: Row(503, "the service is busy"),
    Failure.DEADLINE: Row(503, "the service did not answer in time"),
    Failure.STORE_UNAVAILABLE: Row(503, "the service is not ready"),
    Failure.UNKNOWN_OPERATION: Row(503, "the service is being upgraded"),
    Failure.INTERNAL: Row(500, "internal server error"),
}


def render(outcome: Failed, call: Call) -> Response[ErrorBody]:
    """An error as the document has it: the detail of what went wrong, where there is one, after the general words."""
    status, message = ROWS[outcome.failure]
    if outcome.detail and outcome.detail != message:
        message = f"{message}: {outcome.detail}"
    # A browser that is told "Basic" asks for a password in a window of its own, over the console's login page.
    challenge = "Cookie" if call.operation == ADMIN else "ApiKey"
    headers = {"X-Request-Id": call.tx_id, **error_headers(outcome, status, challenge)}
    return Response(ErrorBody(detail=message), status_code=status, headers=headers, media_type="application/json")
