"""The v1 API's bodies, field for field and in the order in which its document has them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.dialects.fields import AccessKey, Score, SecretKey, Threshold, UserCode
from shared.contracts import Context, IdType, PartState

Base64Image = Annotated[
    str, Meta(description="JPEG, PNG or WebP, at most 10 MB, in base64; a data: prefix and line breaks are accepted")
]
TrxId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="The transaction, a UUID, which an operator can look up",
    ),
]
EngineName = Annotated[str, Meta(description="The engine that answered")]


class Engine(StrEnum):
    """The engine to ask first; where it gives no answer, the others follow."""

    EZWAY = "ezway"
    APPLEMANGO = "applemango"


class CheckType(StrEnum):
    """What to look for."""

    DEEPFAKE = "deepfake"
    PHOTO = "photo"
    MASK = "mask"
    ALL = "all"


class Detail(StrEnum):
    """What an OCR answer may have beside the document's fields."""

    FIELDS = "fields"


class Body(msgspec.Struct, rename="camel", kw_only=True):
    """A request. Unknown fields are ignored."""


class TokenRequest(Body, kw_only=True):
    """The keys that an operator gave out."""

    access_key: AccessKey
    secret_key: SecretKey


class RegisterRequest(Body, kw_only=True):
    """A user to enrol, or a new photo of one."""

    user_code: UserCode
    image: Base64Image
    engine: Engine | None = None


class VerifyRequest(Body, kw_only=True):
    """Whether this is the user."""

    user_code: UserCode
    image: Base64Image
    context: Annotated[Context | None, Meta(description="What for; each has its threshold. Default: general")] = None
    engine: Engine | None = None


class CompareRequest(Body, kw_only=True):
    """Whether these are the same person, such as an ID card and a selfie."""

    image1: Base64Image
    image2: Base64Image
    engine: Engine | None = None


class CountRequest(Body, kw_only=True):
    """How many faces there are."""

    image: Base64Image


class LivenessRequest(Body, kw_only=True):
    """Whether the face is a living person's."""

    image: Base64Image
    check_type: Annotated[CheckType | None, Meta(description="Default: all")] = None


class OcrRequest(Body, kw_only=True):
    """An ID document to read."""

    image: Base64Image
    id_type: Annotated[IdType | None, Meta(description="What it is. Default: it is recognised")] = None


class Answer(msgspec.Struct, rename="camel", kw_only=True):
    """A success. Each spells all of its fields out, in the document's order: inherited ones would come last."""


class TokenAnswer(Answer, kw_only=True):
    """A bearer token, and for how many seconds it is valid."""

    success: bool = True
    token: str
    expires_in: int
    trx_id: TrxId


class RegisterAnswer(Answer, kw_only=True):
    """Enrolled."""

    success: bool = True
    message: str = "등록 완료"
    trx_id: TrxId


class DeleteAnswer(Answer, kw_only=True):
    """Forgotten."""

    success: bool = True
    message: str = "삭제 완료"


class VerifyAnswer(Answer, kw_only=True):
    """One against one."""

    success: bool = True
    score: Score
    is_match: bool
    threshold: Threshold
    engine: EngineName
    trx_id: TrxId


class CompareAnswer(Answer, kw_only=True):
    """One picture against another. `threshold` and `engine` are more than the document shows."""

    success: bool = True
    score: Score
    is_match: bool
    threshold: Threshold
    engine: EngineName
    trx_id: TrxId


class CountAnswer(Answer, kw_only=True):
    """How many faces."""

    success: bool = True
    count: Annotated[int, Meta(ge=0)]
    trx_id: TrxId


class EngineState(msgspec.Struct, rename="camel", kw_only=True):
    """An engine in all live worker processes together; `model` is what those that loaded it have."""

    name: str
    state: PartState
    ready: Annotated[int, Meta(ge=0, description="Worker processes in which it is ready")]
    processes: Annotated[int, Meta(ge=0, description="Worker processes that have it in their settings")]
    model: str | None


class EnginesAnswer(Answer, kw_only=True):
    """Every engine, in the order in which they are asked."""

    success: bool = True
    engines: list[EngineState]
    trx_id: TrxId


class Checks(msgspec.Struct, rename="camel", kw_only=True):
    """`true` where the attack was found; only the checks that were asked for."""

    deepfake: bool | UnsetType = UNSET
    photo_attack: bool | UnsetType = UNSET
    mask: bool | UnsetType = UNSET


Notice = Annotated[str, Meta(description="What a check that ran is known to miss; absent where nothing is known")]


class LivenessAnswer(Answer, kw_only=True):
    """`isReal`: no check found an attack."""

    success: bool = True
    is_real: bool
    confidence: Annotated[float, Meta(ge=0, le=1, description="The lowest probability of being genuine of the checks")]
    checks: Checks
    trx_id: TrxId
    notice: Notice | UnsetType = UNSET


Text = Annotated[str | None, Meta(description="As printed; null where it cannot be read")]
Date = Annotated[str | None, Meta(description="ISO 8601; null where it cannot be read")]


class Details(msgspec.Struct, rename="camel", kw_only=True):
    """What only documents of this type have; the others' fields are absent."""

    passport_no: Text | UnsetType = UNSET
    surname: Text | UnsetType = UNSET
    given_names: Text | UnsetType = UNSET
    license_no: Text | UnsetType = UNSET
    license_type: Text | UnsetType = UNSET
    nationality: Text | UnsetType = UNSET
    visa_type: Text | UnsetType = UNSET
    sex: Text | UnsetType = UNSET
    address: Text | UnsetType = UNSET
    issue_date: Date | UnsetType = UNSET
    expiry_date: Date | UnsetType = UNSET
    issuer: Text | UnsetType = UNSET
    mrz_valid: Annotated[bool, Meta(description="Every check digit of the machine-readable zone holds")] | UnsetType = (
        UNSET
    )


class OcrData(msgspec.Struct, rename="camel", kw_only=True):
    """What the document says."""

    id_type: IdType
    name: Text
    id_num: Annotated[str | None, Meta(description="Masked; null where it cannot be read, or where there is none")]
    birth_date: Date
    details: Details


class OcrField(msgspec.Struct, rename="camel", kw_only=True):
    """One field, how sure it is, and where it stands: x, y of four corners in pixels of the upright picture."""

    value: str
    confidence: Annotated[float, Meta(ge=0, le=1)]
    polygon: list[Annotated[list[float], Meta(min_length=2, max_length=2)]]


class Box(msgspec.Struct, rename="camel", kw_only=True):
    """In pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int


class OcrAnswer(Answer, kw_only=True):
    """The document's fields; more of them only where it was asked for."""

    success: bool = True
    data: OcrData
    confidence: Annotated[float, Meta(ge=0, le=1, description="The least of the fields'")]
    trx_id: TrxId
    fields: dict[str, OcrField] | UnsetType = UNSET
    portrait: (
        Annotated[Box | None, Meta(description="The face on the document; null where none is found")] | UnsetType
    ) = UNSET
    is_greyscale: Annotated[bool, Meta(description="It has no colour: perhaps a photocopy")] | UnsetType = UNSET
    redacted_image: (
        Annotated[str, Meta(description="A JPEG in base64; absent where no number was found")] | UnsetType
    ) = UNSET
