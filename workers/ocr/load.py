"""From settings and weights to the reader and the portrait's detector. What is missing is said, and how to get it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.settings import SettingsError
from shared.weights import DETECTOR, MissingWeightError, WeightStore, choose
from shared.weights.ocr import SETS, of_reader
from workers.face.load import has_gpu
from workers.face.scrfd import Scrfd
from workers.ocr.reader import CardReader
from workers.runtime.onnx import open_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings

READER = "paddleocr"
# One call at a time is computed on, so a second core is best used inside it: a card takes two thirds of the time.
THREADS = 2


def readers(settings: Settings) -> dict[str, Callable[[], CardReader]]:
    """How to load the reader. Raises SettingsError for a set of models that there is not."""
    if settings.ocr.models not in SETS:
        raise SettingsError(f"FIDOX_OCR_MODELS: there is no set {settings.ocr.models}; there are {', '.join(SETS)}")
    return {READER: partial(_reader, settings)}


def portrait_detector(settings: Settings) -> Scrfd | None:
    """SCRFD, where engine `ezway` may be used and its weights are here. Cards are read without it, too."""
    if "ezway" not in settings.faces.engines:
        return None
    located = choose(WeightStore(settings.weights), DETECTOR, settings.faces.detector, gpu=has_gpu())
    return None if located is None else Scrfd(open_network(located.path), located.weight.name)


def _reader(settings: Settings) -> CardReader:
    store = WeightStore(settings.weights)
    found = of_reader(store, settings.ocr.models)
    if isinstance(found, list):
        ways = "; ".join(f"no {name}: {store.way_to_get(store.manifest.named(name))}" for name in found)
        raise MissingWeightError(ways)
    return CardReader(found, threads=THREADS)
