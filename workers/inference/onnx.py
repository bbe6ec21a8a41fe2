"""ONNX Runtime: where a network runs there, and what its errors mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import onnxruntime

from shared.contracts import LoadedNetwork
from shared.metrics import measures
from workers.inference.gpu import CUDA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workers.inference.network import FloatArray

CPU = "CPUExecutionProvider"
RUNTIME = f"ONNX Runtime {onnxruntime.__version__}"
ERROR = 3  # ONNX Runtime's severity: its warnings tell about the export of a file, one line each run
_CUDA_FAILURE = re.compile(r"CUDA (?:failure|error) (?P<code>\d+)")


class OnnxNetwork:
    """A `Network` over one ONNX Runtime session."""

    batch_sizes = (1,)
    sizes = ()

    def __init__(self, session: onnxruntime.InferenceSession, name: str) -> None:
        self._session = session
        declared = cast("Any", session.get_inputs()[0])
        self._input_name: str = declared.name
        # A free dimension is a name, a "?" or None, depending on who exported the file.
        self.input_shape = tuple(
            size if isinstance(size, int) else None for size in cast("Sequence[object]", declared.shape)
        )
        # What the session ended up with, not what was asked for: without a usable driver it falls back to the CPU.
        self.on_gpu: bool = session.get_providers()[0] == CUDA
        self.loaded = LoadedNetwork(name=name, runtime=RUNTIME, device="CUDA" if self.on_gpu else "CPU")
        self._batches = measures.BATCH_SIZE.labels(name)

    def run(self, batch: FloatArray) -> list[FloatArray]:
        """See `Network.run`."""
        self._batches.observe(len(batch))
        return cast("list[FloatArray]", self._session.run(None, {self._input_name: batch}))


def open_session(
    model: Path | bytes, name: str, *, threads: int = 1, gpu: bool = False, device: int = 0
) -> OnnxNetwork:
    """Load an ONNX file, or its bytes: with `gpu` onto CUDA device `device`, else onto the CPU, `threads` threads."""
    options = cast("Any", onnxruntime).SessionOptions()
    options.log_severity_level = ERROR
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # With more than one thread, idle pools would burn the core that the next session needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    file = model if isinstance(model, bytes) else str(model)
    chosen = providers(device) if gpu else [CPU]
    return OnnxNetwork(onnxruntime.InferenceSession(file, options, providers=chosen), name)


def providers(device: int = 0) -> list[tuple[str, dict[str, str]]]:
    """The execution providers to ask for, best first, each with its options."""
    available = cast("list[str]", onnxruntime.get_available_providers())
    chosen: list[tuple[str, dict[str, str]]] = []
    if CUDA in available:
        chosen.append(
            (
                CUDA,
                {
                    "device_id": str(device),
                    # The default doubles the arena at each growth and never gives back: several sessions and processes
                    # share one card, so each grows by what it asked for.
                    "arena_extend_strategy": "kSameAsRequested",
                    # The default tries every algorithm at each new batch size, hundreds of milliseconds for a request.
                    "cudnn_conv_algo_search": "HEURISTIC",
                },
            )
        )
    chosen.append((CPU, {}))
    return chosen


def lost_device(error: BaseException) -> bool:
    """Is this CUDA's last word in this process? After most of its errors no call works, not even in a new session.

    ONNX Runtime says `CUDA failure 700: an illegal memory access was encountered`, with cudaError_t's number. Code 2 is
    cudaErrorMemoryAllocation, which passes (CUDA Runtime API, "Error Handling" and cudaError_t).
    """
    found = _CUDA_FAILURE.search(str(error))
    return found is not None and found["code"] != "2"
