"""From settings and weights to loaded engines. What is missing disables an engine and says so; it stops nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import onnxruntime

from shared.weights import DETECTOR, RECOGNISER, WeightStore, choose
from workers.face.engines.ezway import Ezway
from workers.runtime.onnx import CUDA

if TYPE_CHECKING:
    from shared.settings import Settings
    from workers.face.engines import Engine

log = logging.getLogger(__name__)


def has_gpu() -> bool:
    """Does the installed ONNX Runtime have CUDA? There is no other switch."""
    return CUDA in onnxruntime.get_available_providers()


def load_engines(settings: Settings) -> list[Engine]:
    """The engines of the settings that can be had, in their order, warmed up. Raises UnknownWeightError."""
    made = (_LOADERS[name](settings) for name in settings.faces.engines if name in _LOADERS)
    engines = [engine for engine in made if engine is not None]
    for engine in engines:
        engine.warm_up()
        log.info("engine %s ready, model %s", engine.name, engine.model_id)
    return engines


def _ezway(settings: Settings) -> Engine | None:
    store, gpu = WeightStore(settings.weights), has_gpu()
    detector = choose(store, DETECTOR, settings.faces.detector, gpu=gpu)
    recogniser = choose(store, RECOGNISER, settings.faces.recogniser, gpu=gpu)
    if detector is None or recogniser is None:
        missing = [role for role, found in ((DETECTOR, detector), (RECOGNISER, recogniser)) if found is None]
        log.warning("engine ezway is off: no weights for %s; `fidox weights fetch` gets them", " and ".join(missing))
        return None
    return Ezway((detector.weight.name, detector.path), (recogniser.weight.name, recogniser.path))


_LOADERS = {"ezway": _ezway}
