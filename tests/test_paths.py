"""One reading of a path: what the router makes of it is what dialects, guards and errors make of it, too."""

import http.client
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.paths import RawTail


def asked(stack, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """The answer to this very path: HTTP libraries would fold some of them."""
    where = urlsplit(stack.base_url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    connection.putrequest(method, path)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    made = httpx.Response(answer.status, content=answer.read(), headers=dict(answer.getheaders()))
    connection.close()
    return made


@pytest.mark.parametrize(
    ("method", "path", "status", "fields"),
    [
        ("POST", "//face/count", 401, ["statusCode", "errorCode", "message"]),
        ("POST", "///face//count", 401, ["statusCode", "errorCode", "message"]),
        ("POST", "//auth/client/token", 400, ["statusCode", "errorCode", "message"]),
        ("GET", "//face/nothing/here", 404, ["statusCode", "errorCode", "message"]),
        ("GET", "//face/count", 405, ["statusCode", "errorCode", "message"]),
        ("DELETE", "//face/u", 401, ["statusCode", "errorCode", "message"]),
        ("POST", "//v1/fr/count", 401, ["success", "code", "message", "trxId"]),
        ("DELETE", "/v1//fr/register/u", 401, ["success", "code", "message", "trxId"]),
        ("POST", "//api/v1/detect", 401, ["detail"]),
        ("GET", "//api/v1/admin/stats", 401, ["detail"]),
        ("GET", "//nothing", 404, ["detail"]),
    ],
)
def test_slashes_in_a_row_are_one(stack, method, path, status, fields):
    answer = asked(stack, method, path)
    assert (answer.status_code, list(answer.json())) == (status, fields)


def test_the_console_and_the_documents_are_found_by_such_a_path_too(stack):
    login = asked(stack, "GET", "//admin")
    assert (login.status_code, login.headers["location"]) == (303, "/admin/login")
    assert asked(stack, "GET", "//docs").status_code == 200
    assert asked(stack, "GET", "//health").json()["version"]


def test_a_call_by_such_a_path_is_the_same_call(stack, demo, photo):
    answer = demo.client.post(f"{stack.base_url}//face/count", json={"image": photo("obama/obama.jpg")})
    assert answer.json()["faceCnt"] == 1


def test_what_follows_the_prefix_is_the_user_code_whatever_the_slashes_before_it(api, photo):
    """`/u` with its slash is another user than `u`."""
    for code in ("u", "/u"):
        assert api.post("/face/register", userCode=code, image=photo("obama/obama.jpg")).status_code == 200
    assert api.delete_raw("//face//u").status_code == 200
    assert api.delete("/u").json()["errorCode"] == "FR003"
    assert api.delete("u").status_code == 200


@pytest.mark.parametrize(
    ("raw", "rest"),
    [(b"/a/b/c", b"c"), (b"//a//b/c", b"c"), (b"/a/b//c", b"/c"), (b"/a/bc", None), (b"/x/a/b/c", None)],
)
def test_a_tail_begins_behind_the_first_slash_after_its_prefix(raw, rest):
    found = RawTail("DELETE", "/a/b/").pattern.match(raw)
    assert (raw[found.end() :] if found else None) == rest


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/health",
        "/health/live",
        "/health/ready",
        "/docs",
        "/openapi.json",
        "/docs/assets/ui/swagger-ui.css",
        "/admin/login",
        "/nothing",
        "/api/v1/admin/stats",
    ],
)
def test_head_is_get_without_the_body(stack, path):
    """Uptime monitors ask so."""
    get, head = asked(stack, "GET", path), asked(stack, "HEAD", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    if path != "/health":  # its ages and times change
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


def test_head_of_what_takes_no_get_is_405(stack):
    assert asked(stack, "HEAD", "/face/count").status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/%00", "/docs/assets/ui/%00", "/docs/assets/look/look.css%00", "/docs/assets/none.css", "/face/a/%C2%85", "/%FF"],
)
def test_a_path_that_no_file_or_route_can_have_is_404(stack, path):
    assert asked(stack, "GET", path).status_code == 404


@pytest.mark.parametrize("control", ["\0", "\n", "\x1b", "\x7f", "\x85", "\x9b"])
@pytest.mark.parametrize("field", ["accessKey", "secretKey"])
@pytest.mark.parametrize("path", ["/auth/client/token", "/v1/auth/client/token"])
def test_control_characters_are_refused_by_the_fields_name(anybody, path, field, control):
    answer = anybody.post(path, json={"accessKey": "a", "secretKey": "s", field: f"x{control}y"})
    assert answer.status_code == 400
    assert f"{field}: control characters are not allowed" in answer.json()["message"]


@pytest.mark.parametrize("content", ["username=%00&password=x", "username=a%0A&password=x", "%00=x"])
def test_control_characters_are_refused_in_forms(anybody, content):
    answer = anybody.post(
        "/admin/login", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 400
