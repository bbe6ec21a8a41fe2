"""From settings and weights to the reader and the portrait's detector. What is missing is said, and how to get it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.settings import SettingsError
from shared.weights import MissingWeightError, WeightStore
from shared.weights.ocr import SETS, of_reader
from workers.ocr.reader import CardReader
from workers.vision.detectors import open_detector

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings
    from workers.vision.detectors import Detector

READER = "paddleocr"
# One call at a time is computed on, so a second core is best used inside it: a card takes two thirds of the time.
THREADS = 2


def readers(settings: Settings) -> dict[str, Callable[[], CardReader]]:
    """How to load the reader. Raises SettingsError for a set of models that there is not."""
    if settings.ocr.models not in SETS:
        raise SettingsError(f"FIDOX_OCR_MODELS: there is no set {settings.ocr.models}; there are {', '.join(SETS)}")
    return {READER: partial(_reader, settings)}


def portrait_detector(settings: Settings) -> Detector | None:
    """The detector of engine `ezway`, where it may be used and its weights are here. Cards are read without it, too."""
    return open_detector(settings) if "ezway" in settings.faces.engines else None


def _reader(settings: Settings) -> CardReader:
    store = WeightStore(settings.weights)
    found = of_reader(store, settings.ocr.models)
    if isinstance(found, list):
        ways = "; ".join(f"no {name}: {store.way_to_get(store.manifest.named(name))}" for name in found)
        raise MissingWeightError(ways)
    return CardReader(found, settings.inference, threads=THREADS)
