"""What the v1 API's routes share: how errors are documented, and how pictures come in and scores go out."""

from __future__ import annotations

from litestar.openapi.datastructures import ResponseSpec

from gateway.calls import Call
from gateway.dialects.v1.errors import ErrorBody
from gateway.images import ImageType, images_of_base64

IMAGE_TYPES = (ImageType.JPEG, ImageType.PNG, ImageType.WEBP)

ERRORS = {
    400: ResponseSpec(ErrorBody, description="The request or the picture is not usable; code says why"),
    401: ResponseSpec(ErrorBody, description="No, a wrong or an expired token: 40101, 40105, 40107"),
    404: ResponseSpec(ErrorBody, description="Nothing there: no such user (40402), no face in the picture (4040A)"),
    409: ResponseSpec(ErrorBody, description="The face, the user or the engines do not allow it; code says which"),
    413: ResponseSpec(ErrorBody, description="The body is too large"),
    415: ResponseSpec(ErrorBody, description="The body is compressed, or not in UTF-8"),
    429: ResponseSpec(ErrorBody, description="The limit is exceeded; Retry-After says for how long"),
    500: ResponseSpec(ErrorBody, description="A fault of the service"),
    503: ResponseSpec(ErrorBody, description="Busy, or not available now; Retry-After says when to try again"),
}
SECURED: list[dict[str, list[str]]] = [{"bearer": []}]


def images_of(call: Call, *texts: str) -> list[bytes]:
    """The pictures of a request. Raises RefusedError."""
    return images_of_base64(*texts, types=IMAGE_TYPES, max_bytes=call.services.settings.http.max_image_bytes)


def rounded(score: float) -> float:
    """As many digits as mean anything."""
    return round(score, 4)
