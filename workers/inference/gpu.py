"""Whether networks run on a GPU: what the settings ask for, what there is, and whether CUDA starts.

    FIDOX_GPU    no GPU    a GPU, CUDA starts    a GPU, CUDA does not start
    auto         CPU       GPU                   the worker says why, and ends
    required     ends      GPU                   the same
    optional     CPU       GPU                   CPU, with a line in the log
    off          CPU       CPU                   CPU

There is a GPU where the machine has the device and the installed ONNX Runtime is the one with CUDA. That package falls
back to the CPU by itself when CUDA does not start, with a line that nobody reads, and the machine would be a slow one
for good: so it is asked first.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from shared.settings import SettingsError
from workers.runtime.supervisor import gpus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.settings import Inference

log = logging.getLogger(__name__)

CUDA = "CUDAExecutionProvider"
GO_ON = "FIDOX_GPU=optional goes on with the CPU, FIDOX_GPU=off never asks"


def has_gpu(settings: Inference) -> bool:
    """Are networks run on CUDA? `require_gpu` has said before whether they can be."""
    if not _is_there(settings):
        return False
    return settings.gpu != "optional" or cuda_error() is None


def require_gpu(settings: Inference) -> None:
    """Raises SettingsError, which ends a worker, where the settings want a GPU that cannot be used."""
    if not _is_there(settings):
        if settings.gpu == "required":
            raise SettingsError(
                f"FIDOX_GPU=required: this machine has {gpus(settings)} GPUs that the installed ONNX Runtime"
                f" ({', '.join(_providers())}) can use; `bash deploy/bootstrap.sh gpu` installs the one with CUDA"
            )
        return
    if error := cuda_error():
        line = f"there is a GPU, and CUDA does not start on it: {error}"
        if settings.gpu != "optional":
            raise SettingsError(f"FIDOX_GPU={settings.gpu}: {line}; {GO_ON}")
        log.warning("%s; networks run on the CPU", line)


@cache
def cuda_error() -> str | None:
    """Why no network runs on CUDA; None where one does. Loads CUDA's libraries, and asks once in a process."""
    runtime = cast("Any", onnxruntime)
    try:
        # From the wheels of NVIDIA that came with it, or from the system.
        runtime.preload_dlls()
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        session = runtime.InferenceSession(_smallest(), options, providers=[CUDA])
        if (provider := session.get_providers()[0]) != CUDA:
            return (
                f"ONNX Runtime {runtime.__version__} falls back to {provider}; see that the NVIDIA driver is installed"
            )
        session.run(None, {"in": np.ones(1, np.float32)})
    except Exception as error:  # noqa: BLE001 — libraries that are missing, a driver that is too old: each says it its way
        return f"{type(error).__name__}: {error}"
    return None


def _is_there(settings: Inference) -> bool:
    return gpus(settings) > 0 and CUDA in _providers()


def _providers() -> Sequence[str]:
    return cast("Sequence[str]", onnxruntime.get_available_providers())


def _smallest() -> bytes:
    """A network that adds a number to itself."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("in", "out")]
    graph = helper.make_graph([helper.make_node("Add", ["in", "in"], ["out"])], "smallest", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()
