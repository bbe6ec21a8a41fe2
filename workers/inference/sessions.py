"""A model file, ready to run: on which runtime, how exactly, and batched where that pays.

    on a GPU          ONNX Runtime with CUDA, and a micro-batcher before a free batch dimension (see batching.py)
    on a CPU          OpenVINO: in bf16 where the CPU multiplies it in hardware, else in f32, where ONNX Runtime runs
                      two detectors faster (see FASTER_ON_ONNX_RUNTIME)
    without OpenVINO  ONNX Runtime's CPU provider

OpenVINO alone reads other containers than ONNX, so those run on the CPU of a machine with a GPU, too. What such a file
was made into is proved once, when it is opened, by the manifest's probe: a known input and its known output.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING

import numpy as np

from shared.weights import WeightsError
from shared.weights.probe import known_input
from workers.inference.batching import BatchingNetwork
from workers.inference.gpu import has_gpu
from workers.inference.onnx import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.settings import Inference
    from shared.weights import Located
    from shared.weights.probe import Probe
    from workers.inference.network import Network

log = logging.getLogger(__name__)

ONNX = ".onnx"

# In f32 on one thread OpenVINO takes 1.09 times as long for SCRFD 500m and 1.23 times for YuNet as ONNX Runtime (AMD
# EPYC, AVX-512; 1.04 times for SCRFD on an Intel Xeon), and no longer for what else takes a whole millisecond.
FASTER_ON_ONNX_RUNTIME = frozenset({"scrfd_500m", "yunet_2023mar"})


class ProbeError(WeightsError):
    """A network does not answer the known input as it must: the file was converted wrongly, or computes wrongly."""


def open_network(
    located: Located,
    settings: Inference,
    *,
    threads: int = 1,
    callers: int = 1,
    exact: bool = False,
    sizes: Sequence[tuple[int, int]] = (),
    onnx: bytes | None = None,
) -> Network:
    """Load a weight onto the GPU where it is to be used, else onto the CPU, computing with `threads` threads a call.

    `callers` are answered at the same time, where the runtime has to know: 20 to 30 MB each.

    `exact` is for a network that loses too much in bf16; `sizes` are the heights and widths that an input of free size
    will have. `onnx` is a file of another kind as the product has made it into ONNX.

    One thread is the default because processes scale and threads do not: on 2 cores two processes with one-thread
    sessions answer 1.3 times what two threads in one process do.

    Raises ProbeError, and what the runtime raises for a broken file.
    """
    network = _open(located, settings, threads=threads, callers=callers, exact=exact, sizes=sizes, onnx=onnx)
    if located.weight.probe is not None:
        _prove(network, located.weight.probe)
    log.info("network %s", network.loaded)
    return BatchingNetwork(network) if network.on_gpu and network.input_shape[0] is None else network


def uses_openvino(settings: Inference) -> bool:
    """Do networks on the CPU run on OpenVINO?"""
    return settings.runtime != "onnxruntime" and importlib.util.find_spec("openvino") is not None


def _open(
    located: Located,
    settings: Inference,
    *,
    threads: int,
    callers: int,
    exact: bool,
    sizes: Sequence[tuple[int, int]],
    onnx: bytes | None,
) -> Network:
    name, model = located.weight.name, located.path if onnx is None else onnx
    is_onnx = onnx is not None or located.path.suffix == ONNX
    gpu = has_gpu(settings)
    if is_onnx and (gpu or not uses_openvino(settings)):
        return open_session(model, name, threads=threads, gpu=gpu)
    from workers.inference.openvino import F32, OpenvinoNetwork, precision_for  # noqa: PLC0415 — not on every platform

    precision = precision_for(settings.precision, exact=exact)
    if is_onnx and precision == F32 and name in FASTER_ON_ONNX_RUNTIME:
        return open_session(model, name, threads=threads, gpu=False)
    return OpenvinoNetwork(model, name, threads=threads, callers=callers, precision=precision, sizes=sizes)


def _prove(network: Network, probe: Probe) -> None:
    """Raises ProbeError where the output of the probe's shape differs by more than its tolerance."""
    outputs = network.run(np.asarray(known_input(probe), np.float32).reshape(probe.input))
    answers = [output for output in outputs if output.shape == probe.shape]
    if len(answers) != 1:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise ProbeError(f"{network.loaded}: expected one output of {probe.shape}; got {shapes}")
    deviation = probe.deviation(answers[0].ravel().tolist())
    # CUDA multiplies in TF32, whose numbers have as many digits as float16's.
    is_exact = network.loaded.precision == "f32" and not network.on_gpu
    tolerance = probe.tolerance if is_exact else probe.tolerance_bf16
    # Not `>`: a network that answers NaN is wrong, too.
    if not deviation <= tolerance:
        raise ProbeError(
            f"{network.loaded}: its answer to the known input is off by {deviation:.4g}, over {tolerance:.4g}"
        )
