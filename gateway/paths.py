"""How a path is read: once, before anything looks at it, so that dialects, router and guards all see the same one.

Slashes in a row count as one, as they do for the router: a base URL that ends in a slash makes `//face/count`, which is
`/face/count`. A control character becomes U+FFFD, so that no route, and no file's name, has one. HEAD is answered as
GET is, without the body, which the server leaves out.

A path parameter that may hold anything is kept from all that. A user code may be `a/b`, `a//b`, `..`, `count` or end in
a slash, and a router sees the decoded path, folds some of these and takes others for its own routes. So the rest of the
raw path is taken off and put back as one harmless segment that `user_code` reads again:

    DELETE /face/a%2Fb//   ->   DELETE /face/~612f622f2f   ->   "a/b//"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import unquote_to_bytes

from gateway.refusals import refuse
from gateway.text import has_controls, without_controls
from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ASGIApp, Receive, Scope, Send

_MARK = "~"
_SLASHES = re.compile("//+")
LONGEST_USER_CODE = 128


class RawTail(NamedTuple):
    """Requests of this method under this prefix, which ends in a slash, end in one free parameter."""

    method: str
    prefix: str

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """The prefix as a raw path may begin; its last slash is the last that is not the parameter's."""
        segments = self.prefix.strip("/").split("/")
        return re.compile(b"".join(b"/+" + re.escape(segment.encode()) for segment in segments) + b"/")


def read_paths(app: ASGIApp, tails: Sequence[RawTail]) -> ASGIApp:
    """Wrap `app` so that it sees paths with single slashes, GET for HEAD, and the free parameters whole."""
    patterns = [(tail, tail.pattern) for tail in tails]

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["method"] == "HEAD":
                scope["method"] = "GET"
            scope["path"] = without_controls(_SLASHES.sub("/", scope["path"]))
            raw = cast("bytes", scope.get("raw_path") or b"").partition(b"?")[0]
            for tail, pattern in patterns:
                if scope["method"] == tail.method and (start := pattern.match(raw)) and len(raw) > start.end():
                    scope["path"] = tail.prefix + _MARK + unquote_to_bytes(raw[start.end() :]).hex()
                    break
        await app(scope, receive, send)

    return wrapped


def user_code(segment: str) -> str:
    """The parameter that a segment stands for. Raises RefusedError where it can be no user code."""
    try:
        code = bytes.fromhex(segment.removeprefix(_MARK)).decode() if segment.startswith(_MARK) else segment
    except ValueError:
        raise refuse(Failure.BAD_REQUEST, "the path is not valid UTF-8") from None
    if len(code) > LONGEST_USER_CODE or has_controls(code):
        raise refuse(Failure.BAD_REQUEST, "a userCode has 1 to 128 characters and no control characters")
    return code
