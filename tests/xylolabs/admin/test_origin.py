"""Requests that another site's page makes a browser send change nothing."""

import pytest

from tests.support.face_api import error

LISTED = "https://shop.example"  # FIDOX_CORS_ORIGINS of the stack


@pytest.fixture
def here(stack) -> str:
    return stack.base_url


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "something new"},
    {"Sec-Fetch-Site": "cross-site", "Origin": LISTED},
    {"Origin": "https://evil.example"},
    {"Origin": "https://shop.example.evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://[broken"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_session_changes_nothing_for_another_sites_page(browser, account, headers):
    browser.login(account)
    for method, path in (
        ("POST", "/api-keys"),
        ("PATCH", "/tenants/1"),
        ("DELETE", "/tenants/1?confirm=demo"),
        ("PUT", "/auth/password"),
        ("POST", "/auth/logout"),
        ("POST", "/test/mask"),
    ):
        answer = browser.client.request(method, path, json={"name": "forged"}, headers=headers)
        assert error(answer)[0] == 403, (method, path)
    assert browser.list("/api-keys", q="forged")["total"] == 0
    assert browser.get("/auth/session").status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_nor_does_http_basic_which_a_browser_sends_by_itself_too(admin, headers):
    answer = admin.client.post("/api-keys", json={"name": "forged"}, headers=headers)
    assert error(answer)[0] == 403


@pytest.mark.parametrize("headers", FOREIGN)
def test_nor_can_another_sites_page_log_its_visitor_in(browser, account, headers):
    answer = browser.login(account, **headers)
    assert error(answer)[0] == 403
    assert "set-cookie" not in answer.headers


def test_the_consoles_own_pages_do(browser, account, here):
    assert browser.login(account, **{"Sec-Fetch-Site": "same-origin", "Origin": here}).status_code == 204
    for headers in (
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": here},
        {"Origin": here.upper().replace("HTTP", "http")},
        {"Origin": LISTED},
        # A proxy that hides the host: the browser's word counts.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://faces.example.com"},
    ):
        answer = browser.client.post("/api-keys", json={"name": "ours"}, headers=headers)
        assert answer.status_code == 201, headers


def test_a_program_sends_neither_and_is_let_through(browser, account, admin):
    assert browser.login(account).status_code == 204
    assert browser.post("/api-keys", name="by a program").status_code == 201
    assert admin.post("/api-keys", name="by a program").status_code == 201


@pytest.mark.parametrize("headers", FOREIGN)
def test_reading_is_left_to_the_browser_which_shows_the_page_nothing(browser, account, headers):
    browser.login(account)
    answer = browser.client.get("/auth/session", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-credentials" not in answer.headers
