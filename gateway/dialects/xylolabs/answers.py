"""From a worker's outcome to the document's answer: numbers made from numbers, none invented."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import pybase64

from gateway.dialects.xylolabs import schemas

if TYPE_CHECKING:
    from gateway.calls import Call
    from shared import contracts


def detect_response(call: Call, asked: contracts.Detecting, done: contracts.FacesDetected) -> schemas.DetectResponse:
    """`DetectResponse`, of what was asked and what was found."""
    width, height = done.profile.image_size
    return schemas.DetectResponse(
        request_id=call.tx_id,
        image_id=done.image_id,
        job_id=done.job_id,
        image=schemas.Size(width=width, height=height, channels=done.channels, size_bytes=done.profile.input_bytes),
        detections=faces(done.faces, width, height),
        summary=_summary(done.faces, width * height),
        processing=schemas.Processing(
            model=done.profile.detector,
            input_size=list(done.profile.input_size),
            confidence_threshold=asked.confidence,
            nms_threshold=asked.nms_threshold,
            inference_ms=_ms(done.profile.inference_ms),
            total_ms=_ms(done.profile.total_ms),
        ),
        profiling=profiling(done.profile),
    )


def mask_response(call: Call, asked: contracts.MaskFaces, done: contracts.FacesMasked) -> schemas.MaskResponse:
    """The same, with what was masked and the picture itself."""
    return schemas.MaskResponse(
        **msgspec.structs.asdict(detect_response(call, asked, done)),
        masking=schemas.Masking(
            method=asked.method, strength=asked.strength, padding=asked.padding, regions_masked=len(done.faces)
        ),
        output=schemas.Output(
            format=done.format,
            quality=asked.quality,
            size_bytes=len(done.image),
            image_base64=pybase64.b64encode(done.image).decode("ascii"),
        ),
    )


def mask_headers(call: Call, done: contracts.FacesMasked) -> dict[str, str]:
    """What is told of a masked picture beside it."""
    profile = done.profile
    kept = {"X-Image-Id": done.image_id, "X-Job-Id": done.job_id} if done.image_id and done.job_id else {}
    return {
        **kept,
        "X-Request-Id": call.tx_id,
        "X-Face-Count": str(len(done.faces)),
        "X-Smallest-Face": str(math.ceil(profile.smallest_face_px)),
        "X-Inference-Ms": f"{profile.inference_ms:.2f}",
        "X-Mask-Ms": f"{profile.mask_ms or 0:.2f}",
        "X-Encode-Ms": f"{profile.encode_ms or 0:.2f}",
        "X-Total-Ms": f"{profile.total_ms:.2f}",
        "X-Model": profile.detector,
        # The picture is somebody's; and it is a picture, whatever its bytes may look like to a browser.
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def faces(found: tuple[contracts.Face, ...], width: int, height: int) -> list[schemas.DetectedFace]:
    """The faces of a picture of this size, in pixels."""
    return [_face(face, width, height) for face in found]


def _face(face: contracts.Face, width: int, height: int) -> schemas.DetectedFace:
    center = face.x + face.width / 2, face.y + face.height / 2
    return schemas.DetectedFace(
        bbox=schemas.Box(x1=_px(face.x), y1=_px(face.y), x2=_px(face.x + face.width), y2=_px(face.y + face.height)),
        landmarks=schemas.Landmarks(*(_point(*point) for point in face.landmarks)) if face.landmarks else None,
        width=_px(face.width),
        height=_px(face.height),
        area=_px(face.width * face.height),
        center=_point(*center),
        relative_position=schemas.RelativePosition(
            x=round(center[0] / width, 4),
            y=round(center[1] / height, 4),
            width=round(face.width / width, 4),
            height=round(face.height / height, 4),
        ),
        confidence=round(face.confidence, 4),
    )


def _summary(faces: tuple[contracts.Face, ...], pixels: int) -> schemas.Summary:
    confidences = [face.confidence for face in faces]
    area = sum(face.width * face.height for face in faces)
    return schemas.Summary(
        face_count=len(faces),
        avg_confidence=round(sum(confidences) / len(confidences), 4) if confidences else None,
        min_confidence=round(min(confidences), 4) if confidences else None,
        max_confidence=round(max(confidences), 4) if confidences else None,
        total_face_area=_px(area),
        face_area_ratio=round(area / pixels, 4),
    )


def profiling(profile: contracts.Profile) -> schemas.Profiling:
    """Where the time of a job went."""
    width, height = profile.image_size
    return schemas.Profiling(
        decode_ms=_ms(profile.decode_ms),
        preprocess_ms=_ms(profile.preprocess_ms),
        blob_ms=_ms(profile.blob_ms),
        inference_ms=_ms(profile.inference_ms),
        postprocess_ms=_ms(profile.postprocess_ms),
        nms_ms=_ms(profile.nms_ms),
        mask_ms=_ms_or_none(profile.mask_ms),
        encode_ms=_ms_or_none(profile.encode_ms),
        storage_ms=_ms_or_none(profile.storage_ms),
        total_ms=_ms(profile.total_ms),
        candidates_before_nms=profile.candidates_before_nms,
        candidates_after_nms=profile.candidates_after_nms,
        det_scale=round(profile.det_scale, 6),
        input_resolution=f"{width}x{height}",
        det_resolution="{}x{}".format(*profile.input_size),
        input_bytes=profile.input_bytes,
        output_bytes=profile.output_bytes,
        input_pixels=width * height,
        model_name=profile.detector,
    )


def _point(x: float, y: float) -> schemas.Point:
    return schemas.Point(x=_px(x), y=_px(y))


def _px(value: float) -> float:
    """A hundredth of a pixel is more than any detector means."""
    return round(value, 2)


def _ms(value: float) -> float:
    return round(value, 2)


def _ms_or_none(value: float | None) -> float | None:
    return None if value is None else _ms(value)
