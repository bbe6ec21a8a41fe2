"""The v1 API's ID-card OCR: `/v1/ocr/recognize`."""

from __future__ import annotations

from typing import Annotated, Any

import pybase64
from litestar import Request, post
from litestar.params import Parameter

from gateway.calls import bearer_guard, call_of
from gateway.dialects.v1 import schemas
from gateway.dialects.v1.common import ERRORS, SECURED, images_of, rounded
from shared import contracts
from shared.contracts import CardField, IdType, Kind

# What the document, and where it is silent this product, calls a field.
NAMES: dict[CardField, str] = {
    CardField.NAME: "name",
    CardField.ID_NUMBER: "idNum",
    CardField.BIRTH_DATE: "birthDate",
    CardField.ADDRESS: "address",
    CardField.ISSUE_DATE: "issueDate",
    CardField.ISSUER: "issuer",
    CardField.EXPIRY_DATE: "expiryDate",
    CardField.LICENCE_NO: "licenseNo",
    CardField.LICENCE_TYPE: "licenseType",
    CardField.PASSPORT_NO: "passportNo",
    CardField.SURNAME: "surname",
    CardField.GIVEN_NAMES: "givenNames",
    CardField.NATIONALITY: "nationality",
    CardField.SEX: "sex",
    CardField.VISA_TYPE: "visaType",
    CardField.MRZ: "mrz",
}


@post(
    "/v1/ocr/recognize",
    status_code=200,
    guards=[bearer_guard],
    security=SECURED,
    operation_id="recognizeDocument",
    operation="ocr",
    summary="What does the ID document say?",
    tags=["ocr"],
    response_description="Done",
    responses=ERRORS,
)
async def recognize(
    request: Request[Any, Any, Any],
    data: schemas.OcrRequest,
    detail: Annotated[
        schemas.Detail | None,
        Parameter(
            description="`fields`: also each field's confidence and place, the portrait, and whether it is a copy"
        ),
    ] = None,
    redact: Annotated[
        bool, Parameter(description="Also a copy of the picture with number, MRZ and address painted over")
    ] = False,
) -> schemas.OcrAnswer:
    """Read a resident card, driver's licence, passport or alien card. Without `idType` it is recognised.

    A field that cannot be read is null. Numbers are masked.
    """
    call = call_of(request)
    operation = contracts.ReadCard(id_type=data.id_type, redact=redact, reveal=call.reveals_numbers)
    card = await call.ask(operation, images_of(call, data.image), contracts.CardRead, kind=Kind.OCR)
    answer = schemas.OcrAnswer(data=_data(card), confidence=rounded(card.confidence), trx_id=call.tx_id)
    if detail is schemas.Detail.FIELDS:
        answer.fields = {NAMES[field]: _field(value) for field, value in card.fields.items()}
        answer.portrait = _box(card.portrait)
        answer.is_greyscale = card.is_greyscale
    if card.redacted is not None:
        answer.redacted_image = pybase64.b64encode(card.redacted).decode("ascii")
    return answer


def _data(card: contracts.CardRead) -> schemas.OcrData:
    values = {field: value.value for field, value in card.fields.items()}
    return schemas.OcrData(
        id_type=card.id_type,
        name=values.get(CardField.NAME),
        id_num=values.get(CardField.ID_NUMBER),
        birth_date=values.get(CardField.BIRTH_DATE),
        details=_DETAILS[card.id_type](values, card),
    )


def _resident(values: dict[CardField, str], _card: contracts.CardRead) -> schemas.Details:
    return schemas.Details(
        address=values.get(CardField.ADDRESS),
        issue_date=values.get(CardField.ISSUE_DATE),
        issuer=values.get(CardField.ISSUER),
    )


def _driver(values: dict[CardField, str], _card: contracts.CardRead) -> schemas.Details:
    return schemas.Details(
        license_no=values.get(CardField.LICENCE_NO),
        license_type=values.get(CardField.LICENCE_TYPE),
        address=values.get(CardField.ADDRESS),
        issue_date=values.get(CardField.ISSUE_DATE),
        expiry_date=values.get(CardField.EXPIRY_DATE),
    )


def _passport(values: dict[CardField, str], card: contracts.CardRead) -> schemas.Details:
    return schemas.Details(
        passport_no=values.get(CardField.PASSPORT_NO),
        surname=values.get(CardField.SURNAME),
        given_names=values.get(CardField.GIVEN_NAMES),
        nationality=values.get(CardField.NATIONALITY),
        sex=values.get(CardField.SEX),
        issue_date=values.get(CardField.ISSUE_DATE),
        expiry_date=values.get(CardField.EXPIRY_DATE),
        mrz_valid=bool(card.mrz_valid),
    )


def _foreign(values: dict[CardField, str], _card: contracts.CardRead) -> schemas.Details:
    return schemas.Details(
        nationality=values.get(CardField.NATIONALITY),
        visa_type=values.get(CardField.VISA_TYPE),
        issue_date=values.get(CardField.ISSUE_DATE),
    )


_DETAILS = {
    IdType.RESIDENT: _resident,
    IdType.DRIVER: _driver,
    IdType.PASSPORT: _passport,
    IdType.FOREIGN: _foreign,
}


def _field(value: contracts.FieldValue) -> schemas.OcrField:
    polygon = [[round(x, 1), round(y, 1)] for x, y in value.polygon]
    return schemas.OcrField(value=value.value, confidence=rounded(value.confidence), polygon=polygon)


def _box(face: contracts.Face | None) -> schemas.Box | None:
    if face is None:
        return None
    return schemas.Box(x=round(face.x), y=round(face.y), width=round(face.width), height=round(face.height))
