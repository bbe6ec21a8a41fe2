"""Bad requests: always the documented error, never a 500, and nothing that was sent is told back."""

import base64
import json
import re

import httpx
import pytest

from gateway.dialects.fidox.errors import CODES
from gateway.refusals import error_headers
from shared.contracts import Failed, Failure
from tests.support.fidox import error

DOCUMENTED = {
    "FR001": (400, Failure.NO_FACE),
    "FR002": (400, Failure.MULTIPLE_FACES),
    "FR003": (400, Failure.NOT_ENROLLED),
    "FR004": (400, Failure.ALREADY_ENROLLED),
    "FR005": (400, Failure.LOW_QUALITY),
    "AUTH001": (401, Failure.UNAUTHENTICATED),
    "LIMIT001": (429, Failure.RATE_LIMITED),
}
BODIES = {
    "/face/register": {"userCode": "u", "image": ""},
    "/face/verify": {"userCode": "u", "image": ""},
    "/face/identify": {"image": ""},
    "/face/compare": {"image1": "", "image2": ""},
    "/face/count": {"image": ""},
}
ENDPOINTS = sorted(BODIES)


def test_every_failure_has_a_code_and_the_documented_ones_are_the_documents():
    assert set(CODES) == set(Failure)
    rows = set(CODES.values())
    assert len({row.code for row in rows}) == len(rows)
    for code, (status, failure) in DOCUMENTED.items():
        assert (CODES[failure].status, CODES[failure].code) == (status, code)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_each_required_parameter_is_required(demo, path):
    for name in BODIES[path]:
        body = {key: value for key, value in BODIES[path].items() if key != name}
        answer = demo.post(path, **body)
        assert error(answer) == (400, "REQ001")
        assert name in answer.json()["message"]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("value", [1, None, [], {}, True])
def test_a_wrong_type_is_400(demo, path, value):
    for name in BODIES[path]:
        assert error(demo.post(path, **(BODIES[path] | {name: value}))) == (400, "REQ001")


@pytest.mark.parametrize("path", [*ENDPOINTS, "/auth/client/token"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"image": "\\ud800"}',
        b"[" * 100_000,
        b"a=b&c=d",
        b'{"image": NaN}',
    ],
    ids=["empty", "half", "list", "string", "null", "no-utf8", "surrogate", "deep", "form", "nan"],
)
def test_a_body_that_is_no_json_object_is_400(demo, path, content):
    too_large = path.startswith("/auth") and len(content) > 4096
    assert error(demo.client.post(path, content=content))[0] == (413 if too_large else 400)


@pytest.mark.parametrize(
    "kind", ["application/xml", "multipart/form-data; boundary=x", "text/plain", "application/x-msgpack"]
)
def test_a_body_of_another_type_is_an_error_of_the_documented_form(demo, kind):
    answer = demo.client.post("/face/count", content=b"--x\r\n", headers={"Content-Type": kind})
    assert error(answer)[0] == 400


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/face/nothing/here", "GET", 404),
        ("/face", "GET", 404),
        ("/auth/nothing", "POST", 404),
        ("/face/count", "GET", 405),
        ("/face/count", "PUT", 405),
        ("/auth/client/token", "GET", 405),
        ("/face/u", "PATCH", 405),
    ],
)
def test_404_and_405_have_the_documented_form(demo, path, method, status):
    assert error(demo.client.request(method, path))[0] == status


def test_outside_every_dialect_an_error_is_a_detail(demo):
    answer = demo.client.get("/nothing")
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_a_body_over_the_bound_is_413(demo):
    assert error(demo.client.post("/face/count", content=b"x" * (33 << 20)))[0] == 413


def test_a_data_prefix_and_line_breaks_in_the_base64_work(demo, photo):
    plain = photo("obama/obama.jpg")
    lines = "\r\n".join(re.findall(".{1,76}", plain))
    for text in (plain, f"data:image/jpeg;base64,{plain}", lines, f"data:image/jpeg;base64,{lines}\n"):
        answer = demo.post("/face/count", image=text)
        assert answer.status_code == 200
        assert answer.json()["faceCnt"] == 1


def test_two_images_of_10_mb_in_one_compare_work(demo, people):
    """Padded behind the end of the picture, to the byte: 10 MB is the documented bound."""
    limit = 10 << 20
    first, second = ((people / "obama" / name).read_bytes() for name in ("obama.jpg", "obama2.jpg"))
    padded = [base64.b64encode(data + bytes(limit - len(data))).decode() for data in (first, second)]
    answer = demo.post("/face/compare", image1=padded[0], image2=padded[1])
    assert answer.status_code == 200, answer.text
    assert answer.json()["matched"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("userCode", ""),
        ("userCode", "x" * 129),
        ("userCode", "a\x00b"),
        ("name", "x" * 129),
        ("name", "a\nb"),
        ("context", "elsewhere"),
        ("withLiveness", "yes"),
    ],
)
def test_a_parameter_out_of_bounds_is_400(demo, photo, field, value):
    path = "/face/verify" if field in {"context", "withLiveness"} else "/face/register"
    body = {"userCode": "u", "image": photo("obama/obama.jpg")} | {field: value}
    answer = demo.post(path, **body)
    assert error(answer) == (400, "REQ001")
    assert field in answer.json()["message"]


def test_an_unknown_field_is_ignored(demo, photo):
    assert demo.post("/face/count", image=photo("obama/obama.jpg"), something="else").status_code == 200


def test_nothing_that_was_sent_comes_back_in_an_error(demo):
    secret = "900101-1234567"
    for body in (
        {"userCode": secret, "image": secret},
        {"userCode": 1, "image": secret, "context": secret},
        {"userCode": secret + "\x00", "image": secret},
    ):
        assert secret not in demo.post("/face/verify", **body).text


def test_a_failure_names_its_transaction_in_a_header(demo):
    assert re.fullmatch(r"tx_[0-9a-f]{12}", demo.post("/face/count", image="").headers["X-Transaction-Id"])


def test_a_browser_of_another_origin_is_let_in_by_setting(stack):
    """The stack under test sets FIDOX_CORS_ORIGINS to this origin alone."""
    ask = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    friend = httpx.options(f"{stack.base_url}/face/a//b", headers={"Origin": "https://shop.example", **ask})
    assert friend.status_code == 204
    assert friend.headers["access-control-allow-origin"] == "https://shop.example"
    assert "DELETE" in friend.headers["access-control-allow-methods"]
    stranger = httpx.options(f"{stack.base_url}/face/a//b", headers={"Origin": "https://evil.example", **ask})
    assert "access-control-allow-origin" not in stranger.headers
    refused = httpx.post(f"{stack.base_url}/face/count", headers={"Origin": "https://shop.example"}, timeout=60)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://shop.example"
    assert json.loads(refused.text)["errorCode"] == "AUTH001"


@pytest.mark.parametrize("failure", [failure for failure, row in CODES.items() if row.status in {429, 503}])
def test_every_503_says_when_to_try_again(failure):
    status = CODES[failure].status
    if status == 503:
        assert error_headers(Failed(failure=failure), status)["Retry-After"] == "1"
    assert error_headers(Failed(failure=failure, retry_after_s=7), status)["Retry-After"] == "7"
