"""The codes of the document: each one's status, message and meaning, and a table that leaves no failure out."""

import re

import pytest

from gateway.dialects.v1.errors import CODES, OF_OPERATION, code_of
from gateway.refusals import error_headers
from shared.contracts import Failed, Failure
from tests.support.v1 import error

OPERATIONS = ("unknown", "token", "register", "verify", "compare", "count", "delete", "engines", "liveness", "ocr")
ROWS = {*CODES.values(), *OF_OPERATION.values()}


@pytest.fixture(scope="module")
def documented(specs) -> dict[str, tuple[int, str]]:
    """{code: (status, message)}"""
    text = (specs / "fidox-v1-api.txt").read_text("utf-8").partition("코드HTTP설명")[2]
    return {
        code: (int(status), said)
        for code, status, said in re.findall(r"^([0-9A-F]{5})(\d{3})(.+)$", text, re.MULTILINE)
    }


def test_every_code_of_the_document_is_in_the_table_with_its_status_and_message(documented):
    assert len(documented) == 13
    ours = {row.code: (row.status, row.message) for row in ROWS}
    assert {code: ours[code] for code in documented} == documented


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_failure_is_mapped_for_every_operation(operation):
    for failure in Failure:
        row = code_of(failure, operation)
        assert re.fullmatch(r"[1-5]\d\d[0-9A-F]{2}", row.code)
        assert row.status in {400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 501, 503}


def test_a_code_has_one_message():
    assert len({row.code for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("failure", "operation", "code"),
    [
        (Failure.NOT_ENROLLED, "delete", "40402"),
        (Failure.NOT_ENROLLED, "verify", "40915"),
        (Failure.NO_FACE, "compare", "4040A"),
        (Failure.NO_FACE, "liveness", "4040A"),
        (Failure.NO_FACE, "register", "40910"),
        (Failure.NO_FACE, "verify", "40910"),
        (Failure.LOW_QUALITY, "register", "40910"),
        (Failure.MULTIPLE_FACES, "compare", "40923"),
        (Failure.FACE_MISMATCH, "register", "40924"),
        (Failure.NO_DOCUMENT, "ocr", "4040B"),
        (Failure.OCR_FAILED, "ocr", "40904"),
        *((Failure.ENGINE_UNAVAILABLE, fr, "40901") for fr in ("register", "verify", "compare", "count", "engines")),
        (Failure.ENGINE_UNAVAILABLE, "liveness", "50301"),
    ],
)
def test_what_depends_on_the_operation_and_what_does_not(failure, operation, code):
    assert code_of(failure, operation).code == code


@pytest.mark.parametrize("failure", Failure)
def test_every_429_and_503_says_when_to_try_again(failure):
    status = code_of(failure, "liveness").status
    if status == 503:
        assert error_headers(Failed(failure=failure), status)["Retry-After"] == "1"
    assert error_headers(Failed(failure=failure, retry_after_s=7), status)["Retry-After"] == "7"


def test_40402_is_the_delete_of_an_unknown_user(v1):
    assert error(v1.delete("nobody")) == (404, "40402")


def test_40915_is_the_verify_of_an_unknown_user(v1, photo):
    answer = v1.post("/fr/verify", userCode="nobody", image=photo("obama/obama.jpg"))
    assert error(answer) == (409, "40915")
    assert answer.json()["message"] == "미등록 사용자"


def test_4040a_is_no_face_in_compare_and_says_in_which_image(v1, photo, grey):
    assert error(v1.post("/fr/compare", image1=grey, image2=photo("obama/obama.jpg"))) == (404, "4040A")
    answer = v1.post("/fr/compare", image1=photo("obama/obama.jpg"), image2=grey)
    assert error(answer) == (404, "4040A")
    assert answer.json()["message"] == "이미지에서 얼굴 없음 (이미지 2)"


def test_40910_is_no_face_in_register_and_verify(v1, photo, grey):
    assert error(v1.post("/fr/register", userCode="u", image=grey)) == (409, "40910")
    v1.post("/fr/register", userCode="u", image=photo("obama/obama.jpg"))
    answer = v1.post("/fr/verify", userCode="u", image=grey)
    assert error(answer) == (409, "40910")
    assert answer.json()["message"] == "이미지에서 얼굴 감지 불가"


def test_40910_is_also_a_face_that_is_too_poor_to_register_and_says_why(v1, blurred):
    answer = v1.post("/fr/register", userCode="u", image=blurred)
    assert error(answer) == (409, "40910")
    assert "sharp" in answer.json()["message"].lower()


@pytest.mark.parametrize("path", ["/fr/register", "/fr/verify", "/fr/compare"])
def test_40923_is_several_comparable_faces(v1, photo, path):
    v1.post("/fr/register", userCode="u", image=photo("obama/obama.jpg"))
    pair = photo("_groups/kit_with_rose.jpg")
    user_code = "somebody new" if path.endswith("register") else "u"
    body = {"image1": pair, "image2": pair} if path.endswith("compare") else {"userCode": user_code, "image": pair}
    assert error(v1.post(path, **body)) == (409, "40923")
