"""One picture, as far as an operation needs it: decode, detect, choose, judge, embed, with the time of each step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from shared import contracts
from workers.face.choice import choose
from workers.face.detection import Stopwatch
from workers.face.images import Image, decode
from workers.face.judges import PLAIN
from workers.face.quality import Fault, faults

if TYPE_CHECKING:
    from workers.face.detection import Detection, Detections, DetectOptions
    from workers.face.engines import Engine
    from workers.face.judges import Judges
    from workers.runtime.onnx import FloatArray


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
        face = choose(detections.faces)
        chosen = _face(image, face)
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


def profile_of(image: Image, detections: Detections, input_bytes: int) -> contracts.Profile:
    """What a detection says of itself; the other steps' times are for those who do them."""
    times = detections.times
    return contracts.Profile(
        preprocess_ms=times.preprocess_ms,
        blob_ms=times.blob_ms,
        inference_ms=times.inference_ms,
        postprocess_ms=times.postprocess_ms,
        nms_ms=times.nms_ms,
        detector=detections.detector,
        candidates_before_nms=detections.candidates_before_nms,
        candidates_after_nms=detections.candidates_after_nms,
        det_scale=detections.scale * image.scale,
        image_size=(image.width, image.height),
        input_size=detections.input_size,
        input_bytes=input_bytes,
    )


def faces_of(image: Image, detections: Detections) -> tuple[contracts.Face, ...]:
    """The faces in pixels of the file's own upright picture, the largest first."""
    return tuple(_face(image, detection) for detection in detections.faces)


def same_face(one: contracts.Face | None, other: contracts.Face | None) -> bool:
    """Do two engines mean the same face of a picture? Each one's centre lies in the other one's box."""
    if one is None or other is None:
        return False
    return _holds(one, other) and _holds(other, one)


def _holds(box: contracts.Face, face: contracts.Face) -> bool:
    x, y = face.x + face.width / 2, face.y + face.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


def _face(image: Image, detection: Detection) -> contracts.Face:
    """In pixels of the file's own picture."""
    x1, y1, x2, y2 = (float(value) / image.scale for value in detection.box)
    points = () if detection.landmarks is None else detection.landmarks / image.scale
    return contracts.Face(
        x=x1,
        y=y1,
        # A reduced size is rounded up, so the far edge can come back a fraction of a pixel outside.
        width=min(x2, image.width) - x1,
        height=min(y2, image.height) - y1,
        confidence=detection.confidence,
        landmarks=tuple((float(x), float(y)) for x, y in points),
    )
