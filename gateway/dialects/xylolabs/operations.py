"""What Litestar cannot know of detect and mask, for the OpenAPI document: a form that is read by hand, headers.

Each is an `operation_class` of a route; what Litestar has found out by itself is there when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from gateway.dialects.xylolabs.parameters import PART
from shared.contracts import MaskFaces
from shared.formats import MEDIA_TYPES

# What a masked picture is told of with; pages of other origins may read them, too.
MASK_HEADERS = {
    "X-Request-Id": "A UUID, which an operator can look up",
    "X-Face-Count": "How many faces were masked",
    "X-Smallest-Face": "Pixels: from this height on nine of ten faces are found in this picture; 0 if unknown",
    "X-Inference-Ms": "The detector's network",
    "X-Mask-Ms": "Masking",
    "X-Encode-Ms": "Writing the file",
    "X-Total-Ms": "All of the worker's work",
    "X-Model": "The detector that ran",
}
KEPT_HEADERS = {
    "X-Image-Id": "The stored picture's id, where it was stored",
    "X-Job-Id": "The stored job's id, where it was stored",
}
_DEFAULTS = MaskFaces()
FORM = "The picture. The parameters may be fields of the form instead; an unknown one is refused"


@dataclass
class WithImage(Operation):
    """Its body is a form with the picture, and a parameter of several choices has a default."""

    def __post_init__(self) -> None:
        file = Schema(
            type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, description="JPEG, PNG or WebP, at most 10 MB"
        )
        form = Schema(type=OpenAPIType.OBJECT, properties={PART: file}, required=[PART])
        self.request_body = RequestBody(
            content={"multipart/form-data": OpenAPIMediaType(schema=form)}, required=True, description=FORM
        )
        for parameter in self.parameters or ():
            # Beside a reference 3.0 ignores everything else, so the default stands around it.
            if isinstance(parameter, Parameter) and isinstance(parameter.schema, Reference):
                parameter.schema = Schema(all_of=[parameter.schema], default=getattr(_DEFAULTS, parameter.name))


@dataclass
class GivesImage(WithImage):
    """It answers with a picture of one of three types, and tells of it in headers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        picture = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        answer = cast("OpenAPIResponse", (self.responses or {})["200"])
        answer.content = {media_type: OpenAPIMediaType(schema=picture) for media_type in MEDIA_TYPES.values()}
        answer.headers = {
            name: OpenAPIHeader(schema=Schema(type=OpenAPIType.STRING), description=text, required=name in MASK_HEADERS)
            for name, text in {**MASK_HEADERS, **KEPT_HEADERS}.items()
        }
