"""Path parameters that may hold anything, read from the raw path.

A user code may be `a/b`, `a//b`, `..`, `count` or end in a slash. A router sees the decoded path, folds some of these
and takes others for its own routes. So before it sees the request, the rest of the raw path is taken off and put back
as one harmless segment that `user_code` reads again:

    DELETE /face/a%2Fb//   ->   DELETE /face/~612f622f2f   ->   "a/b//"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import unquote_to_bytes

from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ASGIApp, Receive, Scope, Send

_MARK = "~"
LONGEST_USER_CODE = 128


class RawTail(NamedTuple):
    """Requests of this method under this prefix end in one free parameter."""

    method: str
    prefix: str


def keep_raw_tails(app: ASGIApp, tails: Sequence[RawTail]) -> ASGIApp:
    """Wrap `app` so that these parameters reach it whole."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = cast("bytes", scope.get("raw_path") or b"").partition(b"?")[0]
            for tail in tails:
                prefix = tail.prefix.encode()
                if scope["method"] == tail.method and raw.startswith(prefix) and len(raw) > len(prefix):
                    scope["path"] = tail.prefix + _MARK + unquote_to_bytes(raw[len(prefix) :]).hex()
                    break
        await app(scope, receive, send)

    return wrapped


def user_code(segment: str) -> str:
    """The parameter that a segment stands for. Raises RefusedError where it can be no user code."""
    try:
        code = bytes.fromhex(segment.removeprefix(_MARK)).decode() if segment.startswith(_MARK) else segment
    except ValueError:
        raise refuse(Failure.BAD_REQUEST, "the path is not valid UTF-8") from None
    if len(code) > LONGEST_USER_CODE or any(char < " " or char == "\x7f" for char in code):
        raise refuse(Failure.BAD_REQUEST, "a userCode has 1 to 128 characters and no control characters")
    return code
