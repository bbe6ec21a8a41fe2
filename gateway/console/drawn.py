"""A job as a template draws it: boxes over its picture, and where its time went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.contracts import Face, Profile

# In the order in which they happen; the wait in the queue is no part of the total.
WAIT = "queue_wait"
STEPS = ("decode", "preprocess", "blob", "inference", "postprocess", "nms", "mask", "encode", "storage")
# What remains is shown from here on: less is rounding.
LEAST_MS = 0.05
# Letters are so large a part of the picture's longer side.
LETTERS = 1 / 38


@dataclass(frozen=True, slots=True)
class Box:
    """A detection in pixels of the upright picture, which is what a browser shows; its score stands at `text_y`."""

    face: Face
    points: str
    tag: str
    text_y: float


@dataclass(frozen=True, slots=True)
class Overlay:
    """What lies over a picture, in a view box of the picture's own size."""

    width: int
    height: int
    letters: float
    boxes: Sequence[Box]


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a job; `share` of the longest, in percent."""

    name: str
    ms: float
    share: float


def overlay_of(faces: Sequence[Face], size: tuple[int, int]) -> Overlay:
    """Boxes with their number and score, above the box where there is room."""
    letters = max(9.0, max(size) * LETTERS)
    boxes = [
        Box(face, _corners(face), f"{n}: {face.confidence:.2f}", max(letters, face.y - letters / 3))
        for n, face in enumerate(faces, 1)
    ]
    return Overlay(*size, letters, boxes)


def _corners(face: Face) -> str:
    left, top, right, bottom = face.x, face.y, face.x + face.width, face.y + face.height
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)))


def steps_of(profile: Profile) -> list[Step]:
    """What took time, and what remains of the total."""
    found = [(name, getattr(profile, f"{name}_ms") or 0.0) for name in STEPS]
    other = profile.total_ms - sum(ms for _, ms in found)
    shown = [(name, ms) for name, ms in [(WAIT, profile.queue_wait_ms), *found] if ms > 0]
    shown += [("other", other)] if other > LEAST_MS else []
    most = max((ms for _, ms in shown), default=1.0)
    return [Step(name, ms, 100 * ms / most) for name, ms in shown]
