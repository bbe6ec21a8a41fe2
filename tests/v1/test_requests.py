"""Bad requests: always the documented form, never a 500, and nothing that was sent is told back."""

import re

import pytest

from tests.support.v1 import error

BODIES = {
    "/fr/register": {"userCode": "u", "image": ""},
    "/fr/verify": {"userCode": "u", "image": ""},
    "/fr/compare": {"image1": "", "image2": ""},
    "/fr/count": {"image": ""},
    "/liveness/detect": {"image": ""},
}
ENDPOINTS = sorted(BODIES)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_each_required_parameter_is_required(demo_v1, path):
    for name in BODIES[path]:
        body = {key: value for key, value in BODIES[path].items() if key != name}
        answer = demo_v1.post(path, **body)
        assert error(answer) == (400, "40000")
        assert name in answer.json()["message"]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("value", [1, None, [], {}, True])
def test_a_wrong_type_is_400(demo_v1, path, value):
    for name in BODIES[path]:
        assert error(demo_v1.post(path, **(BODIES[path] | {name: value}))) == (400, "40000")


@pytest.mark.parametrize("path", [*ENDPOINTS, "/auth/client/token"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000, b"a=b"])
def test_a_body_that_is_no_json_object_is_400(demo_v1, path, content):
    too_large = path.startswith("/auth") and len(content) > 4096
    expected = (413, "41300") if too_large else (400, "40000")
    assert error(demo_v1.client.post(f"/v1{path}", content=content)) == expected


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/v1", "GET", 404, "40400"),
        ("/v1/fr", "GET", 404, "40400"),
        ("/v1/nothing/here", "POST", 404, "40400"),
        ("/v1/fr/count", "GET", 405, "40500"),
        ("/v1/fr/engines", "POST", 405, "40500"),
        ("/v1/auth/client/token", "GET", 405, "40500"),
    ],
)
def test_404_and_405_have_the_documented_form(demo_v1, path, method, status, code):
    assert error(demo_v1.client.request(method, path)) == (status, code)


def test_a_body_over_the_bound_is_413(demo_v1):
    assert error(demo_v1.client.post("/v1/fr/count", content=b"x" * (33 << 20))) == (413, "41300")


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/fr/register", "userCode", ""),
        ("/fr/register", "userCode", "x" * 129),
        ("/fr/register", "userCode", "a\x00b"),
        ("/fr/register", "engine", "somebody"),
        ("/fr/verify", "engine", "EZWAY"),
        ("/fr/verify", "context", "elsewhere"),
        ("/fr/compare", "engine", ""),
        ("/liveness/detect", "checkType", "voice"),
    ],
)
def test_a_parameter_out_of_bounds_is_400_and_named(demo_v1, path, field, value):
    answer = demo_v1.post(path, **(BODIES[path] | {field: value}))
    assert error(answer) == (400, "40000")
    assert field in answer.json()["message"]


@pytest.mark.parametrize("path", ["%ff", "%00", "x" * 129, "a%0Ab"])
def test_a_path_that_can_be_no_user_code_is_400(demo_v1, path):
    assert error(demo_v1.delete_raw(f"/v1/fr/register/{path}")) == (400, "40000")


def test_an_unknown_field_is_ignored(demo_v1, photo):
    assert demo_v1.post("/fr/count", image=photo("obama/obama.jpg"), something="else").status_code == 200


def test_nothing_that_was_sent_comes_back_in_an_error(demo_v1):
    secret = "900101-1234567"
    for body in (
        {"userCode": secret, "image": secret},
        {"userCode": "u", "image": "", "engine": secret},
        {"userCode": secret + "\x00", "image": secret},
    ):
        assert secret not in demo_v1.post("/fr/verify", **body).text


def test_a_failure_names_its_transaction_in_body_and_header(demo_v1):
    answer = demo_v1.post("/fr/count", image="")
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.json()["trxId"])
    assert answer.json()["trxId"] == answer.headers["X-Transaction-Id"]


def test_the_token_is_looked_at_before_the_body(anybody):
    assert error(anybody.post("/v1/fr/compare", content=b"{")) == (401, "40101")
