"""The two networks that help to judge a picture, where their weights are there.

They are help and no more: without one of them, or where it fails, a picture is judged by the plain measures alone, and
the log says so. A picture is never refused, nor taken for another, because a judge is missing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.contracts import Part, PartState
from shared.weights import MissingWeightError, WeightsError
from workers.face.clarity import Clarity
from workers.face.pose import HeadPoses
from workers.inference.sessions import open_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from shared.contracts import LoadedNetwork
    from shared.settings import Inference
    from shared.weights import WeightStore
    from workers.face.pose import HeadPose
    from workers.inference.network import Network
    from workers.vision.decode import Image
    from workers.vision.detection import Detection

    T = TypeVar("T")

log = logging.getLogger(__name__)

POSES = ("fsanet_1x1", "fsanet_var")
CLARITY = "lightqnet_dm100"


@dataclass(frozen=True)
class Judges:
    """`poses` and `clarity` are None where there are no weights for them."""

    poses: HeadPoses | None = None
    clarity: Clarity | None = None

    def describe(self) -> list[Part]:
        """Both, and whether they are there."""
        return [
            _part("head_pose", "+".join(POSES), self.poses.networks if self.poses else ()),
            _part("face_quality", CLARITY, self.clarity.networks if self.clarity else ()),
        ]

    def head_pose(self, image: Image, face: Detection) -> HeadPose | None:
        """Which way the head is turned; None where nobody can say."""
        poses = self.poses
        return None if poses is None else _asked("head pose", lambda: poses.of(image.pixels, face))

    def how_clear(self, image: Image, face: Detection) -> float | None:
        """See `Clarity.of`; None where nobody can say, as of a face without landmarks."""
        clarity, landmarks = self.clarity, face.landmarks
        if clarity is None or landmarks is None:
            return None
        return _asked("face quality", lambda: clarity.of(image.pixels, landmarks))


# Nobody but the plain measures.
PLAIN = Judges()


def open_judges(store: WeightStore, settings: Inference) -> Judges:
    """Those whose weights are on this machine and can be loaded. Never raises for what is missing or broken."""
    # In bf16 a head is turned by up to four degrees more or less, and a face on its head passes as a sharp one.
    poses = [_open(store, name, settings) for name in POSES]
    clarity = _open(store, CLARITY, settings)
    both = [network for network in poses if network is not None]
    return Judges(
        poses=HeadPoses(both) if len(both) == len(POSES) else None,
        clarity=Clarity(clarity) if clarity is not None else None,
    )


def _part(name: str, model: str, networks: tuple[LoadedNetwork, ...]) -> Part:
    state = PartState.READY if networks else PartState.ABSENT
    return Part(name=name, state=state, model=model if networks else None, networks=networks, helps=True)


def _open(store: WeightStore, name: str, settings: Inference) -> Network | None:
    try:
        return open_network(store.locate(name), settings, exact=True)
    except MissingWeightError as error:
        log.info("pictures are judged without %s: %s", name, error)
    except WeightsError as error:
        log.warning("pictures are judged without %s: %s", name, error)
    except Exception as error:  # noqa: BLE001 — a file that the runtime cannot load, in whatever way it says so
        log.warning("pictures are judged without %s: %s: %s", name, type(error).__name__, error)
    return None


def _asked(what: str, judge: Callable[[], T]) -> T | None:
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 — whatever a session raises, the plain measures stand
        log.warning("no %s: %s: %s", what, type(error).__name__, error)
        return None
