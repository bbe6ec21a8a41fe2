"""The query parameters of detect and mask, with their bounds and the document's defaults, and the picture itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar.params import Parameter

from gateway.calls import call_of
from gateway.images import ImageType, check_image
from gateway.multipart import file_of
from shared import contracts
from shared.contracts import ImageFormat, MaskMethod

if TYPE_CHECKING:
    from litestar import Request

PART = "image"
IMAGE_TYPES = (ImageType.JPEG, ImageType.PNG, ImageType.WEBP)

Confidence = Annotated[float, Parameter(ge=0, le=1, description="The least confidence of a face")]
NmsThreshold = Annotated[
    float, Parameter(ge=0, le=1, description="Of two boxes whose IoU is above this, the less confident goes")
]
MaxFaces = Annotated[int, Parameter(ge=0, le=10_000, description="The largest faces, at most so many; 0: all")]
Strength = Annotated[
    int,
    Parameter(
        ge=1,
        le=999,
        description="The blur's kernel or a square's side, in pixels; it grows with a face that is larger than usual",
    ),
]
Padding = Annotated[
    float, Parameter(ge=0, le=2, description="The share of its size by which a face's box grows on each side")
]
Quality = Annotated[int, Parameter(ge=1, le=100, description="Of JPEG and WebP; PNG is lossless")]


def detect_options(
    confidence: Confidence = 0.5, nms_threshold: NmsThreshold = 0.4, max_faces: MaxFaces = 0
) -> contracts.DetectFaces:
    """What a call of detect asks for."""
    return contracts.DetectFaces(confidence=confidence, nms_threshold=nms_threshold, max_faces=max_faces)


def mask_options(
    confidence: Confidence = 0.5,
    nms_threshold: NmsThreshold = 0.4,
    max_faces: MaxFaces = 0,
    method: MaskMethod = MaskMethod.GAUSSIAN,
    strength: Strength = 199,
    padding: Padding = 0.15,
    format: ImageFormat = ImageFormat.JPEG,  # noqa: A002 — the document's name for it
    quality: Quality = 95,
) -> contracts.MaskFaces:
    """What a call of mask, or of its preview, asks for."""
    return contracts.MaskFaces(
        confidence=confidence,
        nms_threshold=nms_threshold,
        max_faces=max_faces,
        method=method,
        strength=strength,
        padding=padding,
        format=format,
        quality=quality,
    )


async def image_of(request: Request[Any, Any, Any]) -> bytes:
    """The picture of a request. Raises RefusedError."""
    max_bytes = call_of(request).services.settings.http.max_image_bytes
    data = await file_of(request, PART, max_bytes=max_bytes)
    return check_image(data, position=0, types=IMAGE_TYPES, max_bytes=max_bytes)
