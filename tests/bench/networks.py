"""What each network costs on one thread: ONNX Runtime's CPU provider beside OpenVINO in float32 and in bfloat16.

    python -m tests.bench networks

The runtimes take turns, so that what else the machine does falls on all of them alike, and CPU time is what counts:
with one thread it is the wall time of a machine that has nothing else to do.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import cv2
import numpy as np

from shared.contracts import IdType
from shared.settings import Inference, Weights
from shared.weights import DETECTOR, WeightStore
from tests.bench.report import Section
from tests.specimens import specimen
from workers.inference.openvino import precision_for
from workers.inference.sessions import open_network
from workers.liveness.mesonet import as_onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.weights import Located
    from workers.inference.network import FloatArray, Network

TURNS = 11
TURN_S = 0.05  # of ONNX Runtime; the others run as often
ORT, F32, BF16 = "ONNX Runtime", "OpenVINO f32", "OpenVINO bf16"


class Measured(NamedTuple):
    """A network: the input that it is measured with, and whether that holds 0 to 255 or -1 to 1."""

    name: str
    shape: tuple[int, ...]
    raw: bool = False


# Text lines are found in a card of 960 pixels, and the shortest line is as wide as PaddleOCR makes it.
NETWORKS = (
    Measured("scrfd_500m", (1, 3, 640, 640)),
    Measured("scrfd_2.5g", (1, 3, 640, 640)),
    Measured("scrfd_10g", (1, 3, 640, 640)),
    Measured("yunet_2023mar", (1, 3, 640, 640), raw=True),
    Measured("w600k_mbf", (1, 3, 112, 112)),
    Measured("w600k_mbf_dequantised", (1, 3, 112, 112)),
    Measured("w600k_r50", (1, 3, 112, 112)),
    Measured("face_reidentification_retail_0095", (1, 3, 128, 128), raw=True),
    Measured("fsanet_1x1", (1, 3, 64, 64)),
    Measured("fsanet_var", (1, 3, 64, 64)),
    Measured("lightqnet_dm100", (1, 96, 96, 3)),
    Measured("minifasnet_v2_2.7", (1, 3, 80, 80), raw=True),
    Measured("minifasnet_v1se_4.0", (1, 3, 80, 80), raw=True),
    Measured("meso4_df", (1, 3, 256, 256)),
    Measured("mesoinception_df", (1, 3, 256, 256)),
    Measured("face_mask_aizoo_260", (1, 260, 260, 3)),
    Measured("PP-OCRv6_small_det", (1, 3, 608, 960)),
    Measured("PP-OCRv5_mobile_det", (1, 3, 608, 960)),
    Measured("PP-OCRv3_mobile_det", (1, 3, 608, 960)),
    Measured("PP-OCRv6_small_rec", (1, 3, 48, 320)),
    Measured("korean_PP-OCRv5_mobile_rec", (1, 3, 48, 320)),
    Measured("korean_mobile_v2.0_rec", (1, 3, 32, 320)),
    Measured("en_number_mobile_v2.0_rec", (1, 3, 32, 320)),
    Measured("textline_orientation_cls", (1, 3, 80, 160)),
)


class Runs(Protocol):
    """The part of a `Network` that is timed."""

    def run(self, batch: FloatArray) -> list[FloatArray]: ...


@dataclass(frozen=True)
class Figures:
    """CPU milliseconds of a run by runtime, and how far the outputs lie from ONNX Runtime's, over its largest value."""

    cpu_ms: dict[str, float]
    difference: dict[str, float]


def open_in(runtime: str, located: Located, shape: tuple[int, ...]) -> Network | None:
    """The network on one of ORT, F32 and BF16, with one thread; None where the runtime does not read its container."""
    if runtime == ORT:
        settings = Inference(runtime="onnxruntime", gpu="off")
    else:
        settings = Inference(precision="f32" if runtime == F32 else "bf16", gpu="off")
    onnx = as_onnx(located.path) if located.path.suffix == ".h5" else None
    if runtime == ORT and onnx is None and located.path.suffix != ".onnx":
        return None
    sizes = [shape[2:4]] if located.weight.role == DETECTOR else []
    return open_network(located, settings, sizes=sizes, onnx=onnx)


def find(name: str) -> Located | None:
    """Where a weight of the manifest lies on this machine."""
    return WeightStore(Weights()).find(name)


def runtimes() -> tuple[str, ...]:
    """What this machine's CPU can run. bfloat16 is emulated, and slow, where the CPU does not name it."""
    return (ORT, F32, BF16) if precision_for("auto", exact=False) == "bf16" else (ORT, F32)


def networks(_stack) -> Section:
    """Every network that is on this machine."""
    kinds = runtimes()
    section = Section(
        "Networks",
        f"One thread, CPU milliseconds a run, median of {TURNS} turns in which the runtimes follow one another; an ID"
        " card's picture as input. The difference is the largest of an output from ONNX Runtime's, as a share of its"
        " largest value.",
        header=("network", "input", *(f"{kind}, ms" for kind in kinds), *(f"{kind}, difference" for kind in kinds[1:])),
    )
    picture = cv2.imdecode(np.frombuffer(specimen(1, IdType.RESIDENT).jpeg, np.uint8), cv2.IMREAD_COLOR)
    totals: dict[str, list[float]] = {kind: [] for kind in kinds}
    for one in NETWORKS:
        located = find(one.name)
        if located is None:
            continue
        opened = {kind: network for kind in kinds if (network := open_in(kind, located, one.shape)) is not None}
        figures = measure(opened, blob(picture, one))
        section.line(
            one.name,
            " x ".join(map(str, one.shape)),
            *(f"{figures.cpu_ms[kind]:.1f}" if kind in opened else "" for kind in kinds),
            *(f"{figures.difference[kind]:.1e}" if ORT in opened else "" for kind in kinds[1:]),
        )
        for kind in kinds if ORT in opened else ():
            totals[kind].append(figures.cpu_ms[kind] / figures.cpu_ms[ORT])
    for kind in kinds[1:]:
        section.add(f"{kind} over {ORT}, median of the networks", f"{statistics.median(totals[kind]):.2f}")
    return section


def measure(sessions: dict[str, Runs], batch: FloatArray) -> Figures:
    """Run `batch` through each of the sessions in turn; differences are from the first of them."""
    first = next(iter(sessions))
    outputs = {kind: session.run(batch) for kind, session in sessions.items()}
    for session in sessions.values():
        session.run(batch)
    runs = max(1, round(TURN_S * 1000 / cpu_ms(sessions[first], batch, 1)))
    times: dict[str, list[float]] = {kind: [] for kind in sessions}
    for _ in range(TURNS):
        for kind, session in sessions.items():
            times[kind].append(cpu_ms(session, batch, runs))
    return Figures(
        {kind: statistics.median(values) for kind, values in times.items()},
        {kind: _difference(outputs[first], outputs[kind]) for kind in sessions},
    )


def cpu_ms(session: Runs, batch: FloatArray, runs: int) -> float:
    """CPU time of one of `runs` runs in milliseconds, of all threads together."""
    started = time.process_time()
    for _ in range(runs):
        session.run(batch)
    return (time.process_time() - started) * 1000 / runs


def blob(picture: NDArray[np.uint8], one: Measured) -> FloatArray:
    """The picture as a network's input."""
    channels_last = one.shape[-1] == 3
    height, width = one.shape[1:3] if channels_last else one.shape[2:4]
    pixels = cv2.resize(picture, (width, height)).astype(np.float32)
    pixels = pixels if one.raw else (pixels - 127.5) / 127.5
    return np.ascontiguousarray(pixels[None] if channels_last else pixels.transpose(2, 0, 1)[None])


def _difference(right: list[FloatArray], other: list[FloatArray]) -> float:
    largest = max(float(np.abs(output).max()) for output in right)
    return max(float(np.abs(a - b).max()) for a, b in zip(right, other, strict=True)) / largest
