"""Parts of a worker that may break, engines and checks, and how each is left out meanwhile.

    closed ──FAILURES in a row──> open ──retry_s──> half open ──probe fails──> open
      ^                                                └──────── probe succeeds ──> closed

A part fails when it raises, or takes longer than a limit; what is wrong with a picture is no failure. While its
circuit is open nobody asks it. The probe loads it afresh from its weights and runs it twice, in the background, so that
no caller waits for a broken part and a mended file, driver or card is noticed without a restart. A part that could not
be loaded at all is simply open from the start. One whose GPU is lost to this process (see `onnx.lost_device`) ends the
process: the others' answers go out first, and a new process begins afresh.
"""

from __future__ import annotations

import asyncio
import logging
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from shared import contracts
from shared.contracts import PartState
from shared.metrics import measures
from workers.inference.onnx import lost_device
from workers.runtime.process import ProcessBrokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

log = logging.getLogger(__name__)


class Breakable(Protocol):
    """What a circuit needs of an engine, a detector or a check."""

    @property
    def model_id(self) -> str:
        """What is loaded."""
        ...

    @property
    def networks(self) -> tuple[contracts.LoadedNetwork, ...]:
        """What it computes with."""
        ...

    def warm_up(self) -> None:
        """Run everything once. Raises whatever a broken one raises."""
        ...


P = TypeVar("P", bound=Breakable)
R = TypeVar("R")

# One failure may be an odd picture; two in a row are the part.
FAILURES = 2
# A file is read and a network built: longer than a call, and nobody waits for it.
LOAD_S = 60.0


class Compute(Protocol):
    """Runs blocking work in a thread."""

    async def __call__(self, work: Callable[..., R], *args: object) -> R:
        """What `work` returns."""
        ...


class PartFailedError(Exception):
    """This part gave no answer; another one may."""


class State(StrEnum):
    """Of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class PartSlot(Generic[P]):
    """One part, loaded or not, and its circuit. `what` is what it is called in the log."""

    def __init__(self, name: str, load: Callable[[], P], *, what: str, limit_s: float, retry_s: float) -> None:
        self.name = name
        self.part: P | None = None
        self.state = State.OPEN
        self.reason = "not loaded yet"
        self._load = load
        self._what = what
        self._limit_s = limit_s
        self._retry_s = retry_s
        self._failures = 0
        self._retry_at = 0.0
        # Its device is gone for this process, and only another process gets it back.
        self.lost = False

    @property
    def part_state(self) -> PartState:
        """As an outsider sees it: a probe under way is still a failure."""
        if self.state is State.CLOSED:
            return PartState.READY
        return PartState.FAILED if self.part else PartState.ABSENT

    async def run(self, compute: Compute, work: Callable[..., R], *args: object) -> R:
        """`work(part, *args)` in a thread. Raises PartFailedError where the circuit is open, and for a failure.

        Work that takes too long is left to end by itself in its thread; nobody waits for it any more.
        """
        part = self.part
        if part is None or self.state is not State.CLOSED:
            raise PartFailedError(self.name)
        try:
            result = await asyncio.wait_for(compute(work, part, *args), self._limit_s)
        except TimeoutError:
            self._failed(f"no answer within {self._limit_s:.1f} s")
            raise PartFailedError(self.name) from None
        except Exception as error:
            # Whatever it raises (a fault of ONNX Runtime, no memory, a dead process) is its failure, not the call's.
            self._failed(f"{type(error).__name__}: {error}")
            self.lost |= lost_device(error)
            raise PartFailedError(self.name) from error
        self._failures = 0
        return result

    async def probe(self) -> None:
        """Try to load and run it, where it is time to. Never raises."""
        if self.state is State.CLOSED or time.monotonic() < self._retry_at:
            return
        self._become(State.HALF_OPEN)
        started = time.monotonic()
        try:
            part = await asyncio.wait_for(asyncio.to_thread(self._loaded), LOAD_S)
        except Exception as error:  # noqa: BLE001 — see `run`
            self._open(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
            self.lost |= lost_device(error) and self.part is not None
            return
        self.part, self._failures = part, 0
        self._become(State.CLOSED)
        measures.LOAD_SECONDS.labels(self.name).set(time.monotonic() - started)
        log.info("%s %s is ready, model %s", self._what, self.name, part.model_id)

    def _loaded(self) -> P:
        part = self._load()
        part.warm_up()
        started = time.monotonic()
        part.warm_up()
        if (took_s := time.monotonic() - started) > self._limit_s:
            raise TimeoutError(f"a run took {took_s:.1f} s")
        return part

    def _failed(self, reason: str) -> None:
        self._failures += 1
        measures.PART_FAILURES.labels(self.name).inc()
        log.warning("%s %s failed: %s", self._what, self.name, reason)
        if self._failures >= FAILURES and self.state is State.CLOSED:
            self._open(reason)

    def _open(self, reason: str) -> None:
        # Said once: a part without weights is tried again for as long as the worker lives.
        if reason != self.reason or self.state is State.CLOSED:
            log.warning("%s %s is off: %s", self._what, self.name, reason)
        self.reason = reason
        self._become(State.OPEN)
        self._retry_at = time.monotonic() + self._retry_s

    def _become(self, state: State) -> None:
        self.state = state
        for each in State:
            measures.CIRCUITS.labels(self.name, each).set(each is state)
        measures.PART_FAILURES.labels(self.name).inc(0)


async def first_answer(
    slots: Iterable[PartSlot[P]], compute: Compute, work: Callable[..., R], *args: object
) -> R | None:
    """`work(part, *args)` in a thread, with the first part that does not break over it. None where none is left.

    What `work` does counts into the part's time limit.
    """
    for slot in slots:
        try:
            return await slot.run(compute, work, *args)
        except PartFailedError:
            continue
    return None


class Parts(Generic[P]):
    """Parts of one kind in one worker process, in the order in which they are asked.

    With `one_is_enough` only the first that works is loaded, and the others while it is off.
    """

    def __init__(
        self,
        loaders: Mapping[str, Callable[[], P]],
        *,
        limit_s: float,
        retry_s: float,
        what: str = "engine",
        one_is_enough: bool = False,
    ) -> None:
        self._slots = [
            PartSlot(name, load, what=what, limit_s=limit_s, retry_s=retry_s) for name, load in loaders.items()
        ]
        self._retry_s = retry_s
        self._one_is_enough = one_is_enough

    async def load(self) -> None:
        """Load what can be loaded and is needed."""
        if not self._one_is_enough:
            await asyncio.gather(*(slot.probe() for slot in self._slots))
            return
        for slot in self._slots:
            await slot.probe()
            if slot.state is State.CLOSED:
                return

    async def mend(self) -> None:
        """Probe what is off and needed, until cancelled. Raises ProcessBrokenError for what is past it."""
        while True:
            await asyncio.sleep(min(1.0, self._retry_s))
            for slot in self._slots:
                if slot.lost:
                    raise ProcessBrokenError(f"{slot.name} has lost its device: {slot.reason}")
            await self.load()

    def in_order(self, first: str | None = None) -> Sequence[PartSlot[P]]:
        """Those that may be asked now; `first`, where it is one of them, before the others."""
        ready = [slot for slot in self._slots if slot.state is State.CLOSED]
        return sorted(ready, key=lambda slot: slot.name != first)

    def describe(self) -> Sequence[contracts.Part]:
        """The state of each, for whoever asks this worker how it is."""
        return [
            contracts.Part(
                name=slot.name,
                state=slot.part_state,
                model=slot.part.model_id if slot.part else None,
                # Engines have one, checks do not.
                detector=getattr(slot.part, "detector", None),
                networks=slot.part.networks if slot.part else (),
            )
            for slot in self._slots
        ]

    def all(self) -> Sequence[PartSlot[P]]:
        """Every one, whatever its state."""
        return self._slots
