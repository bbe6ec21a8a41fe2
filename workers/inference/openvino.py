"""OpenVINO: what networks run on where there is no GPU.

It reads ONNX, OpenVINO's own .xml, TensorFlow's .pb and .tflite, as their authors publish them.

    input            compiled as
    all fixed        it is
    free batch       a batch of one: on a CPU a batch takes as long as its images one after the other
    free height and  one model a size where the caller names sizes, else one for any size. Every new size costs one
    width            such model some 30 ms and memory that never comes back: 200 sizes of SCRFD 500m 540 MB

A network computes in the thread that calls it. It answers as many calls at a time as it has copies, and others wait;
threads that call several networks do not wait for one another.
"""

from __future__ import annotations

import platform
import sys
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shared import cpu
from shared.contracts import LoadedNetwork
from shared.metrics import measures

# The converter, which is not used here, reports each import to its makers through this package: neither is loaded,
# whether or not somebody has installed it.
sys.modules.setdefault("openvino.tools.ovc", cast("Any", None))
sys.modules.setdefault("openvino_telemetry", cast("Any", None))
import openvino  # noqa: E402 — see above

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workers.inference.network import FloatArray

F32, BF16 = "f32", "bf16"
# "2026.4.1-22982-…" is the release, a number of the build and a hash.
RUNTIME = f"OpenVINO {openvino.__version__.partition('-')[0]}"


class OpenvinoNetwork:
    """A `Network` of OpenVINO's CPU plugin.

    `model` is a file, or the bytes of an ONNX file; `threads` compute in one call, and `callers` are answered at the
    same time, others wait. `sizes` are heights and widths for
    an input of free size, or of a fixed one that the network can be reshaped from. Raises RuntimeError for what cannot
    be read or compiled, and what `run` cannot compute.
    """

    on_gpu = False
    batch_sizes = (1,)

    def __init__(
        self,
        model: Path | bytes,
        name: str,
        *,
        threads: int = 1,
        callers: int = 1,
        precision: str = F32,
        sizes: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.loaded = LoadedNetwork(name=name, runtime=RUNTIME, precision=precision)
        self.sizes = tuple(sizes)
        self._batches = measures.BATCH_SIZE.labels(name)
        config = {
            # Left to itself the plugin takes whatever the CPU has a type for, emulated or not.
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            # With two, calls would be handed to threads of the plugin's own: 8 clients then got 0.9 times as many
            # answers to a compare as with a model for each caller, which computes in the caller's thread.
            "NUM_STREAMS": 1,
            # Two processes would pin themselves to the same core.
            "ENABLE_CPU_PINNING": False,
        }
        read = _core().read_model(model)
        self.input_shape = tuple(
            dimension.get_length() if dimension.is_static else None for dimension in read.input(0).partial_shape
        )
        fixed = (1, *self.input_shape[1:])
        self._requests: dict[tuple[int, ...] | None, _Requests] = {}
        for shape in [(*fixed[:2], *size) for size in self.sizes] or [fixed]:
            if shape != self.input_shape:
                read.reshape(openvino.PartialShape([-1 if size is None else size for size in shape]))
            compiled = [_core().compile_model(read, "CPU", config) for _ in range(callers)]
            is_free = any(size is None for size in shape)
            self._requests[None if is_free else cast("tuple[int, ...]", shape)] = _Requests(compiled)

    def run(self, batch: FloatArray) -> list[FloatArray]:
        """See `Network.run`. Images of a batch are computed one after the other."""
        self._batches.observe(len(batch))
        if len(batch) == 1:
            return self._run_one(batch)
        each = [self._run_one(batch[place : place + 1]) for place in range(len(batch))]
        return [np.concatenate(outputs) for outputs in zip(*each, strict=True)]

    def _run_one(self, batch: FloatArray) -> list[FloatArray]:
        requests = self._requests.get(batch.shape) or self._requests.get(None)
        if requests is None:
            compiled = ", ".join(map(str, self._requests))
            raise ValueError(f"{self.loaded.name}: expected an input of {compiled}; got {batch.shape}")
        return requests.run(batch)


class _Requests:
    """Copies of a compiled model with an inference request each, which one thread may use at a time."""

    def __init__(self, compiled: Sequence[openvino.CompiledModel]) -> None:
        self._first = compiled[0]
        # Appending and popping are atomic; the request that was used last is the next one.
        self._idle = deque((model, model.create_infer_request()) for model in compiled)

    def run(self, batch: FloatArray) -> list[FloatArray]:
        try:
            model, request = self._idle.pop()
        except IndexError:  # more callers than there are copies: this one waits inside
            model, request = self._first, self._first.create_infer_request()
        try:
            outputs = request.infer([batch], share_inputs=True, share_outputs=True)
            return [np.array(output, np.float32) for output in outputs.values()]
        except BaseException:
            # What a request that has failed would do next is not known.
            request = model.create_infer_request()
            raise
        finally:
            self._idle.append((model, request))


def precision_for(asked: str, *, exact: bool) -> str:
    """Return what a network computes in where the setting says `asked`: auto, f32 or bf16.

    One that is `exact` loses too much in bf16, whatever the setting.
    """
    if exact:
        return F32
    if asked != "auto":
        return asked
    # Linux tells hardware from emulation; the plugin takes variables such as ONEDNN_MAX_CPU_ISA into account.
    capabilities = cast("Sequence[str]", _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return BF16 if cpu.has_bf16() and "BF16" in capabilities and platform.machine() in {"x86_64", "AMD64"} else F32


@cache
def _core() -> openvino.Core:
    """Return this process's plugin: what it loads and knows of the machine is the same for every network."""
    return openvino.Core()
