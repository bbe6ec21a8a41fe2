"""Recognisers: networks that turn an aligned face into an embedding, and what each expects of its input.

    weight                               aligned to           pixels                embedding   licence of the weights
    w600k_*                              ArcFace's, 112 px    RGB, (x-127.5)/127.5  512         non-commercial
    arcface_lresnet100e_ir               ArcFace's, 112 px    RGB, 0..255           512         Apache-2.0
    face_reidentification_retail_0095    its own, 128 px      BGR, 0..255           256         Apache-2.0

ArcFace: Deng et al. 2019, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition". The w600k weights were
trained on WebFace600K, with a MobileFaceNet or a ResNet-50. LResNet100E-IR, trained on MS1M, is the ONNX model zoo's
`arcfaceresnet100-8`, which scales the pixels inside its graph: (x-127.5)/128. retail-0095 is Open Model Zoo's
face-reidentification-retail-0095, a MobileNetV2. Others come by an operator's manifest, whose form says the same of
them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np

from shared.weights import UnknownWeightError, WeightsError
from shared.weights.forms import ARCFACE
from shared.weights.forms import Recogniser as Form
from workers.face.calibration import calibration_in, calibration_of, uncalibrated
from workers.face.examined import Examined
from workers.inference.network import warm_up
from workers.inference.sessions import open_network
from workers.vision import align

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from workers.face.calibration import Calibration
    from workers.inference.network import FloatArray, Network
    from workers.vision.decode import Image
    from workers.vision.detection import Detection

# Open Model Zoo's README of face-reidentification-retail-0095 gives these places as shares of the picture's sides. On
# 30,876 labelled pairs they and ArcFace's tell people apart equally well; RGB instead of BGR misses twice as many.
RETAIL_PLACES = 128 * np.array(
    [
        [0.31556875000000000, 0.4615741071428571],
        [0.68262291666666670, 0.4615741071428571],
        [0.50026249999999990, 0.6405053571428571],
        [0.34947187500000004, 0.8246919642857142],
        [0.65343645833333330, 0.8246919642857142],
    ],
    np.float32,
)


class Norms(NamedTuple):
    """What the length of a model's embedding says of a face, before it is normalised (see `Examined`).

    Below `weak` the face is looked at more closely; below `mirrored` the embedding is the mean of the face's and of its
    mirror image's, at the price of a second run; below `poor` a face is missed more often than not.
    """

    weak: float
    mirrored: float
    poor: float


class Format(NamedTuple):
    """What a network expects: `side` pixels, the landmarks at `places`, (pixel - mean) / spread in RGB or BGR.

    `norms` is None for a model whose lengths were not measured.
    """

    side: int
    places: FloatArray
    rgb: bool
    mean: float
    spread: float
    dimension: int
    norms: Norms | None = None


class Known(NamedTuple):
    """A weight that can be loaded. `model_id` names the numbers, so files that hold the same ones share it."""

    model_id: str
    format: Format


# Measured on 152 photos of 53 persons and on copies of them made small, dark, unsharp and turned.
#
#              of the photos as they are       of the copies, the share missed below `poor`
#     w600k    16.5 least, 19.5 10 %, 23.2 median   0.90 (1 of 20 copies that match has less)
#     retail   10.3 least, 12.5 10 %, 14.4 median   0.98
#
# The mirror image takes w600k's misses from 48 to 44 % at 24 pixels, from 15 to 13 % at 32 and from 33 to 29 % in the
# dark, and leaves its false matches as they are. It gains retail less, and doubles its false matches in the dark. The
# ResNets and LResNet100E-IR were not at hand.
_MBF_NORMS = Norms(weak=20.0, mirrored=20.0, poor=15.5)
_RETAIL_NORMS = Norms(weak=14.0, mirrored=0.0, poor=10.0)

_W600K = Format(align.SIDE, align.PLACES, rgb=True, mean=127.5, spread=127.5, dimension=512)
_MBF = _W600K._replace(norms=_MBF_NORMS)
_ARCFACE_ZOO = _W600K._replace(mean=0.0, spread=1.0)
_RETAIL = Format(128, RETAIL_PLACES, rgb=False, mean=0.0, spread=1.0, dimension=256, norms=_RETAIL_NORMS)
_RETAIL_ID = "face_reidentification_retail_0095"

KNOWN = {
    **{name: Known(name, _MBF) for name in ("w600k_mbf", "w600k_mbf_dequantised")},
    "w600k_r50": Known("w600k_r50", _W600K),
    "arcface_lresnet100e_ir": Known("arcface_lresnet100e_ir", _ARCFACE_ZOO),
    # The same network twice: as Open Model Zoo publishes it, and in ONNX.
    _RETAIL_ID: Known(_RETAIL_ID, _RETAIL),
    f"{_RETAIL_ID}_onnx": Known(_RETAIL_ID, _RETAIL),
}


class Recogniser:
    """One recogniser; keeps nothing between calls, so threads may share it."""

    def __init__(self, network: Network, model_id: str, expected: Format, calibration: Calibration) -> None:
        self.model_id = model_id
        self.dimension = expected.dimension
        self.calibration = calibration
        self.network = network.loaded
        self._network = network
        self._format = expected

    def embed(self, image: Image, face: Detection) -> FloatArray:
        """One face as float32[dimension], L2-normalised. Raises ValueError for a face without landmarks."""
        return self.examine(image, face).embedding

    def examine(self, image: Image, face: Detection) -> Examined:
        """Return the face's embedding and what its length says. Raises ValueError for a face without landmarks."""
        if face.landmarks is None:
            raise ValueError(f"{self.model_id} needs landmarks: use it with a detector that gives them")
        aligned = align.crop(image.pixels, face.landmarks, self._format.places, self._format.side)
        vector = self._run(aligned)
        norm, norms = float(np.linalg.norm(vector)), self._format.norms
        if norms is None:
            return Examined(vector / norm)
        if norm < norms.mirrored:
            mirrored = self._run(cast("NDArray[np.uint8]", cv2.flip(aligned, 1)))
            vector = vector / norm + mirrored / np.linalg.norm(mirrored)
        embedding = cast("FloatArray", vector / np.linalg.norm(vector))
        return Examined(embedding, is_weak=norm < norms.weak, is_poor=norm < norms.poor)

    def _run(self, aligned: NDArray[np.uint8]) -> FloatArray:
        rgb, mean, spread = self._format.rgb, self._format.mean, self._format.spread
        blob = cast("FloatArray", cv2.dnn.blobFromImage(aligned, 1 / spread, mean=(mean, mean, mean), swapRB=rgb))
        return self._network.run(blob)[0].reshape(-1)

    def warm_up(self) -> None:
        """Run it once, so that the first request does not pay for it."""
        warm_up(self._network, (3, self._format.side, self._format.side))


def load_recogniser(located: Located, settings: Inference, *, needs_calibration: bool = True) -> Recogniser:
    """The recogniser of a weight; one that is to be measured needs no calibration.

    Raises UnknownWeightError for another kind of weight, WeightsError for one of an operator's manifest without a
    calibration, and what the runtime raises.
    """
    name, form = located.weight.name, located.weight.form
    if isinstance(form, Form):
        calibration = _calibration(name, form) if needs_calibration else uncalibrated(name)
        network = open_network(located, settings)
        _prove(network, name, form)
        return Recogniser(network, name, _format(form), calibration)
    known = KNOWN.get(name)
    if known is None:
        raise UnknownWeightError(f"{name} is not a recogniser: expected one of {', '.join(KNOWN)}")
    calibration = calibration_of(known.model_id)
    return Recogniser(open_network(located, settings), known.model_id, known.format, calibration)


def _calibration(name: str, form: Form) -> Calibration:
    if form.calibration is None:
        raise WeightsError(
            f"{name} has no calibration, so its scores would mean nothing; write one with `fidox calibrate FOLDER --out"
            f' {name}.toml`, and name it in [weight.form]: calibration = "{name}.toml"'
        )
    return calibration_in(Path(form.calibration), name)


def _format(form: Form) -> Format:
    """Return what an entry of an operator's manifest says, in pixels."""
    shares = align.PLACES / align.SIDE if form.landmarks == ARCFACE else np.array(form.landmarks)
    places = (form.side * shares).astype(np.float32)
    return Format(form.side, places, form.rgb, form.mean, form.spread, form.dimension)


def _prove(network: Network, name: str, form: Form) -> None:
    """Raises WeightsError where the file's input or output is not what its form says."""
    expected, takes = (3, form.side, form.side), tuple(network.input_shape[1:])
    if len(takes) != 3 or any(one not in {None, other} for one, other in zip(takes, expected, strict=True)):
        raise WeightsError(f"{name}: its form says an input of {expected}; the file takes {takes}")
    gives = network.run(np.zeros((1, *expected), np.float32))[0].size
    if gives != form.dimension:
        raise WeightsError(f"{name}: its form says {form.dimension} dimensions; the file gives {gives}")
