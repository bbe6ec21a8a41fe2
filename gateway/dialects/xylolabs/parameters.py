"""The parameters of detect and mask, with their bounds and the document's defaults, and the picture itself.

The document has them in the query. Many clients send all of a form's values as its fields, so they are taken there,
too, by the same bounds. One that is not known is refused by its name, wherever it stands: a `methd=solid` that is
ignored would give out a picture that is masked less than was asked for.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import msgspec
from litestar.params import Parameter, ParameterKwarg
from msgspec import Meta

from gateway.calls import call_of
from gateway.images import ImageType, check_image
from gateway.multipart import form_of
from gateway.refusals import in_plain_words, refuse
from shared import contracts
from shared.contracts import Failure, ImageFormat, MaskMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from litestar import Request

A = TypeVar("A", contracts.DetectFaces, contracts.MaskFaces)

PART = "image"
# Of an unknown parameter that is named in an answer.
LONGEST_NAME = 32
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


def _kinds(options: Callable[..., Any]) -> dict[str, Any]:
    """What each parameter of such a function takes, as msgspec reads it."""
    hints = get_type_hints(options, include_extras=True)
    del hints["return"]
    return {name: _kind(hint) for name, hint in hints.items()}


def _kind(hint: Any) -> Any:
    bounds = next((meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, ParameterKwarg)), None)
    return hint if bounds is None else Annotated[hint.__origin__, Meta(ge=bounds.ge, le=bounds.le)]


KINDS: Mapping[type, Mapping[str, Any]] = {
    contracts.DetectFaces: _kinds(detect_options),
    contracts.MaskFaces: _kinds(mask_options),
}


async def read_form(request: Request[Any, Any, Any], asked: A) -> tuple[A, bytes]:
    """What the query asks for with what the form's fields add to it, and the picture. Raises RefusedError."""
    kinds = KINDS[type(asked)]
    _refuse_unknown(request.query_params, kinds)
    max_bytes = call_of(request).services.settings.http.max_image_bytes
    form = await form_of(request, PART, fields=kinds, max_bytes=max_bytes)
    _refuse_unknown(form.unknown, kinds)
    fields: dict[str, Any] = {}
    for name, text in form.fields.items():
        if name in request.query_params:
            raise refuse(Failure.BAD_REQUEST, f"{name}: send it in the query or in the form, not in both")
        try:
            fields[name] = msgspec.convert(text.strip(), kinds[name], strict=False)
        except msgspec.ValidationError as error:
            raise refuse(Failure.BAD_REQUEST, f"{name}: {in_plain_words(str(error))}") from None
    image = check_image(form.file, position=0, types=IMAGE_TYPES, max_bytes=max_bytes)
    return msgspec.structs.replace(asked, **fields), image


def _refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise RefusedError for an unknown name."""
    known = list(known)
    for name in names:
        if name not in known:
            alike = difflib.get_close_matches(name[:LONGEST_NAME].lower(), known, n=1)
            help_text = f"did you mean {alike[0]}?" if alike else f"known are {', '.join(known)}"
            raise refuse(Failure.BAD_REQUEST, f"{_shown(name)}: there is no such parameter; {help_text}")


def _shown(name: str) -> str:
    """The name, where it may stand in an answer."""
    return name if name.isidentifier() and name.isascii() and len(name) <= LONGEST_NAME else "a parameter"
