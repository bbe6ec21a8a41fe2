"""From settings and weights to detectors and checks. What is missing disables one check, and says how to get it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from shared.contracts import Check
from shared.settings import SettingsError
from shared.weights import DETECTOR, MissingWeightError, WeightStore, choose, of_check
from workers.face.load import has_gpu, loaders
from workers.face.scrfd import Scrfd
from workers.liveness.deepfake import DeepfakeCheck
from workers.liveness.mask import MaskCheck
from workers.liveness.photo import PhotoCheck
from workers.runtime.onnx import open_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.settings import Settings
    from workers.face.detection import Detections, DetectOptions
    from workers.face.images import Image
    from workers.liveness.checks import LivenessCheck


class Detector(Protocol):
    """What finds the face; every engine is one, too."""

    @property
    def model_id(self) -> str:
        """What is loaded."""
        ...

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """The faces of an image, in pixels of `image.pixels`, the largest first."""
        ...

    def warm_up(self) -> None:
        """Run everything once, so that the first request does not pay for it."""
        ...


class ScrfdDetector:
    """Engine `ezway`'s detector without its embedding."""

    def __init__(self, scrfd: Scrfd) -> None:
        self.model_id = scrfd.name
        self._scrfd = scrfd

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Detector.detect`."""
        return self._scrfd.detect(image.pixels, options)

    def warm_up(self) -> None:
        """See `Detector.warm_up`."""
        self._scrfd.warm_up()


def detectors(settings: Settings) -> dict[str, Callable[[], Detector]]:
    """How to load the detector of each engine of the settings, in their order: who may not use one need not here, too.

    Raises SettingsError for an engine that there is not. A loader raises WeightsError, or what its library raises.
    """
    return {name: partial(_scrfd, settings) if name == "ezway" else load for name, load in loaders(settings).items()}


def checks(settings: Settings) -> dict[str, Callable[[], LivenessCheck]]:
    """How to load each check of the settings. Raises SettingsError for a name that is none."""
    for name in settings.liveness.checks:
        if name not in _CHECKS:
            raise SettingsError(f"FIDOX_LIVENESS_CHECKS: there is no check {name}; there are {', '.join(_CHECKS)}")
    return {name: partial(_check, settings, Check(name)) for name in settings.liveness.checks}


def _scrfd(settings: Settings) -> Detector:
    located = choose(WeightStore(settings.weights), DETECTOR, settings.faces.detector, gpu=has_gpu())
    if located is None:
        raise MissingWeightError(f"no weights for {DETECTOR}; `fidox weights fetch` gets them")
    return ScrfdDetector(Scrfd(open_network(located.path), located.weight.name))


def _check(settings: Settings, check: Check) -> LivenessCheck:
    store = WeightStore(settings.weights)
    found, missing = of_check(store, check)
    if missing:
        raise MissingWeightError("; ".join(f"no {weight.name}: {store.way_to_get(weight)}" for weight in missing))
    return _CHECKS[check](*found)


_CHECKS: dict[Check, Callable[..., LivenessCheck]] = {
    Check.PHOTO: PhotoCheck,
    Check.DEEPFAKE: DeepfakeCheck,
    Check.MASK: MaskCheck,
}
