"""PaddleOCR's networks: where the lines are, and what a line says.

PaddleOCR does what comes before and after a network; the network itself runs on this machine's runtime, as every other
one. PaddleOCR takes a folder with `inference.onnx` and `inference.yml` in it, so one is made for the moment of loading;
where no `.yml` is published it says what the networks of that family were trained with.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper

from workers.inference.sessions import open_network
from workers.ocr.lines import Text
from workers.ocr.one_cv2 import answer_for_the_other

answer_for_the_other()
from paddleocr import TextDetection, TextRecognition  # noqa: E402 — it asks when it is imported

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights.ocr import TextModel
    from workers.inference.network import FloatArray

# The detectors' input, on its longer side. At 736 the small print of a licence runs together, 1280 takes twice the time
# and finds no line more.
DETECT_SIDE = 960
# Of the probability map, of a line, and how far its outline is grown: PaddleOCR's own for all of these detectors.
DETECTION = {"thresh": 0.3, "box_thresh": 0.5, "unclip_ratio": 1.6}
# A batch is as wide as its widest line, so lines are sorted by width. On a CPU batches of 6 take 1.7 times what the
# lines take one by one, and half a gigabyte: every column of text has 18,710 probabilities in the Latin network.
BATCH_ON_GPU = 8
HEIGHT = 48
# Widths of lines are rounded up to this. Over 400 lines of different width the Latin network grew by 1,190 MB with
# every width its own, by 201 MB with steps of 64, and took 0.6 times as long. A detector's memory is that of its
# largest input, and what is filled up there moves the outlines of lines: an O of an MRZ was read as D.
READ_STEP = 64
_BLANK = 0
# For the session that is thrown away.
ENGINE: dict[str, Any] = {"engine": "onnxruntime", "device": "cpu"}


class LineDetector:
    """Finds lines of text. Not safe to share between threads."""

    def __init__(self, model: TextModel, settings: Inference, *, threads: int) -> None:
        self.name = model.name
        runner = _Runner(model, settings, threads=threads)
        self.network = runner.network
        with _folder(_detector_yml(model.name)) as folder:
            self._paddle = TextDetection(
                model_name=model.name,
                model_dir=str(folder),
                limit_side_len=DETECT_SIDE,
                limit_type="max",
                **DETECTION,
                **ENGINE,
            )
        cast("Any", self._paddle.paddlex_predictor).runner = runner

    def find(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """The lines in `pixels` (BGR uint8[height, width, 3]) as float32[n, 4, 2], x y of the corners, clockwise."""
        (result,) = cast("list[dict[str, Any]]", self._paddle.predict(pixels, batch_size=1))
        return np.asarray(result["dt_polys"], np.float32).reshape(-1, 4, 2)


class LineRecogniser:
    """Reads lines. Not safe to share between threads."""

    def __init__(self, model: TextModel, settings: Inference, *, threads: int) -> None:
        self.name = model.name
        runner = _Runner(model, settings, threads=threads, width_step=READ_STEP)
        self.network = runner.network
        self._batch = BATCH_ON_GPU if self.network.device == "CUDA" else 1
        config = model.dictionary.path.read_text("utf-8") if model.dictionary else _recogniser_yml(model)
        with _folder(config) as folder:
            self._paddle = TextRecognition(model_name=_trained_as(config), model_dir=str(folder), **ENGINE)
        predictor = cast("Any", self._paddle.paddlex_predictor)
        predictor.runner = runner
        predictor.post_op = _Decoder(predictor.post_op.character)

    def read(self, lines: Sequence[NDArray[np.uint8]]) -> list[Text]:
        """Read each line, BGR uint8[h, w, 3]. A text's confidence is the mean of its characters'."""
        order = sorted(range(len(lines)), key=lambda one: lines[one].shape[1] / lines[one].shape[0])
        read = [Text("", 0.0)] * len(lines)
        if order:
            found = self._paddle.predict([lines[one] for one in order], batch_size=self._batch)
            for one, result in zip(order, cast("list[dict[str, Any]]", found), strict=True):
                sure = cast("tuple[float, ...]", result["rec_score"])
                read[one] = Text(str(result["rec_text"]), sum(sure) / len(sure) if sure else 0.0, sure)
        return read


class _Decoder:
    """CTC's greedy decoding (Graves et al. 2006, 3.2), in place of PaddleOCR's.

    That gives a line's mean probability only; this gives each character's, and goes over the probabilities once.
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = list(characters)

    def __call__(self, outputs: Sequence[FloatArray], **_: object) -> tuple[list[str], list[tuple[float, ...]]]:
        texts: list[str] = []
        scores: list[tuple[float, ...]] = []
        for columns in outputs[0]:
            best = cast("NDArray[np.int64]", columns.argmax(axis=-1))
            starts = best != _BLANK
            starts[1:] &= best[1:] != best[:-1]
            at = np.flatnonzero(starts)
            texts.append("".join(self._characters[int(one)] for one in best[at]))
            scores.append(tuple(columns[at, best[at]].tolist()))
        return texts, scores


class _Runner:
    """What PaddleOCR calls instead of the session that it opened: one array in a list in, the first output out.

    The input is filled up with zeros, as PaddleOCR fills a short line, to a multiple of `width_step`: every new size
    costs the runtime memory that it keeps.
    """

    def __init__(self, model: TextModel, settings: Inference, *, threads: int, width_step: int = 1) -> None:
        self._network = open_network(model.network, settings, threads=threads)
        self.network = self._network.loaded
        self._width_step = width_step

    def __call__(self, x: Sequence[FloatArray]) -> list[FloatArray]:
        (batch,) = x
        missing = -batch.shape[3] % self._width_step
        if missing:
            batch = np.pad(batch, ((0, 0), (0, 0), (0, 0), (0, missing)))
        return [self._network.run(batch)[0]]


@contextmanager
def _folder(config: str) -> Generator[Path]:
    """The folder that PaddleOCR loads: `config` as its `inference.yml`, and a network of one node for the real one."""
    with tempfile.TemporaryDirectory(prefix="fidox-") as name:
        folder = Path(name)
        (folder / "inference.yml").write_text(config, "utf-8")
        (folder / "inference.onnx").write_bytes(_stand_in())
        yield folder


def _stand_in() -> bytes:
    """A network that returns its input: PaddleOCR opens a session of its own, whose place a `_Runner` takes."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("in", "out")]
    graph = helper.make_graph([helper.make_node("Identity", ["in"], ["out"])], "stand_in", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def _trained_as(config: str) -> str:
    """The name that the `.yml` gives the network; PaddleOCR wants to be told the same."""
    for line in config.splitlines():
        if line.strip().startswith("model_name:"):
            return line.partition(":")[2].strip()
    raise ValueError("inference.yml names no model")


def _detector_yml(name: str) -> str:
    """DB (Liao et al. 2020) as PaddleOCR trains it: ImageNet's mean and spread."""
    return f"""\
Global: {{model_name: {name}}}
PreProcess:
  transform_ops:
  - DecodeImage: {{channel_first: false, img_mode: BGR}}
  - DetResizeForTest: {{limit_side_len: {DETECT_SIDE}, limit_type: max}}
  - NormalizeImage: {{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: hwc, scale: 1./255.}}
  - ToCHWImage: null
  - KeepKeys: {{keep_keys: [image, shape, polys, ignore_tags]}}
PostProcess: {{name: DBPostProcess, max_candidates: 1000}}
"""


def _recogniser_yml(model: TextModel) -> str:
    """With the characters that the ONNX file itself carries, one a line."""
    metadata = {entry.key: entry.value for entry in onnx.load(model.network.path).metadata_props}
    # JSON is YAML, and quotes what YAML would take for something else.
    characters = json.dumps(metadata["character"].split("\n"), ensure_ascii=False)
    return f"""\
Global:
  model_name: {model.name}
PreProcess:
  transform_ops:
  - DecodeImage: {{channel_first: false, img_mode: BGR}}
  - RecResizeImg: {{image_shape: [3, {HEIGHT}, 320]}}
  - KeepKeys: {{keep_keys: [image, label, length]}}
PostProcess:
  name: CTCLabelDecode
  character_dict: {characters}
"""
