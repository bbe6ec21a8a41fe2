"""Every change by an admin is a line in the log: who, what, which; and nothing that is secret or personal."""

import secrets

from tests.support.fidox import Fidox

NEW = "a new password that nobody knows"


def test_each_change_is_logged_with_who_what_and_which(stack, browser, account, photo):
    browser.login(account)
    session = browser.cookie
    key = browser.make("/api-keys", name="logged")
    browser.patch(f"/api-keys/{key['id']}", is_active=False)
    browser.delete(f"/api-keys/{key['id']}")
    tenant = browser.make("/tenants", name=f"admin-{secrets.token_hex(4)}")
    access = browser.make(f"/tenants/{tenant['id']}/access-keys")
    code = f"비밀-{secrets.token_hex(8)}"
    with Fidox.login(stack.base_url, access["access_key"], access["secret_key"]) as api:
        api.post("/face/register", userCode=code, image=photo("obama/obama.jpg"))
    browser.patch(f"/tenants/{tenant['id']}", calls_per_minute=5)
    browser.delete(f"/tenants/{tenant['id']}/users", user_code=code)
    browser.delete(f"/tenants/{tenant['id']}/access-keys/{access['access_key']}")
    browser.delete(f"/tenants/{tenant['id']}", confirm=tenant["name"])
    browser.change_password(account.password, NEW)
    browser.client.post("/auth/logout")

    log = (stack.folder.logs / "gateway.log").read_text("utf-8")
    mine = [line for line in log.splitlines() if f"admin={account.username}" in line]
    told = [line.partition(" action=")[2] for line in mine]
    assert [line.split()[0] for line in told] == [
        "session.start",
        "api_key.create",
        "api_key.update",
        "api_key.delete",
        "tenant.create",
        "access_key.create",
        "tenant.update",
        "user.delete",
        "access_key.revoke",
        "tenant.delete",
        "password.change",
        "session.end",
    ]
    for line in told[1:4]:
        assert f"id={key['id']}" in line
    assert f"id={access['access_key']}" in told[5]
    assert "calls_per_minute=5" in told[6]
    assert f"tenant={tenant['id']} tx=" in told[7]
    for secret in (session, key["key"], access["secret_key"], account.password, NEW, code):
        assert secret not in log


def test_a_login_that_was_refused_is_logged_without_what_was_typed(stack, browser):
    typed = f"my-password-{secrets.token_hex(4)}"
    browser.post("/auth/login", username=typed, password=typed)
    log = (stack.folder.logs / "gateway.log").read_text("utf-8")
    assert "admin login refused" in log
    assert typed not in log
