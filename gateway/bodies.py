"""Request bodies have an end in time: one that stalls, or is cut off, is refused in the dialect's own form.

Their size is bounded by Litestar (`FIDOX_MAX_BODY_BYTES`); without this a client that sends a byte a minute would
hold a connection, and what was read of its body, for as long as it likes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send


def bound_bodies(app: ASGIApp, limit_s: float) -> ASGIApp:
    """Wrap `app` so that a body arrives within `limit_s` of being asked for, or its reader is refused."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, _bounded(receive, limit_s) if scope["type"] == "http" else receive, send)

    return wrapped


def _bounded(receive: Receive, limit_s: float) -> Receive:
    until: float | None = None
    whole = False

    async def bounded() -> ReceiveMessage:
        nonlocal until, whole
        if whole:  # what is waited for now is the client's going away, and that may take its time
            return await receive()
        until = until or asyncio.get_running_loop().time() + limit_s
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise refuse(Failure.BAD_REQUEST, f"the body did not arrive within {limit_s:g} s") from None
        if message["type"] == "http.disconnect":
            raise refuse(Failure.BAD_REQUEST, "the connection ended before the body did")
        whole = not message.get("more_body", False)
        return message

    return bounded
