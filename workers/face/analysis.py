"""One picture, as far as an operation needs it: decode, detect, choose, judge, embed, with the time of each step.

FACES       decode ─> light ─> detect
EMBEDDING   decode ─> light ─> find the face, upright ─> embed ─> look round once more, where that is weak and not clear
TEMPLATE    as EMBEDDING ─> quality
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from workers.face.judges import PLAIN
from workers.face.quality import Fault, faults, unfit
from workers.vision.decode import decode
from workers.vision.detection import Stopwatch
from workers.vision.light import lit
from workers.vision.profile import face_of, faces_of, profile_of
from workers.vision.upright import CLEAR, find_face, look_round

if TYPE_CHECKING:
    from shared import contracts
    from workers.face.engines import Engine
    from workers.face.examined import Examined
    from workers.face.judges import Judges
    from workers.inference.network import FloatArray
    from workers.vision.detection import DetectOptions
    from workers.vision.upright import Sighting


class Want(IntEnum):
    """How far to go; each includes those before it."""

    FACES = 1
    EMBEDDING = 2
    TEMPLATE = 3  # an embedding that will be kept: its picture's quality is judged


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What was found. `embedding` is empty and `faults` too where they were not wanted; `chosen` is None then.

    All in pixels of the file's own upright picture. `unfit` is what makes the embedding one that misses its person more
    often than not; a picture with such a fault is no evidence that two persons differ.
    """

    faces: tuple[contracts.Face, ...]
    chosen: contracts.Face | None
    embedding: FloatArray
    faults: tuple[Fault, ...]
    profile: contracts.Profile
    unfit: tuple[Fault, ...] = ()


def analyse(
    engine: Engine, data: bytes, options: DetectOptions, want: Want, *, max_pixels: int, judges: Judges = PLAIN
) -> Analysis:
    """Walk one picture through `engine`; `judges` help with its quality.

    Raises ImageError for what is wrong with it.
    """
    watch = Stopwatch()
    image = lit(decode(data, max_pixels=max_pixels))
    decode_ms = watch.lap()
    if want is Want.FACES:
        detections = engine.detect(image, options)
        profile = msgspec.structs.replace(profile_of(image, detections, len(data)), decode_ms=decode_ms)
        return Analysis(faces_of(image, detections.faces), None, np.empty(0, np.float32), (), profile)
    sighting = find_face(engine, image, options, judges.how_clear)
    watch.lap()
    sighting, examined = _examined(engine, sighting, options, judges)
    embed_ms = watch.lap()
    found_faults = faults(sighting.image, sighting.face, judges) if want is Want.TEMPLATE else ()
    bad = () if found_faults else unfit(sighting.image, sighting.face, sighting.clarity, is_poor=examined.is_poor)
    quality_ms = watch.lap()
    profile = msgspec.structs.replace(
        profile_of(image, sighting.detections, len(data)),
        decode_ms=decode_ms,
        quality_ms=quality_ms if want is Want.TEMPLATE else 0.0,
        embed_ms=embed_ms,
    )
    return Analysis(
        faces_of(image, sighting.faces_in_file()),
        face_of(image, sighting.turn.back(sighting.face)),
        np.empty(0, np.float32) if found_faults else examined.embedding,
        found_faults,
        profile,
        bad,
    )


def _examined(engine: Engine, sighting: Sighting, options: DetectOptions, judges: Judges) -> tuple[Sighting, Examined]:
    """Embed the face; where the embedding is weak and the face not clear, it may stand on its head all the same."""
    examined = engine.examine(lit(sighting.image, sighting.face.box), sighting.face)
    if not examined.is_weak:
        return sighting, examined
    if sighting.clarity is None:
        sighting = replace(sighting, clarity=judges.how_clear(sighting.image, sighting.face))
    if sighting.looked_round or sighting.clarity is None or sighting.clarity >= CLEAR:
        return sighting, examined
    best = look_round(engine, sighting, options, judges.how_clear)
    if best.turn == sighting.turn:
        return best, examined
    return best, engine.examine(lit(best.image, best.face.box), best.face)
