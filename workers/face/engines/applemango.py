"""Engine `applemango`: YuNet and face_reidentification_retail_0095, in a process of its own.

Both may be used commercially. What ends, hangs or fills the process of the first engine leaves this one standing, and
so does a GPU that is lost: it computes on the CPU. Under FIDOX_WEIGHTS_LICENCE=commercial `ezway` has the same
networks; this one is then a second process with the same answers, and not a second opinion.

    worker ── arguments ──> child: `Applemango(…)`, which loads what the worker has found and checked
           <── answers ───
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shared.settings import Inference
from shared.weights import DETECTOR, OF_APPLEMANGO, RECOGNISER, Located, Place, Weight, WeightStore, first
from workers.face.engines.isolated import IsolatedEngine
from workers.face.engines.pair import Pair
from workers.face.recognisers import load_recogniser
from workers.vision.detectors import load_detector

if TYPE_CHECKING:
    from shared.settings import Settings

NAME = "applemango"


class _File(msgspec.Struct, frozen=True):
    """A weight that was located, as text."""

    weight: Weight
    path: str
    place: Place
    companions: tuple[str, ...]

    @classmethod
    def of(cls, located: Located) -> _File:
        return cls(located.weight, str(located.path), located.place, tuple(map(str, located.companions)))

    @property
    def located(self) -> Located:
        return Located(self.weight, Path(self.path), self.place, tuple(map(Path, self.companions)))


class _Parts(msgspec.Struct, frozen=True):
    """What the child loads."""

    detector: _File
    recogniser: _File
    inference: Inference


class Applemango(Pair):
    """The engine inside the child."""

    def __init__(self, parts: str) -> None:
        """Load what the JSON of `_Parts` names. Raises what the runtime raises for a broken file."""
        known = msgspec.json.decode(parts, type=_Parts)
        super().__init__(
            NAME,
            load_detector(known.detector.located, known.inference),
            load_recogniser(known.recogniser.located, known.inference),
        )


def open_applemango(store: WeightStore, settings: Settings) -> IsolatedEngine:
    """Start the process. Raises MissingWeightError, and IsolatedProcessError where it cannot load them."""
    parts = _Parts(
        _File.of(first(store, DETECTOR, OF_APPLEMANGO[DETECTOR])),
        _File.of(first(store, RECOGNISER, OF_APPLEMANGO[RECOGNISER])),
        # A second process on the card would take its memory, and fall with it.
        msgspec.structs.replace(settings.inference, gpu="off"),
    )
    arguments = (msgspec.json.encode(parts).decode(),)
    return IsolatedEngine(f"{Applemango.__module__}:{Applemango.__name__}", arguments)
