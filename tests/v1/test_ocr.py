"""`POST /v1/ocr/recognize` as the document has it, and what it may have beside that. How well it reads: tests/ocr."""

import base64
import io

import numpy as np
import PIL.Image
import pytest

from shared.contracts import CardField, IdType
from tests.conftest import SHARED, need
from tests.support.cards import as_base64, card
from tests.support.v1 import error

SEED = 2
DETAILS = {
    IdType.RESIDENT: ["address", "issueDate", "issuer"],
    IdType.DRIVER: ["licenseNo", "licenseType", "address", "issueDate", "expiryDate"],
    IdType.PASSPORT: [
        "passportNo",
        "surname",
        "givenNames",
        "nationality",
        "sex",
        "issueDate",
        "expiryDate",
        "mrzValid",
    ],
    IdType.FOREIGN: ["nationality", "visaType", "issueDate"],
}
DATES = {"birthDate": CardField.BIRTH_DATE, "issueDate": CardField.ISSUE_DATE, "expiryDate": CardField.EXPIRY_DATE}


@pytest.fixture(scope="module", autouse=True)
def _weights() -> None:
    """For Hangul, which no package carries."""
    need(SHARED / "models" / "ocr")


@pytest.mark.parametrize("id_type", IdType)
def test_a_card_of_each_type_gives_its_fields_with_dates_in_iso_8601(demo_v1, id_type):
    shown = card(SEED, id_type)
    answer = demo_v1.post("/ocr/recognize", image=as_base64(shown), idType=id_type)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["success", "data", "confidence", "trxId"]
    data = body["data"]
    assert list(data) == ["idType", "name", "idNum", "birthDate", "details"]
    assert data["idType"] == id_type
    assert sorted(data["details"]) == sorted(DETAILS[id_type])
    found = {**data, **data["details"]}
    for name, field in DATES.items():
        if field in shown.truth.fields and name in found:
            assert found[name] == shown.truth.fields[field]
    assert 0 <= body["confidence"] <= 1


@pytest.mark.parametrize("id_type", [IdType.RESIDENT, IdType.DRIVER, IdType.FOREIGN])
def test_the_number_is_masked(demo_v1, id_type):
    shown = card(SEED, id_type)
    answer = demo_v1.post("/ocr/recognize?detail=fields", image=as_base64(shown))
    assert answer.json()["data"]["idNum"] == "******-*******"
    assert answer.json()["fields"]["idNum"]["value"] == "******-*******"
    assert shown.truth.fields[CardField.ID_NUMBER][7:] not in answer.text


def test_a_passports_mrz_and_the_number_in_it_are_masked_too(demo_v1):
    shown = card(SEED, IdType.PASSPORT)
    answer = demo_v1.post("/ocr/recognize?detail=fields", image=as_base64(shown))
    assert answer.json()["data"]["idNum"] is None
    assert answer.json()["data"]["details"]["mrzValid"] is True
    second = shown.truth.fields[CardField.MRZ].split("\n")[1]
    assert second[28:42] not in answer.text
    assert second not in answer.text


def test_an_operator_lets_a_tenant_see_whole_numbers(stack, login_v1, tenant):
    shown = card(SEED, IdType.RESIDENT)
    stack.fidox("tenants", "set", tenant.name, "--reveal-numbers")
    answer = login_v1(tenant).post("/ocr/recognize", image=as_base64(shown))
    assert answer.json()["data"]["idNum"] == shown.truth.fields[CardField.ID_NUMBER]


@pytest.mark.parametrize("id_type", IdType)
def test_without_an_id_type_it_is_recognised(demo_v1, id_type):
    answer = demo_v1.post("/ocr/recognize", image=as_base64(card(SEED, id_type)))
    assert answer.json()["data"]["idType"] == id_type


def test_a_card_of_another_type_is_400_and_says_which_it_is(demo_v1):
    answer = demo_v1.post("/ocr/recognize", image=as_base64(card(SEED, IdType.RESIDENT)), idType="DRIVER")
    assert error(answer) == (400, "40004")
    assert "RESIDENT" in answer.json()["message"]


@pytest.mark.parametrize("picture", ["grey", "a face"])
def test_4040b_is_nothing_card_like(demo_v1, photo, grey, picture):
    answer = demo_v1.post("/ocr/recognize", image=grey if picture == "grey" else photo("obama/obama.jpg"))
    assert error(answer) == (404, "4040B")


def test_an_id_type_that_is_none_is_400(demo_v1):
    assert error(demo_v1.post("/ocr/recognize", image="", idType="LIBRARY")) == (400, "40000")
    assert error(demo_v1.post("/ocr/recognize?detail=everything", image="")) == (400, "40000")


def test_detail_fields_says_how_sure_each_is_and_where_it_stands(demo_v1):
    shown = card(SEED, IdType.DRIVER, "photo")
    body = demo_v1.post("/ocr/recognize?detail=fields", image=as_base64(shown)).json()
    assert set(body["fields"]) <= {"name", "idNum", "birthDate", "issuer", *DETAILS[IdType.DRIVER]}
    assert min(field["confidence"] for field in body["fields"].values()) == body["confidence"]
    xs, ys = zip(*body["fields"]["licenseNo"]["polygon"], strict=True)
    assert lies_in(sum(xs) / 4, sum(ys) / 4, shown.truth.polygons[CardField.LICENCE_NO][0])
    box = body["portrait"]
    assert lies_in(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, shown.truth.portrait)
    assert body["isGreyscale"] is False


def lies_in(x: float, y: float, quad) -> bool:
    xs, ys = zip(*quad, strict=True)
    return min(xs) <= x <= max(xs) and min(ys) <= y <= max(ys)


def test_a_photocopy_is_told(demo_v1):
    shown = PIL.Image.open(io.BytesIO(card(SEED, IdType.RESIDENT).jpeg)).convert("L")
    copied = io.BytesIO()
    shown.save(copied, "JPEG")
    image = base64.b64encode(copied.getvalue()).decode()
    assert demo_v1.post("/ocr/recognize?detail=fields", image=image).json()["isGreyscale"] is True


def test_redact_gives_a_copy_in_which_number_and_address_cannot_be_read(demo_v1):
    shown = card(SEED, IdType.RESIDENT)
    plain = demo_v1.post("/ocr/recognize", image=as_base64(shown)).json()
    assert "redactedImage" not in plain
    redacted = demo_v1.post("/ocr/recognize?redact=true", image=as_base64(shown)).json()["redactedImage"]
    copy = PIL.Image.open(io.BytesIO(base64.b64decode(redacted)))
    assert (copy.format, max(copy.size), dict(copy.getexif())) == ("JPEG", 1600, {})
    assert copy.width / copy.height == pytest.approx(shown.truth.width / shown.truth.height, rel=0.01)
    scale = copy.width / shown.truth.width
    for field in (CardField.ID_NUMBER, CardField.ADDRESS):
        for quad in shown.truth.polygons[field]:
            (left, top), _, (right, bottom), _ = quad
            painted = copy.convert("L").crop([round(edge * scale) for edge in (left, top, right, bottom)])
            assert (np.asarray(painted) < 32).mean() > 0.9
    again = demo_v1.post("/ocr/recognize", image=redacted, idType="RESIDENT").json()
    assert again["data"]["idNum"] is None
