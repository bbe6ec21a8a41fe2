"""`fidox admins` and `fidox api-keys`, beside a running stack."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from typer.testing import CliRunner

from deploy.cli.app import app
from deploy.local.errors import LocalError
from deploy.local.folder import CHECKOUT
from tests.support.admin_api import Account, AdminApi

if TYPE_CHECKING:
    from deploy.local.stack import LocalStack

NEW = "a password by standard input"


@pytest.fixture
def username() -> str:
    return f"cli-{secrets.token_hex(4)}"


def fed(stack: LocalStack, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`fidox ARGUMENTS` with this on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        env=stack.environment,
        cwd=CHECKOUT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def opens(stack: LocalStack, username: str, password: str) -> bool:
    with AdminApi(stack.base_url, Account(username, password)) as client:
        return client.get("/auth/session").status_code == 200


def test_an_account_is_made_with_a_password_that_is_shown_once(stack: LocalStack, username: str) -> None:
    made = json.loads(stack.fidox("admins", "create", username, "--json"))
    assert list(made) == ["username", "password"]
    assert opens(stack, username, made["password"])
    listed = stack.fidox("admins", "list")
    assert username in listed
    assert made["password"] not in listed
    assert "cannot be shown again" in stack.fidox("admins", "create", f"{username}-2")


def test_a_password_by_standard_input_is_not_shown(stack: LocalStack, username: str) -> None:
    made = fed(stack, f"{NEW}\n", "admins", "create", username, "--password-stdin")
    assert (made.returncode, made.stdout) == (0, f"created admin {username}\n")
    assert opens(stack, username, NEW)


def test_a_password_is_asked_for_twice_and_not_echoed(stack: LocalStack, username: str) -> None:
    arguments = ["admins", "create", username, "--prompt"]
    asked = CliRunner().invoke(app, arguments, input=f"{NEW}\n{NEW}\n", env=stack.environment)
    assert asked.exit_code == 0
    assert asked.stdout.splitlines()[-1] == f"created admin {username}"
    assert NEW not in asked.output
    assert opens(stack, username, NEW)


@pytest.mark.parametrize("text", ["short\n", "", "x" * 257])
def test_a_password_that_no_account_may_have_is_one_line(stack: LocalStack, username: str, text: str) -> None:
    done = fed(stack, text, "admins", "create", username, "--password-stdin")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "fidox: a password has 12 to 256 characters\n"


@pytest.mark.parametrize("name", ["", "a:b", "x" * 129, "a\tb"])
def test_so_is_a_name_that_no_account_may_have(stack: LocalStack, name: str) -> None:
    with pytest.raises(LocalError, match="fidox: a username has 1 to 128 printable characters, and no colon"):
        stack.fidox("admins", "create", name)


def test_a_name_that_is_taken_or_unknown_is_one_line(stack: LocalStack, username: str) -> None:
    stack.fidox("admins", "create", username)
    with pytest.raises(LocalError, match=f"there is an account {username} already"):
        stack.fidox("admins", "create", username)
    for command in ("password", "delete"):
        with pytest.raises(LocalError, match="there is no admin nobody"):
            stack.fidox("admins", command, "nobody")
    with pytest.raises(LocalError, match="not both"):
        stack.fidox("admins", "password", username, "--prompt", "--password-stdin")


def test_a_new_password_ends_the_old_one_and_every_session(stack: LocalStack, username: str) -> None:
    old = json.loads(stack.fidox("admins", "create", username, "--json"))["password"]
    with AdminApi(stack.base_url) as browser:
        browser.login(Account(username, old))
        assert browser.get("/auth/session").status_code == 200
        assert fed(stack, NEW, "admins", "password", username, "--password-stdin").returncode == 0
        assert browser.get("/auth/session").status_code == 401
    assert not opens(stack, username, old)
    assert opens(stack, username, NEW)


def test_a_deleted_account_is_gone(stack: LocalStack, username: str) -> None:
    password = json.loads(stack.fidox("admins", "create", username, "--json"))["password"]
    assert json.loads(stack.fidox("admins", "delete", username, "--json")) == {"username": username, "deleted": True}
    assert not opens(stack, username, password)
    assert username not in stack.fidox("admins", "list")


def test_an_api_key_is_shown_once_turned_off_and_on_and_deleted(stack: LocalStack, username: str) -> None:
    made = json.loads(stack.fidox("api-keys", "create", username, "--json"))

    def status() -> int:
        headers = {"X-API-Key": made["key"]}
        return httpx.post(f"{stack.base_url}/api/v1/detect", headers=headers, timeout=30).status_code

    assert status() == 400
    listed = stack.fidox("api-keys", "list")
    assert made["key_prefix"] + "…" in listed
    assert made["key"] not in listed + stack.fidox("api-keys", "list", "--json")

    def row() -> dict:
        return next(key for key in json.loads(stack.fidox("api-keys", "list", "--json")) if key["id"] == made["id"])

    assert json.loads(stack.fidox("api-keys", "disable", made["id"], "--json"))["is_active"] is False
    assert row()["is_active"] is False
    stack.fidox("api-keys", "enable", made["id"])
    assert row()["is_active"] is True
    stack.fidox("api-keys", "delete", made["id"])
    assert made["id"] not in stack.fidox("api-keys", "list")
    for command in ("enable", "disable", "delete"):
        with pytest.raises(LocalError, match="there is no API key"):
            stack.fidox("api-keys", command, made["id"])


def test_more_api_keys_than_a_page_are_all_listed(stack: LocalStack, username: str) -> None:
    with AdminApi(stack.base_url, Account(stack.demo["ADMIN_USERNAME"], stack.demo["ADMIN_PASSWORD"])) as admin:
        for number in range(105):
            admin.make("/api-keys", name=f"{username} {number}")
    names = [key["name"] for key in json.loads(stack.fidox("api-keys", "list", "--json"))]
    assert [name for name in names if name.startswith(username)] == [f"{username} {number}" for number in range(105)]


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb"])
def test_a_name_that_no_api_key_may_have_is_one_line(stack: LocalStack, name: str) -> None:
    with pytest.raises(LocalError, match="a name has 1 to 128 printable characters"):
        stack.fidox("api-keys", "create", name)
