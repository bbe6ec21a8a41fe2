"""PaddleOCR's networks on ONNX Runtime: where the lines are, and what a line says.

PaddleOCR takes a network as a folder with `inference.onnx` and `inference.yml` in it. Weights are single files, some in
Python packages, so the folder is made for the moment of loading: links to the files, and where no `.yml` is published
one that says what the networks of that family were trained with.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnxruntime

from workers.inference.onnx import CUDA, ERROR, providers
from workers.ocr.one_cv2 import answer_for_the_other

answer_for_the_other()
from paddleocr import TextDetection, TextRecognition  # noqa: E402 — it asks when it is imported

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

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


class LineDetector:
    """Finds lines of text. Not safe to share between threads."""

    def __init__(self, model: TextModel, *, threads: int) -> None:
        self.name = model.name
        with _folder(model, _detector_yml(model.name)) as folder:
            self._paddle = TextDetection(
                model_name=model.name,
                model_dir=str(folder),
                limit_side_len=DETECT_SIDE,
                limit_type="max",
                **DETECTION,
                **_engine(threads),
            )

    def find(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """The lines in `pixels` (BGR uint8[height, width, 3]) as float32[n, 4, 2], x y of the corners, clockwise."""
        (result,) = cast("list[dict[str, Any]]", self._paddle.predict(pixels, batch_size=1))
        return np.asarray(result["dt_polys"], np.float32).reshape(-1, 4, 2)


class LineRecogniser:
    """Reads lines. Not safe to share between threads."""

    def __init__(self, model: TextModel, *, threads: int) -> None:
        self.name = model.name
        self._batch = BATCH_ON_GPU if providers()[0][0] == CUDA else 1
        with _folder(model, "" if model.dictionary else _recogniser_yml(model)) as folder:
            self._paddle = TextRecognition(model_name=_trained_as(folder), model_dir=str(folder), **_engine(threads))

    def read(self, lines: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        """Text and confidence (the mean of its characters' probabilities, 0..1) of each line, BGR uint8[h, w, 3]."""
        order = sorted(range(len(lines)), key=lambda one: lines[one].shape[1] / lines[one].shape[0])
        read: list[tuple[str, float]] = [("", 0.0)] * len(lines)
        if order:
            found = self._paddle.predict([lines[one] for one in order], batch_size=self._batch)
            for one, result in zip(order, cast("list[dict[str, Any]]", found), strict=True):
                read[one] = str(result["rec_text"]), float(result["rec_score"])
        return read


def _engine(threads: int) -> dict[str, Any]:
    asked = providers()
    return {
        "engine": "onnxruntime",
        "device": "cpu",  # of PaddleOCR's own arithmetic; where the network runs the providers say
        "engine_config": {
            "providers": [name for name, _ in asked],
            "provider_options": [options for _, options in asked],
            "intra_op_num_threads": threads,
            "inter_op_num_threads": 1,
            "log_severity_level": ERROR,
            # Every line has another width, and an arena keeps what the largest ever took: 430 MB without, 750 with.
            "enable_cpu_mem_arena": False,
        },
    }


@contextmanager
def _folder(model: TextModel, config: str) -> Generator[Path]:
    """The folder that PaddleOCR loads, with `config` as its `inference.yml` where the model brings none."""
    with tempfile.TemporaryDirectory(prefix="fidox-") as name:
        folder = Path(name)
        (folder / "inference.onnx").symlink_to(model.network.path.resolve())
        if model.dictionary is not None:
            (folder / "inference.yml").symlink_to(model.dictionary.path.resolve())
        else:
            (folder / "inference.yml").write_text(config, "utf-8")
        yield folder


def _trained_as(folder: Path) -> str:
    """The name that the `.yml` gives the network; PaddleOCR wants to be told the same."""
    for line in (folder / "inference.yml").read_text("utf-8").splitlines():
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
    session = onnxruntime.InferenceSession(str(model.network.path), providers=["CPUExecutionProvider"])
    metadata = cast("dict[str, str]", session.get_modelmeta().custom_metadata_map)
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
