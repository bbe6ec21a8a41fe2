"""Calls that come: as fast as so many clients can (to find what the machine does), or so many a second, come what may.

The second is what a service meets: those who call do not wait for one another, and do not stop because it is slow.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import httpx

from tests.soak.calls import GRACE_S, TRIES, Caller, Request, Settled, judge
from tests.soak.stand import DEADLINE_S

if TYPE_CHECKING:
    from collections.abc import Callable

# A gateway that was killed is started again after half a second, and listens after two.
PAUSE_S = 0.3


class Load:
    """Sends through both gateways in turn. `may_break`: may a connection break now, since a gateway was killed?"""

    def __init__(self, caller: Caller, urls: list[str], may_break: Callable[[], bool]) -> None:
        self.caller = caller
        self.settled: list[Settled] = []
        self.in_flight = 0
        self._urls = urls
        self._turn = 0
        self._may_break = may_break
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(DEADLINE_S + GRACE_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            headers=caller.headers,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, request: Request, *, counts: bool = True) -> Settled:
        """One call, until it is answered. Never raises."""
        settled = Settled(request.operation, time.monotonic())
        self.in_flight += 1
        try:
            await self._send(request, settled)
        finally:
            self.in_flight -= 1
            if counts:
                self.settled.append(settled)
        return settled

    async def _send(self, request: Request, settled: Settled) -> None:
        turn = self._turn = self._turn + 1
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        broke: list[str] = []
        for attempt in range(TRIES):
            url = self._urls[(turn + attempt) % len(self._urls)] + request.path
            try:
                answer = await self._client.request(request.method, url, content=request.body, headers=headers)
            except httpx.TimeoutException:
                settled.violation = "no answer in time"
                return
            except httpx.TransportError as error:
                if not self._may_break():
                    settled.violation = f"a connection broke, and no gateway had been killed: {error!r}"
                    return
                settled.retried += 1
                broke.append(f"{type(error).__name__} {error}")
                await asyncio.sleep(PAUSE_S * attempt)
                continue
            settled.seconds = time.monotonic() - settled.began
            judge(request, settled, answer)
            return
        settled.violation = f"no gateway took it in {TRIES} tries: {', '.join(broke)}"

    async def closed(self, clients: int, seconds: float) -> float:
        """So many clients that wait for each answer; how many results a second there were."""
        until, done = time.monotonic() + seconds, 0

        async def client() -> None:
            nonlocal done
            while time.monotonic() < until:
                settled = await self.send(self.caller.next())
                done += settled.failure is None and not settled.violation

        began = time.monotonic()
        await asyncio.gather(*(client() for _ in range(clients)))
        return done / (time.monotonic() - began)

    async def open(self, rate: float, seconds: float, seed: int) -> None:
        """`rate` calls a second at random moments (a Poisson process), and the end of the last one."""
        chance, tasks = random.Random(seed), set[asyncio.Task[Settled]]()
        at, until = time.monotonic(), time.monotonic() + seconds
        while at < until:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            task = asyncio.create_task(self.send(self.caller.next()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            at += chance.expovariate(rate)
        if tasks:
            await asyncio.wait(tasks)
