"""What a stranger may send to the admin API: a 4xx each time, and nothing else."""

import http.client
from urllib.parse import urlsplit

import pytest

from tests.support.admin_api import COOKIE, ROOT
from tests.support.face_api import error

GOOD = {"username": "admin", "password": "a password of some sort"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "admin"},
        {"password": "x"},
        {"username": "", "password": "x"},
        {"username": "x" * 129, "password": "x"},
        {"username": "admin", "password": "x" * 257},
        {"username": ["admin"], "password": "x"},
        {"username": {"$ne": None}, "password": {"$ne": None}},
        {"username": None, "password": None},
        {"username": 1, "password": 2},
        {**GOOD, "username": "ad\0min"},
        {**GOOD, "username": "\0"},
    ],
)
def test_a_login_that_could_be_none_is_400(browser, body):
    assert error(browser.post("/auth/login", **body))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {**GOOD, "password": "pass\0word"},
        {**GOOD, "username": "admin' OR '1'='1"},
        {**GOOD, "username": "admin'; DROP TABLE admins; --"},
        {**GOOD, "username": "%"},
        {**GOOD, "username": "🙂" * 128},
        {**GOOD, "password": ""},
        {**GOOD, "password": "🙂" * 256},
        {**GOOD, "remember": True},
    ],
)
def test_a_login_that_is_wrong_is_401(browser, body):
    assert error(browser.post("/auth/login", **body))[0] == 401


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"username=admin&password=x", b'{"username": "\\ud800", "password": "x"}', b"[" * 4000],
)
def test_a_login_that_is_no_json_is_400(browser, content):
    assert error(browser.client.post("/auth/login", content=content))[0] == 400


@pytest.mark.parametrize("size", [4096, 1_000_000, 40_000_000])
def test_a_login_over_4_kb_is_413(browser, size):
    answer = browser.client.post("/auth/login", content=b'{"username": "' + b"x" * size)
    assert error(answer)[0] == 413


def test_another_body_of_the_admin_api_over_64_kb_is_413(admin):
    assert error(admin.client.post("/api-keys", content=b'{"name": "' + b"x" * 65_536))[0] == 413


@pytest.mark.parametrize(
    "cookie",
    [
        f"{COOKIE}=",
        f"{COOKIE}=x",
        f"{COOKIE}={'x' * 43}",
        f"{COOKIE}={'x' * 42}%00",
        f"{COOKIE}={'%FF' * 43}",
        f"{COOKIE}=' OR 1=1",
        f"{COOKIE}={'x' * 20_000}",
        f"{COOKIE}",
        f"={COOKIE}",
        ";;;==;",
        f'{COOKIE}="unclosed',
        f"{COOKIE}=a; {COOKIE}=b; {COOKIE}=c",
        f"other=1; {COOKIE.upper()}={'x' * 43}",
    ],
)
def test_a_cookie_that_is_no_session_is_401(browser, cookie):
    answer = browser.client.get("/auth/session", headers={"Cookie": cookie})
    assert error(answer)[0] == 401


def test_cookies_of_others_beside_the_sessions_do_not_matter(browser, account):
    browser.login(account)
    cookie = f'theme=dark; {COOKIE}={browser.cookie}; lang="ko"; broken'
    browser.client.cookies.clear()
    assert browser.client.get("/auth/session", headers={"Cookie": cookie}).status_code == 200


@pytest.mark.parametrize("header", ["Cookie", "Authorization", "Origin", "Sec-Fetch-Site"])
def test_headers_that_are_no_utf_8_are_no_fault_of_ours(stack, header):
    where = urlsplit(stack.base_url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    connection.putrequest("POST", f"{ROOT}/api-keys")
    connection.putheader(header, b"\xff\xfe=\xff")
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status in {401, 403}


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=%FF%FE", "q=%ED%A0%80", "q=" + "x" * 129, "is_active=maybe", "page=1&page=2", "per_page=%31%30%31"],
)
def test_queries_that_are_no_queries_are_400_or_find_nothing(admin, query):
    answer = admin.client.get(f"/api-keys?{query}")
    assert answer.status_code == 400 or answer.json()["items"] == [] or query.startswith("page=1")


@pytest.mark.parametrize("path", ["", "/", "/none", "/auth", "/api-keys/x/y", "/../admin/x"])
def test_paths_that_are_none_are_404_in_the_documents_form(admin, path):
    assert error(admin.client.get(path))[0] == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/auth/login"), ("PUT", "/api-keys"), ("POST", "/transactions")])
def test_methods_that_are_none_are_405(admin, method, path):
    assert error(admin.client.request(method, path))[0] == 405
