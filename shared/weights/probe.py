"""Probes: a known input, and what a network has to answer to it.

A file's hash says that the right file is there. A probe says that what was made of it computes the right thing: for
files in another container than ONNX (.tflite, .pb, .h5, .xml), which a runtime converts when it loads them.

The input is the fractional part of i times the golden ratio, i counting the flat input from 0: evenly spread, without a
period, and the same on every machine. Pure Python, since the gateway, which has no numpy, imports this package.
"""

from __future__ import annotations

from array import array
from math import prod
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

GOLDEN = 0.6180339887498949


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked and what is expected; computed with ONNX Runtime 1.26 and OpenVINO 2026.4 in single precision.

    `input` is the shape of the one input, which is filled by `known_input` with values in `range`. `shape` says which
    of the outputs is compared. `output` are values of it at `positions`; each may differ by `tolerance`, or by
    `tolerance_bf16` where a network computes in bfloat16.
    """

    input: tuple[int, ...]
    range: tuple[float, float]
    shape: tuple[int, ...]
    output: tuple[float, ...]
    tolerance: float
    tolerance_bf16: float

    def __post_init__(self) -> None:
        if not 1 <= len(self.output) <= prod(self.shape) or min(*self.input, *self.shape) < 1:
            raise ValueError("a probe compares at least one value, and no more than its output has")

    def positions(self) -> list[int]:
        """Return the flat positions of `output`: evenly spread over the whole, the first one at 0."""
        step = prod(self.shape) // len(self.output)
        return [index * step for index in range(len(self.output))]

    def deviation(self, values: Sequence[float]) -> float:
        """Return the largest difference between `output` and `values`, which is the whole output, flat.

        Any sequence with a length will do, so a numpy array of one dimension as well. Raises ValueError where it does
        not have the length of `shape`.
        """
        if len(values) != prod(self.shape):
            raise ValueError(f"expected an output of {prod(self.shape)} values; got {len(values)}")
        pairs = zip(self.positions(), self.output, strict=True)
        return max(abs(float(values[position]) - expected) for position, expected in pairs)


def known_input(probe: Probe) -> array[float]:
    """Return the input, flat: float32, computed in float64. `numpy.asarray(...).reshape(probe.input)` takes it."""
    low, high = probe.range
    return array("f", (low + (i * GOLDEN) % 1.0 * (high - low) for i in range(prod(probe.input))))
