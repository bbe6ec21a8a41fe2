"""How a call is refused: one exception that carries a `contracts.Failed`, and what Litestar raises turned into it.

Every error of every dialect goes this way: a route, a guard or the framework raises, `failure_of` says what it means
in the product's own vocabulary, and the dialect whose path it was renders it (see `gateway/dialects`).
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, cast

from litestar.exceptions import HTTPException, SerializationException

from gateway.text import CONTROLS_REFUSED
from shared.contracts import Failure, failed

if TYPE_CHECKING:
    from shared import contracts

log = logging.getLogger(__name__)

_BY_STATUS = {
    400: Failure.BAD_REQUEST,
    401: Failure.UNAUTHENTICATED,
    403: Failure.FORBIDDEN,
    404: Failure.NOT_FOUND,
    405: Failure.METHOD_NOT_ALLOWED,
    409: Failure.CONFLICT,
    413: Failure.BODY_TOO_LARGE,
    415: Failure.UNSUPPORTED_BODY,
    429: Failure.RATE_LIMITED,
}

# What these are outside every dialect, each of which has a table of its own.
STATUSES = {failure: status for status, failure in _BY_STATUS.items()}

_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")
# What msgspec says of these is right, and of little help to somebody who never saw the schema.
_PLAIN_WORDS = {
    "Invalid enum value": "not one of the documented values",
    "Expected `str` matching regex": CONTROLS_REFUSED,
}


class RefusedError(Exception):
    """The call is not done. `recorded` says that a worker has written its transaction already."""

    def __init__(self, outcome: contracts.Failed, *, recorded: bool = False) -> None:
        super().__init__(outcome.failure)
        self.outcome = outcome
        self.recorded = recorded


def refuse(failure: Failure, detail: str = "", *, image: int | None = None) -> RefusedError:
    """What `raise` is given to end a call."""
    return RefusedError(failed(failure, detail, image=image))


def error_headers(outcome: contracts.Failed, status: int, challenge: str = "Bearer") -> dict[str, str]:
    """What HTTP asks of an error's answer, whatever the dialect; `challenge` is how its callers say who they are."""
    headers: dict[str, str] = {}
    if outcome.retry_after_s is not None or status == 503:
        # Every 503 passes: one that nobody gave a time is worth another try soon.
        headers["Retry-After"] = str(outcome.retry_after_s or 1)
    if status == 415:
        # RFC 9110, 15.5.16: what would have been taken.
        headers["Accept-Encoding"] = "identity"
    if status == 401:
        headers["WWW-Authenticate"] = challenge
    return headers


def failure_of(error: Exception) -> contracts.Failed:
    """What an exception means for the caller. A bug is INTERNAL: logged here with its trace, and told to nobody."""
    if isinstance(error, RefusedError):
        return error.outcome
    if isinstance(error, SerializationException | RecursionError | UnicodeDecodeError):
        return failed(Failure.BAD_REQUEST, "the body is not valid JSON")
    if isinstance(error, HTTPException):
        failure = _BY_STATUS.get(error.status_code)
        if failure is not None:
            return failed(failure, _complaint(error) if failure is Failure.BAD_REQUEST else "")
    log.error("a request failed", exc_info=error)
    return failed(Failure.INTERNAL)


def _complaint(error: HTTPException) -> str:
    """What is wrong with which field: names of ours and msgspec's words, and nothing of what was sent."""
    extra: object = error.extra
    entry: object = extra[0] if isinstance(extra, list) and extra else None
    if not isinstance(entry, dict):
        # Litestar says it in a sentence, which quotes the path.
        missing = _MISSING.match(error.detail)
        return f"{missing[1]}: it is missing" if missing else "the body is not valid JSON"
    found = cast("dict[str, object]", entry)
    message, field = str(found.get("message", "")), str(found.get("key") or "data")
    # Litestar calls the whole body "data"; where there is none, that word is all it says.
    if message == "'data'":
        return "the body is empty"
    message = in_plain_words(message)
    return message if field == "data" else f"{field}: {message}"


def in_plain_words(message: str) -> str:
    """What msgspec says is wrong with a value, for somebody who never saw the schema."""
    return next((plain for start, plain in _PLAIN_WORDS.items() if message.startswith(start)), message)
