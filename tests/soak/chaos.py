"""What breaks, and when: rounds of everything there is, each in an order of its own, by a seed.

worker            SIGKILL of a face or liveness process: its supervisor starts another
worker supervisor SIGKILL of it and all its processes: the runner starts another
gateway           SIGKILL of a gateway with its processes
gateway process   SIGKILL of the process that serves: Granian starts another
redis             ended, or killed; everything in it is lost
postgres          a fast shutdown, or an immediate one, whose log is replayed at the start
… vanishes        every connection to it is swallowed: it takes data and gives none; new ones are answered
full disk         no room for pictures, for some seconds
hang              SIGSTOP of a face process, and SIGCONT after some seconds, or never: its supervisor finds it
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

import psutil

from tests.soak.stand import FACES, GATEWAYS, WORKERS, answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.soak.stand import Stand

KINDS = (
    "worker",
    "worker supervisor",
    "gateway",
    "gateway process",
    "redis",
    "redis vanishes",
    "postgres",
    "postgres vanishes",
    "full disk",
    "hang",
)
FULL_S = 4.0
HANG_S = 5.0
# Connections may break until a gateway that was killed listens again, and this long after: those tried just before.
# One that is not back within BACK_S is one that does not come back by itself.
AFTERMATH_S, BACK_S = 3.0, 90.0


class Event(NamedTuple):
    """What was done, in seconds since the start."""

    at_s: float
    kind: str
    detail: str


def schedule(seconds: float, gap_s: float, seed: int) -> list[tuple[float, str]]:
    """When what breaks. The last gap is left for the recovery."""
    chance, planned, at = random.Random(seed), list[tuple[float, str]](), gap_s / 2
    while at < seconds - gap_s:
        for kind in chance.sample(KINDS, len(KINDS)):
            planned.append((at, kind))
            at += gap_s * chance.uniform(0.8, 1.2)
    return [(at, kind) for at, kind in planned if at < seconds - gap_s]


class Chaos:
    """Does it. `events` is what was done so far."""

    def __init__(self, stand: Stand, seed: int, say: Callable[[str], None]) -> None:
        self.events: list[Event] = []
        self._stand = stand
        self._random = random.Random(seed + 1)
        self._say = say
        self._began = time.monotonic()
        self._gateway_killed = -AFTERMATH_S
        self._turns = {name: self._random.randrange(2) for name in KINDS}
        self._thaws = True
        self._later: set[asyncio.Task[None]] = set()

    def gateway_was_killed(self) -> bool:
        """Just now, or is one not back yet?"""
        return time.monotonic() - self._gateway_killed < AFTERMATH_S

    async def run(self, planned: list[tuple[float, str]]) -> None:
        self._began = time.monotonic()
        for at, kind in planned:
            await asyncio.sleep(max(0.0, self._began + at - time.monotonic()))
            detail = await asyncio.to_thread(self._break, kind)
            self.note(kind, detail)
            self._mend(kind)

    def note(self, kind: str, detail: str) -> None:
        """Say and remember what was done just now."""
        event = Event(time.monotonic() - self._began, kind, detail)
        self.events.append(event)
        self._say(f"{event.at_s:6.1f} s  {kind}: {detail}")

    async def end(self) -> None:
        """Undo what is not undone yet."""
        for task in self._later:
            task.cancel()
        await asyncio.to_thread(self._stand.disk.free)
        for name in WORKERS:
            self._stand.thaw(name)

    def _take_turns(self, kind: str, names: tuple[str, ...]) -> str:
        self._turns[kind] += 1
        return names[self._turns[kind] % len(names)]

    def _break(self, kind: str) -> str:
        if kind in {"gateway", "gateway process"}:
            self._gateway_killed = time.monotonic()
        return {
            "worker": lambda: self._signal(self._take_turns(kind, WORKERS), signal.SIGKILL),
            "worker supervisor": lambda: self._kill(self._take_turns(kind, WORKERS)),
            "gateway": lambda: self._kill(self._take_turns(kind, GATEWAYS)),
            "gateway process": lambda: self._signal(self._take_turns(kind, GATEWAYS), signal.SIGKILL),
            "redis": lambda: self._send(kind, self._random.choice([signal.SIGTERM, signal.SIGKILL])),
            "postgres": lambda: self._send(kind, self._random.choice([signal.SIGINT, signal.SIGQUIT])),
            "redis vanishes": lambda: self._vanish("redis"),
            "postgres vanishes": lambda: self._vanish("postgres"),
            "full disk": self._fill,
            "hang": self._hang,
        }[kind]()

    def _vanish(self, name: str) -> str:
        return f"{self._stand.vanish(name)} connections to {name} are swallowed"

    def _fill(self) -> str:
        self._stand.disk.fill()
        return f"for {FULL_S:.0f} s"

    def _hang(self) -> str:
        self._thaws = self._random.random() < 0.5
        told = self._signal(self._take_turns("hang", FACES), signal.SIGSTOP)
        return f"{told}, {f'for {HANG_S:.0f} s' if self._thaws else 'for good'}"

    def _mend(self, kind: str) -> None:
        """What goes by after some seconds."""
        if kind == "full disk":
            self._after(FULL_S, self._stand.disk.free)
        elif kind in {"gateway", "gateway process"}:
            self._after(0.5, self._see_it_back)
        elif kind == "hang" and self._thaws:
            for name in FACES:
                self._after(HANG_S, lambda name=name: self._stand.thaw(name))

    def _see_it_back(self) -> None:
        until = time.monotonic() + BACK_S
        while time.monotonic() < until and not all(map(answers, self._stand.urls.values())):
            self._gateway_killed = time.monotonic()
            time.sleep(0.2)

    def _after(self, seconds: float, work: Callable[[], None]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(work)

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def _signal(self, name: str, number: signal.Signals) -> str:
        """Send it to one of a parent's processes."""
        processes = self._stand.processes(name)
        if not processes:
            return f"{name} has no process at the moment"
        process = self._random.choice(processes)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        return f"{number.name} to process {process.pid} of {name}"

    def _send(self, name: str, number: signal.Signals) -> str:
        process = self._stand.process(name)
        if process is None:
            return f"{name} is away at the moment"
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        return f"{number.name} to {name}"

    def _kill(self, name: str) -> str:
        """It and all that belongs to it: each child leads a group."""
        process = self._stand.process(name)
        if process is None:
            return f"{name} is away at the moment"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return f"SIGKILL to {name} and its processes"
