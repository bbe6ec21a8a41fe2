"""What a detection reports: the faces in pixels of the file, and how they were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import contracts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workers.vision.decode import Image
    from workers.vision.detection import Detection, Detections


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


def faces_of(image: Image, faces: Iterable[Detection]) -> tuple[contracts.Face, ...]:
    """The faces in pixels of the file's own upright picture, in their order."""
    return tuple(face_of(image, face) for face in faces)


def same_face(one: contracts.Face | None, other: contracts.Face | None) -> bool:
    """Do two engines mean the same face of a picture? Each one's centre lies in the other one's box."""
    if one is None or other is None:
        return False
    return _holds(one, other) and _holds(other, one)


def _holds(box: contracts.Face, face: contracts.Face) -> bool:
    x, y = face.x + face.width / 2, face.y + face.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


def face_of(image: Image, detection: Detection) -> contracts.Face:
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
