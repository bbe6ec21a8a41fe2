"""Reading on after an answer: what a client still sends is thrown away, so that the answer is what it sees.

Whoever may be refused may use this, without any credentials. So it is bounded in every direction, and where a bound is
reached the connection is closed as it was before: the client may see a broken connection, and the gateway is no worse.

    bytes       a multiple of the largest body that is taken; nothing of it is kept in memory
    time        in all, and for each piece: a client that has stopped sending has stopped for good, or is no friend
    at once     in this process, and from one address, far below the connections that the server holds
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from gateway.auth.addresses import UNKNOWN, counted_as

if TYPE_CHECKING:
    from litestar.types import Receive

# A body that is refused for its size is larger than the largest: four photos where two fit. Past this even a client
# that reads nothing before all is written learns from the broken connection that it sends far too much.
TIMES_LARGEST = 4
# nginx's `lingering_time`: 14 MB at 4 Mbit/s.
TOTAL_S = 30.0
# Ordinary clients send without a pause, or close when they have read the answer.
PAUSE_S = 3.0
# The server takes 1,024 connections.
MOST_AT_ONCE = 64
MOST_OF_ADDRESS = 16


class Lingering:
    """One a process."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = TIMES_LARGEST * max_bytes
        self._addresses: Counter[str] = Counter()

    async def discard(self, receive: Receive, client: tuple[str, int] | None) -> None:
        """Read the rest of a body that nobody wants. Returns when it has ended, or when a bound is reached."""
        address = counted_as(client[0]) if client else UNKNOWN
        if self._addresses.total() >= MOST_AT_ONCE or self._addresses[address] >= MOST_OF_ADDRESS:
            return
        self._addresses[address] += 1
        try:
            async with asyncio.timeout(TOTAL_S):
                await self._read(receive)
        except TimeoutError:
            pass
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    async def _read(self, receive: Receive) -> None:
        left = self._max_bytes
        while left > 0:
            async with asyncio.timeout(PAUSE_S):
                message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return
            left -= len(message.get("body", b""))
