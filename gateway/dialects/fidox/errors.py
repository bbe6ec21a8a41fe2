"""The root API's errors: from `contracts.Failure` to status, errorCode and message.

FR001 to FR005, AUTH001 and LIMIT001 are the document's; the others are this product's, in the same form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from litestar import Response

from gateway.refusals import error_headers
from shared.contracts import Failed, Failure

if TYPE_CHECKING:
    from gateway.calls import Call


class ErrorBody(msgspec.Struct, rename="camel"):
    """What every error of the root API looks like."""

    status_code: int
    error_code: str
    message: str


class Code(NamedTuple):
    """One row of the table."""

    status: int
    code: str
    message: str


# The document has one code for all of them: which key was wrong is told to nobody.
AUTHENTICATION_FAILED = Code(401, "AUTH001", "Authentication failed")

CODES: dict[Failure, Code] = {
    Failure.NO_FACE: Code(400, "FR001", "Face not detected in image"),
    Failure.MULTIPLE_FACES: Code(400, "FR002", "Multiple faces detected in image"),
    Failure.NOT_ENROLLED: Code(400, "FR003", "User is not registered"),
    Failure.ALREADY_ENROLLED: Code(400, "FR004", "User is already registered"),
    Failure.LOW_QUALITY: Code(400, "FR005", "Image quality is not sufficient"),
    Failure.FACE_MISMATCH: Code(400, "FR006", "Face does not match the registered user"),
    Failure.BAD_IMAGE: Code(400, "IMG001", "Image cannot be read"),
    Failure.UNSUPPORTED_IMAGE: Code(400, "IMG002", "Image format is not supported"),
    Failure.IMAGE_TOO_LARGE: Code(400, "IMG003", "Image is too large"),
    Failure.NO_DOCUMENT: Code(400, "IMG004", "ID document not detected in image"),
    Failure.WRONG_DOCUMENT: Code(400, "IMG005", "ID document is of another type"),
    Failure.BAD_REQUEST: Code(400, "REQ001", "Request is not valid"),
    Failure.BODY_TOO_LARGE: Code(413, "REQ002", "Request body is too large"),
    Failure.UNSUPPORTED_BODY: Code(415, "REQ006", "Request body is encoded in a way that is not supported"),
    Failure.NOT_FOUND: Code(404, "REQ003", "There is nothing at this path"),
    Failure.CONFLICT: Code(409, "REQ005", "There is one already"),
    Failure.METHOD_NOT_ALLOWED: Code(405, "REQ004", "This path does not take this method"),
    Failure.UNAUTHENTICATED: AUTHENTICATION_FAILED,
    Failure.WRONG_ACCESS_KEY: AUTHENTICATION_FAILED,
    Failure.WRONG_SECRET_KEY: AUTHENTICATION_FAILED,
    Failure.EXPIRED_TOKEN: AUTHENTICATION_FAILED,
    Failure.EXPIRED_TENANT_TOKEN: AUTHENTICATION_FAILED,
    Failure.FORBIDDEN: Code(403, "AUTH002", "This is not allowed"),
    Failure.RATE_LIMITED: Code(429, "LIMIT001", "API call limit exceeded"),
    Failure.ENGINE_UNAVAILABLE: Code(503, "SYS001", "The service for this call is not available"),
    Failure.OVERLOADED: Code(503, "SYS002", "The service is busy"),
    Failure.DEADLINE: Code(503, "SYS003", "The service did not answer in time"),
    Failure.STORE_UNAVAILABLE: Code(503, "SYS004", "The service is not ready"),
    Failure.UNKNOWN_OPERATION: Code(503, "SYS005", "The service is being upgraded"),
    Failure.OCR_FAILED: Code(503, "SYS006", "The ID document could not be read"),
    Failure.NOT_ENABLED: Code(501, "SYS007", "This is switched off here"),
    Failure.INTERNAL: Code(500, "SYS000", "Internal server error"),
}


def render(outcome: Failed, _call: Call) -> Response[ErrorBody]:
    """An error as the document has it, with the headers that HTTP asks for."""
    status, code, message = CODES[outcome.failure]
    if outcome.image:
        message = f"{message} (image {outcome.image + 1})"
    if outcome.detail:
        message = f"{message}: {outcome.detail}"
    return Response(
        ErrorBody(status_code=status, error_code=code, message=message),
        status_code=status,
        headers=error_headers(outcome, status),
        media_type="application/json",
    )
