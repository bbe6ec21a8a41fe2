"""What the domains see of a model: one array in, the outputs in the file's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shared.contracts import LoadedNetwork

FloatArray: TypeAlias = NDArray[np.float32]


class Network(Protocol):
    """A model with one input."""

    @property
    def loaded(self) -> LoadedNetwork:
        """Name, runtime, device and precision, for logs and `/health`."""
        ...

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """As the file declares it; None where any size goes."""
        ...

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """The heights and widths of an input of free size that were compiled; empty where any size is as good."""
        ...

    @property
    def on_gpu(self) -> bool:
        """Does it run on CUDA?"""
        ...

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The sizes of batch that are run."""
        ...

    def run(self, batch: FloatArray) -> list[FloatArray]:
        """One pass: the outputs in the file's order. May be called from several threads at once."""
        ...


def warm_up(network: Network, shape: tuple[int, ...], runs: int = 2) -> None:
    """Run zeros, `shape` without the batch, so that the first request pays neither for memory nor for kernels."""
    for size in network.batch_sizes:
        zeros = np.zeros((size, *shape), np.float32)
        for _ in range(runs):
            network.run(zeros)
