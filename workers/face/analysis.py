"""One picture, as far as an operation needs it: decode, detect, choose, judge, embed, with the time of each step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from workers.face.judges import PLAIN
from workers.face.quality import Fault, faults
from workers.vision.decode import decode
from workers.vision.detection import Stopwatch
from workers.vision.primary_face import primary_face
from workers.vision.profile import face_of, faces_of, profile_of

if TYPE_CHECKING:
    from shared import contracts
    from workers.face.engines import Engine
    from workers.face.judges import Judges
    from workers.inference.network import FloatArray
    from workers.vision.detection import DetectOptions


class Want(IntEnum):
    """How far to go; each includes those before it."""

    FACES = 1
    EMBEDDING = 2
    TEMPLATE = 3  # an embedding that will be kept: its picture's quality is judged


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What was found. `embedding` is empty and `faults` too where they were not wanted; `chosen` is None then.

    All in pixels of the file's own upright picture.
    """

    faces: tuple[contracts.Face, ...]
    chosen: contracts.Face | None
    embedding: FloatArray
    faults: tuple[Fault, ...]
    profile: contracts.Profile


def analyse(
    engine: Engine, data: bytes, options: DetectOptions, want: Want, *, max_pixels: int, judges: Judges = PLAIN
) -> Analysis:
    """Walk one picture through `engine`; `judges` help with its quality.

    Raises ImageError for what is wrong with it.
    """
    watch = Stopwatch()
    image = decode(data, max_pixels=max_pixels)
    decode_ms = watch.lap()
    detections = engine.detect(image, options)
    watch.lap()
    embedding, found_faults, chosen = np.empty(0, np.float32), (), None
    quality_ms = embed_ms = 0.0
    if want >= Want.EMBEDDING:
        face = primary_face(detections.faces)
        chosen = face_of(image, face)
        if want >= Want.TEMPLATE:
            found_faults = faults(image, face, judges)
            quality_ms = watch.lap()
        if not found_faults:
            embedding = engine.embed(image, face)
            embed_ms = watch.lap()
    profile = msgspec.structs.replace(
        profile_of(image, detections, len(data)), decode_ms=decode_ms, quality_ms=quality_ms, embed_ms=embed_ms
    )
    return Analysis(faces_of(image, detections), chosen, embedding, found_faults, profile)
