"""Engines that may break, and what stands in for them meanwhile.

    closed ──FAILURES in a row──> open ──retry_s──> half open ──probe fails──> open
      ^                                                └──────── probe succeeds ──> closed

An engine fails when it raises, or takes longer than a limit; what is wrong with a picture is no failure. While its
circuit is open nobody asks it. The probe loads it afresh from its weights and runs it twice, in the background, so that
no caller waits for a broken engine and a mended file, driver or card is noticed without a restart. An engine that could
not be loaded at all is simply open from the start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from shared import contracts
from shared.contracts import PartState
from workers.runtime.onnx import lost_device
from workers.runtime.process import ProcessBrokenError

if TYPE_CHECKING:
    from workers.face.engines import Engine

log = logging.getLogger(__name__)

R = TypeVar("R")
Loader: TypeAlias = Callable[[], "Engine"]

# One failure may be an odd picture; two in a row are the engine.
FAILURES = 2
# A file is read and a network built: longer than a call, and nobody waits for it.
LOAD_S = 60.0


class Compute(Protocol):
    """Runs blocking work in a thread."""

    async def __call__(self, work: Callable[..., R], *args: object) -> R:
        """What `work` returns."""
        ...


class EngineFailedError(Exception):
    """This engine gave no answer; the next one may."""


class State(StrEnum):
    """Of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class EngineSlot:
    """One engine of the settings, loaded or not, and its circuit."""

    def __init__(self, name: str, load: Loader, *, limit_s: float, retry_s: float) -> None:
        self.name = name
        self.engine: Engine | None = None
        self.state = State.OPEN
        self.reason = "not loaded yet"
        self._load = load
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
        return PartState.FAILED if self.engine else PartState.ABSENT

    async def run(self, compute: Compute, work: Callable[..., R], *args: object) -> R:
        """`work(engine, *args)` in a thread. Raises EngineFailedError where the circuit is open, and for a failure.

        Work that takes too long is left to end by itself in its thread; nobody waits for it any more.
        """
        engine = self.engine
        if engine is None or self.state is not State.CLOSED:
            raise EngineFailedError(self.name)
        try:
            result = await asyncio.wait_for(compute(work, engine, *args), self._limit_s)
        except TimeoutError:
            self._failed(f"no answer within {self._limit_s:.1f} s")
            raise EngineFailedError(self.name) from None
        except Exception as error:
            # Whatever an engine raises (a fault of ONNX Runtime, no memory, a dead process) is its failure, and the
            # next engine's turn.
            self._failed(f"{type(error).__name__}: {error}")
            self.lost |= lost_device(error)
            raise EngineFailedError(self.name) from error
        self._failures = 0
        return result

    async def probe(self) -> None:
        """Try to load and run it, where it is time to. Never raises."""
        if self.state is State.CLOSED or time.monotonic() < self._retry_at:
            return
        self.state = State.HALF_OPEN
        try:
            engine = await asyncio.wait_for(asyncio.to_thread(self._loaded), LOAD_S)
        except Exception as error:  # noqa: BLE001 — see `run`
            self._open(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
            self.lost |= lost_device(error) and self.engine is not None
            return
        self.engine, self.state, self._failures = engine, State.CLOSED, 0
        log.info("engine %s is ready, model %s", self.name, engine.model_id)

    def _loaded(self) -> Engine:
        engine = self._load()
        engine.warm_up()
        started = time.monotonic()
        engine.warm_up()
        if (took_s := time.monotonic() - started) > self._limit_s:
            raise TimeoutError(f"a run took {took_s:.1f} s")
        return engine

    def _failed(self, reason: str) -> None:
        self._failures += 1
        log.warning("engine %s failed: %s", self.name, reason)
        if self._failures >= FAILURES and self.state is State.CLOSED:
            self._open(reason)

    def _open(self, reason: str) -> None:
        # Said once: an engine without weights is tried again for as long as the worker lives.
        if reason != self.reason or self.state is State.CLOSED:
            log.warning("engine %s is off: %s", self.name, reason)
        self.state, self.reason = State.OPEN, reason
        self._retry_at = time.monotonic() + self._retry_s


class Engines:
    """The engines of one worker process, in the order of the settings."""

    def __init__(self, loaders: Mapping[str, Loader], *, limit_s: float, retry_s: float) -> None:
        self._slots = [EngineSlot(name, load, limit_s=limit_s, retry_s=retry_s) for name, load in loaders.items()]
        self._retry_s = retry_s

    async def load(self) -> None:
        """Load what can be loaded, all at the same time."""
        await asyncio.gather(*(slot.probe() for slot in self._slots))

    async def mend(self) -> None:
        """Probe what is off, until cancelled. Raises ProcessBrokenError where only a new process mends an engine."""
        while True:
            await asyncio.sleep(min(1.0, self._retry_s))
            for slot in self._slots:
                if slot.lost:
                    raise ProcessBrokenError(f"engine {slot.name} has lost its device: {slot.reason}")
            await asyncio.gather(*(slot.probe() for slot in self._slots))

    def in_order(self, first: str | None = None) -> Sequence[EngineSlot]:
        """Those that may be asked now; `first`, where it is one of them, before the others."""
        ready = [slot for slot in self._slots if slot.state is State.CLOSED]
        return sorted(ready, key=lambda slot: slot.name != first)

    def describe(self) -> Sequence[contracts.Part]:
        """Every engine's state, for whoever asks this worker how it is."""
        return [
            contracts.Part(name=slot.name, state=slot.part_state, model=slot.engine.model_id if slot.engine else None)
            for slot in self._slots
        ]

    def all(self) -> Sequence[EngineSlot]:
        """Every one, whatever its state."""
        return self._slots
