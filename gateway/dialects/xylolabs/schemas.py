"""The xylolabs API's answers, field for field and in the order in which its document has them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.contracts import ImageFormat, MaskMethod, PartState

Pixels = Annotated[float, Meta(description="In pixels of the upright picture")]
Milliseconds = Annotated[float, Meta(ge=0)]
Confidence = Annotated[float, Meta(ge=0, le=1)]
NoFace = Annotated[float | None, Meta(description="null where there is no face")]


class Size(msgspec.Struct):
    """The picture as it came: upright size, channels of the file (1 grey, 2 with alpha, 3 colour, 4), bytes."""

    width: int
    height: int
    channels: int
    size_bytes: int


class Point(msgspec.Struct):
    """In pixels of the upright picture; the origin is its top left corner."""

    x: Pixels
    y: Pixels


class Box(msgspec.Struct):
    """Top left and bottom right corner."""

    x1: Pixels
    y1: Pixels
    x2: Pixels
    y2: Pixels


class Landmarks(msgspec.Struct):
    """Left and right as one looks at the picture. A point may lie outside a face that the picture's edge cuts."""

    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point


class RelativePosition(msgspec.Struct):
    """The face's centre and size as shares of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float


class DetectedFace(msgspec.Struct):
    """One face. Landmarks are null where the detector has none (dlib's, which stands in for SCRFD)."""

    bbox: Box
    landmarks: Landmarks | None
    width: Pixels
    height: Pixels
    area: Annotated[float, Meta(ge=0, description="Of the bbox, in square pixels")]
    center: Point
    relative_position: RelativePosition
    confidence: Confidence


class Summary(msgspec.Struct):
    """All faces together; `face_area_ratio` is their boxes' area over the picture's, overlaps counted twice."""

    face_count: Annotated[int, Meta(ge=0)]
    avg_confidence: NoFace
    min_confidence: NoFace
    max_confidence: NoFace
    total_face_area: float
    face_area_ratio: float


class Processing(msgspec.Struct):
    """What ran, with what, and how long the whole took; `input_size` is the detector's, width and height."""

    model: str
    input_size: Annotated[list[int], Meta(min_length=2, max_length=2)]
    confidence_threshold: Confidence
    nms_threshold: Confidence
    inference_ms: Milliseconds
    total_ms: Milliseconds


class Profiling(msgspec.Struct):
    """Where the time went, measured in the worker; null: not done. `det_scale`: detector's size over file's."""

    decode_ms: Milliseconds
    preprocess_ms: Milliseconds
    blob_ms: Milliseconds
    inference_ms: Milliseconds
    postprocess_ms: Milliseconds
    nms_ms: Milliseconds
    mask_ms: Milliseconds | None
    encode_ms: Milliseconds | None
    storage_ms: Milliseconds | None
    total_ms: Milliseconds
    candidates_before_nms: int
    candidates_after_nms: int
    det_scale: float
    input_resolution: str
    det_resolution: str
    input_bytes: int
    output_bytes: int | None
    input_pixels: int
    model_name: str


class DetectResponse(msgspec.Struct):
    """Every face of a picture. `image_id` and `job_id` are null unless it was stored."""

    request_id: Annotated[str, Meta(description="A UUID, which an operator can look up")]
    image_id: str | None
    job_id: str | None
    image: Size
    detections: list[DetectedFace]
    summary: Summary
    processing: Processing
    profiling: Profiling


class Masking(msgspec.Struct):
    """What was done to the picture."""

    method: MaskMethod
    strength: int
    padding: float
    regions_masked: Annotated[int, Meta(ge=0)]


class Output(msgspec.Struct):
    """The masked picture, in base64."""

    format: ImageFormat
    quality: int
    size_bytes: int
    image_base64: str


class MaskResponse(DetectResponse):
    """What the admin preview answers: a detection, and the picture without its faces."""

    masking: Masking
    output: Output


class HealthPart(msgspec.Struct):
    """One part: `ok`, or what is wrong; `disabled` is none of the operator's wish."""

    status: str


class HealthNetwork(msgspec.Struct):
    """A network that is loaded: its weight, what runs it, on CPU or CUDA, in f32 or bf16."""

    name: str
    runtime: str
    device: str
    precision: str


class HealthEngine(msgspec.Struct):
    """An engine or check in all processes together: in how many it is `ready`, its recogniser and its detector.

    Where it is off, `because` says why and `get` what turns it on. One that `helps` improves answers; none needs it.
    `caution` is what is known against the networks that it computes with.
    """

    name: str
    state: PartState
    ready: int
    processes: int
    model: str | None
    detector: str | None
    networks: list[HealthNetwork]
    because: str | None
    get: str | None
    helps: bool
    caution: str | None


class HealthWorkers(msgspec.Struct):
    """Live processes of one kind of worker, and how its engines or checks are."""

    status: str
    processes: int
    engines: list[HealthEngine]


class HealthParts(msgspec.Struct):
    """Redis, the database, the storage, and the workers by kind. Liveness and OCR do not decide the whole."""

    redis: HealthPart
    database: HealthPart
    storage: HealthPart
    face: HealthWorkers
    liveness: HealthWorkers
    ocr: HealthWorkers


class HealthResponse(msgspec.Struct):
    """`ok` where a call would be answered; `model` is the detector that would answer it.

    `notice` names the weights in use whose licence does not allow commercial use; null where all of them do.
    """

    status: str
    version: str
    model: str | None
    notice: str | None
    components: HealthParts
