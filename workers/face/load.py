"""From settings and weights to engines and judges. What is missing disables just that, and says how to get it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from shared.settings import SettingsError
from shared.weights import (
    APPLEMANGO,
    DETECTOR,
    DLIB,
    DLIB_FILES,
    EZWAY,
    RECOGNISER,
    WeightsError,
    WeightStore,
    engines,
    require,
)
from workers.face.engines.applemango import open_applemango
from workers.face.engines.isolated import IsolatedEngine
from workers.face.engines.pair import Pair
from workers.face.judges import open_judges
from workers.face.recognisers import load_recogniser
from workers.inference.gpu import has_gpu, require_gpu
from workers.vision.detectors import load_detector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.settings import Settings
    from workers.face.engines import Engine
    from workers.face.judges import Judges

log = logging.getLogger(__name__)

# The two pictures of a compare. 90 MB, and a compare alone on the machine takes 0.7 times as long.
CALLERS = 2


def loaders(settings: Settings, *, needs_calibration: bool = True) -> dict[str, Callable[[], Engine]]:
    """How to load each engine of this machine, in their order (see `shared.weights.engines`).

    Raises SettingsError for the name of an engine that does not exist.

    A loader raises WeightsError, or whatever the engine's library raises.
    """
    for name in settings.faces.engines:
        if name not in _LOADERS:
            raise SettingsError(f"FIDOX_ENGINES: engine {name} cannot be loaded; there are {', '.join(_LOADERS)}")
    load = {**_LOADERS, EZWAY: partial(_ezway, needs_calibration=needs_calibration)}
    names = engines(WeightStore(settings.weights), settings, gpu=has_gpu(settings.inference))
    return {name: partial(load[name], settings) for name in names}


def load_engines(
    settings: Settings, only: Iterable[str] | None = None, *, needs_calibration: bool = True
) -> list[Engine]:
    """Return the engines that can be loaded now, in order and warmed up, for a command: it waits for no circuit.

    To measure one that has no calibration yet, it must not need any.

    Raises SettingsError where the settings want a GPU that cannot be used.
    """
    require_gpu(settings.inference)
    loaded: list[Engine] = []
    for name, load in loaders(settings, needs_calibration=needs_calibration).items():
        if only is not None and name not in set(only):
            continue
        try:
            engine = load()
            engine.warm_up()
        except WeightsError as error:
            log.warning("engine %s is off: %s", name, error)
            continue
        loaded.append(engine)
    return loaded


def load_judges(settings: Settings) -> Judges:
    """What helps to judge a picture's quality, as far as it can be had."""
    return open_judges(WeightStore(settings.weights), settings.inference)


def _ezway(settings: Settings, *, needs_calibration: bool = True) -> Engine:
    store, gpu = WeightStore(settings.weights), has_gpu(settings.inference)
    detector = require(store, DETECTOR, settings.faces.detector, gpu=gpu)
    recogniser = require(store, RECOGNISER, settings.faces.recogniser, gpu=gpu)
    inference = settings.inference
    return Pair(
        EZWAY,
        load_detector(detector, inference, callers=CALLERS),
        # A second copy would cost 40 MB, and waiting for this one takes 5 ms.
        load_recogniser(recogniser, inference, needs_calibration=needs_calibration),
    )


def _applemango(settings: Settings) -> Engine:
    return open_applemango(WeightStore(settings.weights), settings)


def _dlib(settings: Settings) -> Engine:
    store = WeightStore(settings.weights)
    files = [str(store.locate(name).path) for name in DLIB_FILES]
    return IsolatedEngine("workers.face.engines.dlib_resnet:DlibResnet", files)


_LOADERS: dict[str, Callable[[Settings], Engine]] = {EZWAY: _ezway, APPLEMANGO: _applemango, DLIB: _dlib}
