"""A user code may be anything: it round-trips through register, verify, identify and the DELETE path."""

import pytest

from tests.support.fidox import error

CODES = [
    "user-001",
    "홍길동",
    "사번 0042",
    "a b",
    "100%",
    "%2F",
    "a/b",
    "a//b",
    "a/",
    "/a",
    "..",
    ".",
    "../../etc/passwd",
    "count",
    "register",
    "?x=1#y",
    "a+b&c=d",
    "~616263",
    "emoji 🙂",
    "<script>",
    "x" * 128,
    "한" * 128,
]


@pytest.mark.parametrize("code", CODES, ids=lambda code: code[:20])
def test_a_user_code_round_trips(api, photo, code):
    assert api.post("/face/register", userCode=code, image=photo("obama/obama.jpg")).status_code == 200
    assert api.post("/face/verify", userCode=code, image=photo("obama/obama2.jpg")).json()["matched"] is True
    assert api.post("/face/identify", image=photo("obama/obama2.jpg")).json()["uid"] == code
    assert api.delete(code).status_code == 200
    assert error(api.post("/face/verify", userCode=code, image=photo("obama/obama2.jpg"))) == (400, "FR003")


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("a//b", "/face/a//b"),
        ("a/", "/face/a/"),
        ("..", "/face/.."),
        ("count", "/face/count"),
        ("홍", "/face/%ED%99%8D"),
        ("a/../b", "/face/a/../b"),
        ("a+b", "/face/a+b"),
        ("a:b@c", "/face/a:b@c"),
    ],
)
def test_the_path_is_taken_as_it_is_not_folded(api, photo, code, path):
    assert api.post("/face/register", userCode=code, image=photo("obama/obama.jpg")).status_code == 200
    assert api.delete_raw(path).status_code == 200
    assert error(api.delete_raw(path)) == (400, "FR003")


def test_codes_that_look_alike_are_different_users(api, photo):
    assert api.post("/face/register", userCode="a/b", image=photo("obama/obama.jpg")).status_code == 200
    for other in ("a//b", "a/b/", "A/B", "a%2Fb", "a/b "):
        assert error(api.delete(other)) == (400, "FR003")
    assert api.delete("a/b").status_code == 200


@pytest.mark.parametrize("path", ["/face/%ff", "/face/%00", "/face/" + "x" * 129, "/face/a%0Ab"])
def test_a_path_that_can_be_no_user_code_is_400(api, path):
    assert error(api.delete_raw(path)) == (400, "REQ001")


def test_a_query_is_not_part_of_the_code(api, photo):
    assert api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")).status_code == 200
    assert api.delete_raw("/face/u?reason=left").status_code == 200


@pytest.mark.parametrize("code", ["", "x" * 129, "a\nb", "a\n", "\n", "\x7f", "a\0"])
def test_what_can_be_no_user_code_is_400(api, grey, code):
    for call in ("register", "verify"):
        assert error(api.post(f"/face/{call}", userCode=code, image=grey)) == (400, "REQ001")
