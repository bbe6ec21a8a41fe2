"""What a route reads its body from: small bodies in a short time, and JSON as clients write it.

A route without pictures says so by its `request_max_body_size`. Its body is a few hundred bytes, and whoever needs
longer than SMALL_S for them is no caller.

In JSON a UTF-8 byte order mark is let pass, and another encoding is refused by its name.

RFC 8259, section 8.1, asks for UTF-8 and allows a reader to ignore a byte order mark, which Windows' editors and
PowerShell put before a file. PowerShell's `>` writes UTF-16. In JSON, which begins with ASCII and has no NUL, that can
be told from the first bytes, and so can a file that was compressed.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Request
from litestar.serialization import decode_json

from gateway.bodies import LIMIT_S, SMALL_BYTES, SMALL_S
from gateway.refusals import refuse
from shared.contracts import Failure

_BOM = b"\xef\xbb\xbf"
# How each begins, with a byte order mark or without: JSON's first character is ASCII, and never NUL.
_FOREIGN = {
    "UTF-32": re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|[^\0]\0\0\0|\0\0\0[^\0]"),
    "UTF-16": re.compile(rb"(?:\xff\xfe)?[^\0]\0|(?:\xfe\xff)?\0[^\0]"),
    "compressed with gzip": re.compile(rb"\x1f\x8b"),
}


class ApiRequest(Request[Any, Any, Any]):
    """What the gateway's routes are given."""

    async def body(self) -> bytes:
        """The whole body. Raises as Litestar does where it is too large, and RefusedError where it comes too late."""
        most = self.route_handler.resolve_request_max_body_size()
        if most is not None and most <= SMALL_BYTES:
            self.scope["state"][LIMIT_S] = SMALL_S
        return await super().body()

    async def json(self) -> Any:
        """The body's JSON. Raises RefusedError for a body of another encoding, else as Litestar does."""
        body = await self.body()
        if (encoding := _foreign(body)) is not None:
            raise refuse(Failure.UNSUPPORTED_BODY, f"the body is {encoding}; send JSON in UTF-8, as it is")
        if body.startswith(_BOM):
            return decode_json(body[len(_BOM) :] or b"null", type_decoders=self.route_handler.resolve_type_decoders())
        return await super().json()


def _foreign(body: bytes) -> str | None:
    """What the body is encoded in; None where it may be UTF-8."""
    return next((name for name, begins in _FOREIGN.items() if begins.match(body)), None)
