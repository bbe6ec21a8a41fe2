"""Detectors: what finds the faces of a picture, whichever network or method it is.

    scrfd_*     SCRFD, on the runtime of this machine
    yunet_*     YuNet, on the same; its licence allows commercial use
    dlib_hog    HOG, which needs no weights

An engine of the face worker is a detector, too; liveness and OCR take one without an embedding.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from shared.settings import SettingsError
from shared.weights import (
    APPLEMANGO,
    DETECTOR,
    DLIB,
    EZWAY,
    OF_APPLEMANGO,
    UnknownWeightError,
    WeightStore,
    choose,
    engines,
    first,
    require,
)
from shared.weights.forms import Detector as Form
from workers.inference.gpu import has_gpu
from workers.inference.isolated import IsolatedProcess
from workers.inference.sessions import open_network
from workers.vision.grid import SIZES
from workers.vision.scrfd import Scrfd
from workers.vision.yunet import Yunet

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.contracts import LoadedNetwork
    from shared.settings import Inference, Settings
    from shared.weights import Located
    from workers.vision.decode import Image
    from workers.vision.detection import Detections, DetectOptions
    from workers.vision.grid import GridDetector

# By the beginning of the weight's name, which the form of an operator's weight gives.
NETWORKS: dict[str, type[GridDetector]] = {"scrfd_": Scrfd, "yunet_": Yunet}


class Detector(Protocol):
    """Blocking, and safe to call from several threads at once."""

    @property
    def model_id(self) -> str:
        """What is loaded: the name that a detection is answered with."""
        ...

    @property
    def networks(self) -> tuple[LoadedNetwork, ...]:
        """What it computes with; empty where that is no network."""
        ...

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """The faces of an image, in pixels of `image.pixels`, the largest first."""
        ...

    def warm_up(self) -> None:
        """Run everything once, so that the first request does not pay for it."""
        ...


class IsolatedDetector:
    """A `Detector` in a process of its own; everything may raise IsolatedProcessError."""

    def __init__(self, factory: str) -> None:
        self._process = IsolatedProcess(factory)
        facts = self._process.attributes("model_id", "networks")
        self.model_id, self.networks = cast("tuple[str, tuple[LoadedNetwork, ...]]", facts)

    def detect(self, image: Image, options: DetectOptions) -> Detections:
        """See `Detector.detect`."""
        return cast("Detections", self._process.call("detect", image, options))

    def warm_up(self) -> None:
        """See `Detector.warm_up`."""
        self._process.call("warm_up")


def detector_loaders(settings: Settings) -> dict[str, Callable[[], Detector]]:
    """How to load the detector of each engine of this machine (see `engines`), in their order.

    Raises SettingsError for the name of an engine that does not exist. A loader raises WeightsError, or what its
    library raises.
    """
    loaders: dict[str, Callable[[], Detector]] = {
        EZWAY: partial(_needed, settings),
        APPLEMANGO: partial(_yunet, settings),
        DLIB: partial(IsolatedDetector, "workers.vision.dlib_hog:DlibHog"),
    }
    for name in settings.faces.engines:
        if name not in loaders:
            raise SettingsError(f"FIDOX_ENGINES: engine {name} cannot be loaded; there are {', '.join(loaders)}")
    names = engines(WeightStore(settings.weights), settings, gpu=has_gpu(settings.inference))
    return {name: loaders[name] for name in names}


def open_detector(settings: Settings) -> Detector | None:
    """The detector of the settings, or the best one on this machine. None where no weights are here.

    Raises WeightsError for a name that is not in the manifest, and what the runtime raises for a broken file.
    """
    located = choose(WeightStore(settings.weights), DETECTOR, settings.faces.detector, gpu=has_gpu(settings.inference))
    return None if located is None else load_detector(located, settings.inference)


def load_detector(located: Located, settings: Inference, *, callers: int = 1) -> Detector:
    """Return the detector of a weight, which answers `callers` at the same time.

    Raises UnknownWeightError for a weight of no known network, and what the runtime raises for a broken file.
    """
    name, form = located.weight.name, located.weight.form
    like = f"{form.outputs}_" if isinstance(form, Form) else name
    for beginning, network in NETWORKS.items():
        if like.startswith(beginning):
            return network(open_network(located, settings, callers=callers, sizes=SIZES), name)
    raise UnknownWeightError(f"{name} is not a detector: expected a name that begins with {' or '.join(NETWORKS)}")


def _needed(settings: Settings) -> Detector:
    gpu = has_gpu(settings.inference)
    located = require(WeightStore(settings.weights), DETECTOR, settings.faces.detector, gpu=gpu)
    return load_detector(located, settings.inference)


def _yunet(settings: Settings) -> Detector:
    located = first(WeightStore(settings.weights), DETECTOR, OF_APPLEMANGO[DETECTOR])
    return load_detector(located, settings.inference)
