"""What several threads ask of one network at the same time, answered in one pass.

On a GPU a pass over eight faces takes little longer than one over a single face. There is no waiting for company: a
call that finds the network idle runs at once, and those that come meanwhile are the next batch. So an idle service is
as quick as without this, and a busy one forms batches as large as its callers are many.

    idle ──call──> it leads: takes all that wait, up to the largest size ─> one pass ─> everybody's rows
                   the first of those that came meanwhile leads next

No thread of its own: a network that is dropped leaves nothing behind.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.inference.network import FloatArray, Network

# Each size is a set of kernels chosen and a piece of memory held for good, so there are few. Batches are filled up to
# the next one.
SIZES = (1, 4, 16)


class BatchingNetwork:
    """A `Network` before a `Network` whose first dimension is free."""

    def __init__(self, network: Network, sizes: Sequence[int] = SIZES) -> None:
        self.input_shape = network.input_shape
        self.loaded = network.loaded
        self.sizes = network.sizes
        self.on_gpu = network.on_gpu
        self.batch_sizes = tuple(sorted(sizes))
        self._network = network
        self._lock = threading.Lock()
        self._led = False
        self._waiting: deque[_Asked] = deque()

    def run(self, batch: FloatArray) -> list[FloatArray]:
        """See `Network.run`. A batch larger than the largest size is run in pieces.

        Raises what the pass raised: everybody in a batch that failed is told so.
        """
        largest = self.batch_sizes[-1]
        if len(batch) > largest:
            pieces = [self.run(batch[start : start + largest]) for start in range(0, len(batch), largest)]
            return [np.concatenate(outputs) for outputs in zip(*pieces, strict=True)]
        asked = _Asked(batch)
        with self._lock:
            self._waiting.append(asked)
            leads, self._led = not self._led, True
        if not leads:
            asked.turn.wait()
        if not asked.answered:
            self._lead()
        if asked.error is not None:
            raise asked.error
        return asked.outputs

    def _lead(self) -> None:
        """One pass for the first that waits, which is the caller, and for those behind it that fit in."""
        with self._lock:
            together = [self._waiting.popleft()]
            rows, shape = len(together[0].batch), together[0].batch.shape[1:]
            while self._waiting:
                following = self._waiting[0].batch
                if following.shape[1:] != shape or rows + len(following) > self.batch_sizes[-1]:
                    break
                rows += len(following)
                together.append(self._waiting.popleft())
        try:
            outputs = self._network.run(self._filled_up(together, rows))
            start = 0
            for asked in together:
                end = start + len(asked.batch)
                asked.outputs = [output[start:end] for output in outputs]
                start = end
        except BaseException as error:  # noqa: BLE001 — handed to those who asked, each of whom raises it
            for asked in together:
                asked.error = error
        with self._lock:
            self._led = bool(self._waiting)
            following_leader = self._waiting[0] if self._waiting else None
        for asked in together:
            asked.answered = True
            asked.turn.set()
        if following_leader is not None:
            following_leader.turn.set()

    def _filled_up(self, together: Sequence[_Asked], rows: int) -> FloatArray:
        """All rows, and zeros up to the next size."""
        size = next(size for size in self.batch_sizes if size >= rows)
        filled = np.zeros((size, *together[0].batch.shape[1:]), np.float32)
        np.concatenate([asked.batch for asked in together], out=filled[:rows])
        return filled


class _Asked:
    """One call that waits for its answer, or for its turn to lead."""

    def __init__(self, batch: FloatArray) -> None:
        self.batch = batch
        self.turn = threading.Event()
        self.answered = False
        self.outputs: list[FloatArray] = []
        self.error: BaseException | None = None
