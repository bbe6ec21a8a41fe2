"""Sessions: login gives a cookie, which stands for an account until it ends, on the server too."""

import hashlib

import psycopg
import pytest

from tests.support.admin_api import COOKIE, Account, AdminApi
from tests.support.effort import process_s
from tests.support.face_api import error
from tests.support.gateways import gateway_beside


def flags(answer) -> tuple[str, set[str]]:
    """The cookie's value, and the rest of its Set-Cookie."""
    first, *rest = answer.headers["set-cookie"].split("; ")
    name, _, value = first.partition("=")
    assert name == COOKIE
    return value, set(rest)


def test_a_login_is_204_without_a_body_and_sets_a_cookie(browser, account):
    answer = browser.login(account)
    assert (answer.status_code, answer.content) == (204, b"")
    value, rest = flags(answer)
    assert len(value) == 43
    assert rest == {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"}


def test_the_cookie_is_a_session_and_says_whose(browser, account):
    browser.login(account)
    answer = browser.get("/auth/session")
    assert answer.status_code == 200
    assert answer.json() == {"authenticated": True, "username": account.username}
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_session_opens_the_rest_of_the_admin_api(browser, account):
    browser.login(account)
    assert browser.get("/api-keys").status_code == 200
    assert browser.post("/api-keys", name="by a session").status_code == 201


def test_http_basic_is_a_session_too(stack, account):
    with AdminApi(stack.base_url, account) as basic:
        assert basic.get("/auth/session").json() == {"authenticated": True, "username": account.username}


def test_neither_is_401(browser):
    answer = browser.get("/auth/session")
    assert error(answer)[0] == 401
    # "Basic" would make a browser open a window of its own over the console's login page.
    assert answer.headers["WWW-Authenticate"] == "Cookie"


def test_the_server_keeps_a_hash_of_the_cookie_and_not_the_cookie(stack, browser, account):
    browser.login(account)
    with psycopg.connect(stack.database_url) as connection:
        query = "SELECT token_hash FROM admin_sessions WHERE username = %s"
        ((token_hash,),) = connection.execute(query, (account.username,)).fetchall()
    assert token_hash == hashlib.sha256(browser.cookie.encode()).digest()


def lasts(stack, account) -> float:
    """For how many seconds the server keeps the account's one session."""
    query = "SELECT extract(epoch FROM expires_at - created_at) FROM admin_sessions WHERE username = %s"
    with psycopg.connect(stack.database_url) as connection:
        ((seconds,),) = connection.execute(query, (account.username,)).fetchall()
    return float(seconds)


def test_the_server_ends_a_session_when_its_cookie_ends(stack, browser, account):
    browser.login(account)
    assert lasts(stack, account) == 43_200


def test_the_cookie_is_secure_where_a_trusted_proxy_says_https(proxied, account, address):
    with AdminApi(proxied, **{"X-Forwarded-For": address}) as client:
        assert "Secure" in flags(client.login(account, **{"X-Forwarded-Proto": "https"}))[1]
        assert "Secure" not in flags(client.login(account, **{"X-Forwarded-Proto": "http"}))[1]
        assert "Secure" not in flags(client.login(account))[1]
        logout = client.client.post("/auth/logout", headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in flags(logout)[1]


def test_a_stranger_cannot_say_https(browser, account):
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    assert "Secure" not in flags(browser.login(account, **headers))[1]


def test_the_sessions_length_is_a_setting(stack, account):
    with gateway_beside(stack, FACE_API_ADMIN_SESSION_TTL="777") as url, AdminApi(url) as client:
        answer = client.login(account)
        assert "Max-Age=777" in flags(answer)[1]
        assert client.get("/auth/session").status_code == 200
    assert lasts(stack, account) == 777


def test_a_session_that_has_expired_is_401_and_its_row_goes_at_the_next_login(stack, browser, account):
    browser.login(account)
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        mine = "admin_sessions WHERE username = %s"
        connection.execute(
            "UPDATE admin_sessions SET expires_at = now() - interval '1 second' WHERE username = %s",
            (account.username,),
        )
        assert error(browser.get("/auth/session"))[0] == 401
        assert connection.execute(f"SELECT count(*) FROM {mine}", (account.username,)).fetchone() == (1,)
        browser.login(account)
        assert connection.execute(f"SELECT count(*) FROM {mine}", (account.username,)).fetchone() == (1,)
    assert browser.get("/auth/session").status_code == 200


def test_logout_is_204_without_a_body_and_takes_the_cookie_away(browser, account):
    browser.login(account)
    answer = browser.client.post("/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    value, rest = flags(answer)
    assert value.strip('"') == ""
    assert rest == {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=0"}
    assert COOKIE not in browser.client.cookies


def test_logout_ends_the_session_on_the_server(browser, account):
    browser.login(account)
    cookie = {"Cookie": f"{COOKIE}={browser.cookie}"}
    browser.client.post("/auth/logout")
    assert error(browser.client.get("/auth/session", headers=cookie))[0] == 401


def test_logout_needs_no_session(browser):
    assert browser.client.post("/auth/logout").status_code == 204
    browser.client.cookies.set(COOKIE, "x" * 43)
    assert browser.client.post("/auth/logout").status_code == 204


def test_logout_leaves_other_sessions_be(stack, browser, account):
    browser.login(account)
    with AdminApi(stack.base_url) as other:
        other.login(account)
        other.client.post("/auth/logout")
    assert browser.get("/auth/session").status_code == 200


@pytest.mark.parametrize("wrong", ["username", "password"])
def test_a_wrong_login_is_401_and_does_not_say_what_was_wrong(browser, account, wrong):
    answer = browser.post("/auth/login", **{**account.body, wrong: "something else"})
    assert error(answer) == (401, "not authenticated: the username or the password is wrong")
    assert "set-cookie" not in answer.headers


def test_an_unknown_account_takes_as_long_as_a_known_one(stack, browser, account):
    gateway = stack.children["gateway"].pid

    def cost_s(body: dict[str, str]) -> float:
        began_s = process_s(gateway)
        for _ in range(5):
            assert browser.post("/auth/login", **body).status_code == 401
        return process_s(gateway) - began_s

    known_s = cost_s({**account.body, "password": "a wrong password"})
    unknown_s = cost_s({"username": "nobody-of-this-name", "password": "a wrong password"})
    # Without a hash to verify it would be next to nothing.
    assert unknown_s > known_s / 2


def test_an_account_that_is_deleted_has_no_sessions(stack, browser, account):
    browser.login(account)
    stack.fidox("admins", "delete", account.username)
    assert error(browser.get("/auth/session"))[0] == 401
    assert error(browser.login(Account(account.username, account.password)))[0] == 401
