"""Logging in and out, and what is seen without a session."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.admin_api import COOKIE


def log_in(page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_login_leads_to_the_page_that_was_asked_for_and_a_logout_ends_it(stack, root, stranger):
    stranger.goto("/admin/transactions?period=week")
    log_in(stranger, root.username, root.password)
    stranger.wait_for_url(f"{stack.base_url}/admin/transactions?period=week")

    stranger.get_by_role("button", name="Log out").click()
    expect(stranger.get_by_text("You are logged out.")).to_be_visible()
    stranger.goto("/admin")
    stranger.wait_for_url(f"{stack.base_url}/admin/login")


def test_a_wrong_password_is_said_and_the_name_is_kept(root, stranger):
    stranger.goto("/admin/login")
    log_in(stranger, root.username, "not the password")
    expect(stranger.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    expect(stranger.get_by_label("Username")).to_have_value(root.username)
    expect(stranger.get_by_label("Password")).to_have_value("")


def test_an_expired_session_is_sent_to_the_login(stack, stranger):
    stranger.context.add_cookies([{"name": COOKIE, "value": "A" * 43, "url": stack.base_url}])
    stranger.goto("/admin/tenants")
    stranger.wait_for_url(f"{stack.base_url}/admin/login?next=%2Fadmin%2Ftenants")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/admin//evil.example", "/adminx", "/admin/\r\nX: y"],
)
def test_a_login_leads_nowhere_else(stack, root, target):
    answer = httpx.post(f"{stack.base_url}/admin/login", data=root.body | {"next": target}, timeout=60)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")


@pytest.mark.parametrize("path", ["/admin/login", "/admin/api-keys", "/admin/logout"])
def test_a_form_of_another_site_is_refused(client, root, path):
    answer = client.post(path, data=root.body | {"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_a_script_without_a_session_gets_json(stack):
    answer = httpx.get(f"{stack.base_url}/admin/live", headers={"Accept": "application/json"}, timeout=60)
    assert answer.status_code == 401
    assert answer.json()["failure"] == "unauthenticated"


def test_every_page_has_the_policy(client):
    for path in ("/admin", "/admin/login", "/admin/nothing", "/admin/live", "/"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), path
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_what_is_not_there_is_a_page_too(client):
    answer = client.get("/admin/nothing")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
