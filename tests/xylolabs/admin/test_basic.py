"""HTTP Basic, for programs that call the admin API."""

import base64
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from argon2 import PasswordHasher

from tests.support.admin_api import ROOT, Account, AdminApi
from tests.support.effort import least_s, process_s
from tests.support.face_api import error


def ask(base_url: str, authorization: bytes | str, **headers: str) -> httpx.Response:
    headers = {**headers, "Authorization": authorization}
    return httpx.get(f"{base_url}{ROOT}/auth/session", headers=headers, timeout=60)


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


def test_a_right_password_is_verified_once_and_remembered(stack, account):
    with AdminApi(stack.base_url, account) as client:
        client.get("/auth/session")
        gateway = stack.children["gateway"].pid
        began_s = process_s(gateway)
        for _ in range(20):
            assert client.get("/auth/session").status_code == 200
        took_s = process_s(gateway) - began_s
    # Nothing else of it comes near to what one argon2 takes.
    assert took_s < 20 * least_s(lambda: PasswordHasher().hash("x")) / 2


def test_many_first_requests_at_once_are_all_let_through(stack, account):
    authorization = basic(f"{account.username}:{account.password}".encode())
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(stack.base_url, authorization), range(20)))
    assert {answer.status_code for answer in answers} == {200}


def test_an_account_that_is_deleted_is_401_at_once(stack, account):
    with AdminApi(stack.base_url, account) as client:
        assert client.get("/auth/session").status_code == 200
        stack.fidox("admins", "delete", account.username)
        assert error(client.get("/auth/session"))[0] == 401


def test_the_scheme_is_of_any_case(stack, account):
    encoded = basic(f"{account.username}:{account.password}".encode()).removeprefix("Basic ")
    assert ask(stack.base_url, f"bASIC {encoded}").status_code == 200


def test_a_password_may_have_colons_and_korean_in_it(stack, browser, account):
    new = "비밀:번호:이다:아주길게"
    browser.login(account)
    browser.change_password(account.password, new)
    assert ask(stack.base_url, basic(f"{account.username}:{new}".encode())).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !!!!",
        "Basic YTpi=",
        "Basic YTp",
        "Basic " + "A" * 100_000,
        basic(b"no colon"),
        basic(b":no username"),
        basic(b"admin:"),
        basic(b"admin:\xff\xfe"),
        basic(b"\xff:password"),
        basic(b"a\0b:password"),
        basic(b"admin:pass\0word"),
        basic(b"a" * 10_000 + b":password"),
        basic(b"admin:" + b"a" * 10_000),
        basic("admin:\ud800".encode("utf-8", "surrogatepass")),
        "Basic ü".encode(),
        "Bearer eyJ",
        "Digest username=admin",
    ],
)
def test_what_is_no_credentials_is_401(stack, authorization):
    assert error(ask(stack.base_url, authorization))[0] == 401


def test_wrong_credentials_are_401_beside_a_good_session(browser, account):
    """Who says who he is, is taken at his word."""
    browser.login(account)
    answer = browser.client.get("/auth/session", auth=(account.username, "a wrong password"))
    assert error(answer)[0] == 401


def test_another_scheme_leaves_it_to_the_session(browser, account):
    browser.login(account)
    answer = browser.client.get("/auth/session", headers={"Authorization": "Bearer of-a-tenant"})
    assert answer.status_code == 200


def test_an_api_key_is_no_admin(stack, browser):
    assert error(browser.client.get("/stats", headers={"X-API-Key": stack.demo["API_KEY"]}))[0] == 401


def test_a_tenants_keys_are_no_admin(stack):
    account = Account(stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"])
    with AdminApi(stack.base_url, account) as client:
        assert error(client.get("/auth/session"))[0] == 401
