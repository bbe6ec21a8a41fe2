"""The root API's bodies, field for field as its document has them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.dialects.fields import AccessKey, Score, SecretKey, Threshold, UserCode
from gateway.text import NO_CONTROLS
from shared.contracts import Context

Base64Image = Annotated[
    str, Meta(description="JPEG or PNG, at most 10 MB, in base64; a data: prefix and line breaks are accepted")
]
UserName = Annotated[
    str, Meta(max_length=128, pattern=NO_CONTROLS, description="The user's name, given back by identify")
]
TxId = Annotated[str, Meta(pattern="^tx_[0-9a-f]{12}$", description="The transaction, which an operator can look up")]


class Body(msgspec.Struct, rename="camel", kw_only=True):
    """A request. Unknown fields are ignored."""


class TokenRequest(Body, kw_only=True):
    """The keys that an operator gave out."""

    access_key: AccessKey
    secret_key: SecretKey


class TokenAnswer(msgspec.Struct):
    """A bearer token, valid for one hour."""

    token: str


class RegisterRequest(Body, kw_only=True):
    """A user to enrol."""

    user_code: UserCode
    image: Base64Image
    name: UserName | None = None


class VerifyRequest(Body, kw_only=True):
    """Whether this is the user."""

    user_code: UserCode
    image: Base64Image
    context: Annotated[Context | None, Meta(description="What for; each has its threshold. Default: general")] = None
    with_liveness: Annotated[bool | None, Meta(description="Also check that the face is a living person's")] = None


class IdentifyRequest(Body, kw_only=True):
    """Whose face this is."""

    image: Base64Image
    with_liveness: Annotated[bool | None, Meta(description="Also check that the face is a living person's")] = None


class CompareRequest(Body, kw_only=True):
    """Whether these are the same person."""

    image1: Base64Image
    image2: Base64Image


class CountRequest(Body, kw_only=True):
    """How many faces there are."""

    image: Base64Image


class Answer(msgspec.Struct, rename="camel", kw_only=True):
    """A success. Each spells all of its fields out, in the document's order: inherited ones would come last."""


class Done(Answer, kw_only=True):
    """A success with nothing to say."""

    success: bool = True
    tx_id: TxId
    code: str = "00000"
    message: str = "OK"


class Liveness(msgspec.Struct, rename="camel", kw_only=True):
    """Only where it was asked for."""

    is_live: bool
    score: Score
    threshold: Threshold


class VerifyAnswer(Answer, kw_only=True):
    """One against one."""

    success: bool = True
    tx_id: TxId
    score: Score
    matched: bool
    threshold: Threshold
    code: str = "00000"
    message: str = "OK"
    liveness: Liveness | UnsetType = UNSET


class IdentifyAnswer(Answer, kw_only=True):
    """One against all; `uid` and `name` only where somebody matched."""

    success: bool = True
    tx_id: TxId
    score: Score
    matched: bool
    uid: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    code: str = "00000"
    message: str = "OK"
    liveness: Liveness | UnsetType = UNSET


class CompareAnswer(Answer, kw_only=True):
    """One picture against another."""

    success: bool = True
    tx_id: TxId
    score: Score
    matched: bool
    code: str = "00000"
    message: str = "OK"


class CountAnswer(Answer, kw_only=True):
    """Every face, the largest first, as [x, y, width, height] in pixels of the upright picture."""

    success: bool = True
    tx_id: TxId
    face_cnt: int
    faces: list[Annotated[list[int], Meta(min_length=4, max_length=4)]]
    code: str = "00000"
    message: str = "OK"
