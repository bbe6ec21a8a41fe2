"""A new password: who may set it, and what ends with it."""

import pytest

from tests.support.admin_api import Account, AdminApi
from tests.support.face_api import error

NEW = "correct horse battery staple"


def test_a_changed_password_is_the_one_that_counts(browser, account):
    browser.login(account)
    answer = browser.change_password(account.password, NEW)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error(browser.login(account))[0] == 401
    assert browser.login(Account(account.username, NEW)).status_code == 204


def test_it_ends_all_other_sessions_of_the_account_and_not_this_one(stack, browser, account, root):
    with AdminApi(stack.base_url) as other, AdminApi(stack.base_url) as somebody:
        browser.login(account)
        other.login(account)
        somebody.login(root)
        browser.change_password(account.password, NEW)
        assert browser.get("/auth/session").status_code == 200
        assert error(other.get("/auth/session"))[0] == 401
        assert somebody.get("/auth/session").status_code == 200


def test_by_http_basic_it_ends_every_session(stack, browser, account):
    browser.login(account)
    with AdminApi(stack.base_url, account) as basic:
        assert basic.change_password(account.password, NEW).status_code == 204
    assert error(browser.get("/auth/session"))[0] == 401


def test_basic_credentials_that_were_remembered_end_at_once(stack, browser, account):
    with AdminApi(stack.base_url, account) as basic:
        assert basic.get("/auth/session").status_code == 200
        browser.login(account)
        browser.change_password(account.password, NEW)
        assert error(basic.get("/auth/session"))[0] == 401
    with AdminApi(stack.base_url, Account(account.username, NEW)) as basic:
        assert basic.get("/auth/session").status_code == 200


def test_a_wrong_current_password_is_403_and_changes_nothing(browser, account):
    browser.login(account)
    assert error(browser.change_password("a wrong password", NEW))[0] == 403
    assert browser.login(account).status_code == 204


@pytest.mark.parametrize("new", ["", "eleven char", "x" * 257])
def test_a_new_password_has_12_to_256_characters(browser, account, new):
    browser.login(account)
    status, detail = error(browser.change_password(account.password, new))
    assert status == 400
    assert "new_password" in detail
    assert browser.login(account).status_code == 204


@pytest.mark.parametrize("new", ["x" * 12, "x" * 256, "비밀번호는열두글자이상으로", "\0" * 12])
def test_any_such_password_can_log_in(browser, account, new):
    browser.login(account)
    assert browser.change_password(account.password, new).status_code == 204
    assert browser.login(Account(account.username, new)).status_code == 204


def test_without_a_session_it_is_401(browser, account):
    assert error(browser.change_password(account.password, NEW))[0] == 401


def test_it_is_counted_with_the_logins(proxied, account, address):
    with AdminApi(proxied, **{"X-Forwarded-For": address}) as client:
        client.login(account)
        answers = [client.change_password("a guess of it", NEW) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [403] * 9 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
