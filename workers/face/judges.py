"""The two networks that help to judge a picture, where their weights are there.

They are help and no more: without one of them, or where it fails, a picture is judged by the plain measures alone, and
the log says so. A picture is never refused, nor taken for another, because a judge is missing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.contracts import Part, PartState
from workers.face.pose import HeadPoses
from workers.inference.optional import open_optional
from workers.vision.clarity import WEIGHT as CLARITY
from workers.vision.clarity import open_clarity

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from shared.contracts import LoadedNetwork
    from shared.settings import Inference
    from shared.weights import WeightStore
    from workers.face.pose import HeadPose
    from workers.vision.clarity import Clarity
    from workers.vision.decode import Image
    from workers.vision.detection import Detection

    T = TypeVar("T")

log = logging.getLogger(__name__)

POSES = ("fsanet_1x1", "fsanet_var")


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
        """See `Clarity.judge`; None where the network is missing, too."""
        return None if self.clarity is None else self.clarity.judge(image, face)


# Nobody but the plain measures.
PLAIN = Judges()


def open_judges(store: WeightStore, settings: Inference) -> Judges:
    """Those whose weights are on this machine and can be loaded. Never raises for what is missing or broken."""
    # In f32: in bf16 a head is turned by up to four degrees more or less.
    poses = [open_optional(store, name, settings) for name in POSES]
    both = [network for network in poses if network is not None]
    return Judges(
        poses=HeadPoses(both) if len(both) == len(POSES) else None,
        clarity=open_clarity(store, settings),
    )


def _part(name: str, model: str, networks: tuple[LoadedNetwork, ...]) -> Part:
    state = PartState.READY if networks else PartState.ABSENT
    return Part(name=name, state=state, model=model if networks else None, networks=networks, helps=True)


def _asked(what: str, judge: Callable[[], T]) -> T | None:
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 — whatever a session raises, the plain measures stand
        log.warning("no %s: %s: %s", what, type(error).__name__, error)
        return None
