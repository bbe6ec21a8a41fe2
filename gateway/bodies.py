"""Request bodies end in time, and an answer that goes out before its body has come still arrives.

In time: a body that stalls, or is cut off, is refused in the dialect's own form. (Their size is bounded by Litestar,
`FIDOX_MAX_BODY_BYTES`; without a bound in time a client that sends a byte a minute would hold a connection, and what
was read of its body, for as long as it likes.)

All that are in hand together have a bound, too, in bytes: one more is refused as what does not fit the queue is.

An answer before its body: a call may be refused for its headers alone, while its body is still on the way. A server
that closes such a connection resets it, and the reset overtakes the answer: many clients (Node's fetch, Java's
HttpClient, Go's net/http, whatever writes all before it reads) then report a broken connection in place of the 401. So
what is left of the body is read and thrown away, as nginx's `lingering_close` does:

    small    read to its end before the answer goes out, and the connection stays open
    larger   the answer goes out at once with `Connection: close`; then the rest is read, within the bounds of
             `gateway/lingering.py`, and the connection is closed
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.lingering import Lingering
from gateway.refusals import RefusedError, refuse
from shared.contracts import Failure, failed

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

# Reading this much of an unwanted body, for this long, costs less than a new connection does.
UNWANTED_BYTES = 64 * 1024
UNWANTED_S = 1.0
# A token's or a login's: two names and their JSON. Whoever sends it is nobody yet.
CREDENTIALS_BYTES = 4 * 1024
# Any other without pictures, and the time for both.
SMALL_BYTES = 64 * 1024
SMALL_S = 5.0
# Where a request's state has a limit of its own in time, seconds.
LIMIT_S = "body_limit_s"
# All bodies that a process holds, in multiples of the largest: as much as the queue takes by default.
MOST_HELD = 8
# Content-Encoding: nothing is decompressed here, since a small body may become a very large one.
PLAIN = frozenset({b"", b"identity"})
COMPRESSED = frozenset({b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"compress"})


def bound_bodies(app: ASGIApp, limit_s: float, max_bytes: int) -> ASGIApp:
    """Wrap `app` so that a body arrives within `limit_s` of being asked for, and no answer is lost to an unread one.

    `max_bytes` is the largest body that is taken, in bytes; what is thrown away is bounded in proportion to it.
    """
    lingering, held = Lingering(max_bytes), _Held(MOST_HELD * max_bytes)

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        body = _Body(scope, receive, limit_s, held)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not await body.is_over():
                body.is_cut = True
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await app(scope, body.receive, answer)
        finally:
            held.bytes -= body.held
        if body.is_cut and not body.stalls:
            await lingering.discard(receive, scope["client"])

    return wrapped


class _Held:
    """How much of all bodies this process holds, from their coming in to their answers."""

    def __init__(self, most: int) -> None:
        self.bytes = 0
        self.most = most


class _Body:
    """Of one request, as it comes in."""

    def __init__(self, scope: HTTPScope, receive: Receive, limit_s: float, held: _Held) -> None:
        headers = dict(scope["headers"])
        self._length = int(headers.get(b"content-length", 0))
        self._encoding = headers.get(b"content-encoding", b"").strip().lower()
        self._whole = not self._length and b"transfer-encoding" not in headers
        # A later HTTP has no such header, and gives up one call's stream without the connection.
        self._may_close = scope["http_version"].startswith("1")
        self._receive = receive
        self._limit_s = limit_s
        self._state = scope["state"]
        self._until: float | None = None
        self._of_all = held
        # How much of it was read for its route, in bytes.
        self.held = 0
        # It does not come, or not in time.
        self.stalls = False
        # It was answered before its end.
        self.is_cut = False

    async def receive(self) -> ReceiveMessage:
        """The next piece. Raises a refusal where it does not come in time, or at all, or is compressed."""
        if self._encoding not in PLAIN and not self._whole:
            named = self._encoding.decode() if self._encoding in COMPRESSED else "this"
            raise refuse(Failure.UNSUPPORTED_BODY, f"Content-Encoding: {named} is not taken; send the body as it is")
        if self._whole:  # what is waited for now is the client's going away, and that may take its time
            return await self._receive()
        limit_s = min(self._limit_s, self._state.get(LIMIT_S, self._limit_s))
        self._until = self._until or asyncio.get_running_loop().time() + limit_s
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self.stalls = True
            raise refuse(Failure.BAD_REQUEST, f"the body did not arrive within {limit_s:g} s") from None
        if message["type"] == "http.disconnect":
            self.stalls = True
            raise refuse(Failure.BAD_REQUEST, "the connection ended before the body did")
        self._whole = not message.get("more_body", False)
        size = len(message.get("body", b""))
        if self._of_all.bytes + size > self._of_all.most:
            raise RefusedError(failed(Failure.OVERLOADED, "too many large requests at once", retry_after_s=1))
        self._of_all.bytes += size
        self.held += size
        return message

    async def is_over(self) -> bool:
        """Whether the connection can be used again: read what is left of the body, if that is not much."""
        if self._whole or not self._may_close:
            return True
        if self.stalls or self._length > UNWANTED_BYTES:
            return False
        left = UNWANTED_BYTES
        try:
            async with asyncio.timeout(UNWANTED_S):
                while left > 0:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        self.stalls = True
                        return False
                    if not message.get("more_body", False):
                        self._whole = True
                        return True
                    left -= len(message.get("body", b""))
        except TimeoutError:
            pass
        return False
