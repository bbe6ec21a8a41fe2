"""`fidox`: every command has help and --json, does what it says, and complains in one line."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
import typer.main

from deploy.cli.app import app
from deploy.local.errors import LocalError
from deploy.local.folder import CHECKOUT
from tests.support.gateways import database_beside

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.stack import LocalStack


def commands(group, path: tuple[str, ...] = ()):
    """Every command of the line, with its path."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield pytest.param((*path, name), command, id=" ".join((*path, name)))


ALL = list(commands(typer.main.get_command(app)))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`fidox` where no server is named."""
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        env={**clean, **environment},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("path", "command"), ALL)
def test_every_command_says_what_it_does(path: tuple[str, ...], command) -> None:
    assert command.help
    assert "--json" in {option for parameter in command.params for option in parameter.opts}
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{path}: {parameter.name}"


def test_the_commands_are_the_documented_ones() -> None:
    assert {" ".join(param.values[0]) for param in ALL} == {
        "up",
        "migrate",
        "queue top",
        "doctor",
        "backup",
        "restore",
        "calibrate",
        *(f"tenants {name}" for name in ("create", "list", "disable", "enable", "set", "token")),
        *(f"keys {name}" for name in ("create", "list", "revoke")),
        *(f"api-keys {name}" for name in ("create", "list", "enable", "disable", "delete")),
        *(f"admins {name}" for name in ("create", "password", "list", "delete")),
        *(f"faces {name}" for name in ("count", "export", "import", "enrol")),
        *(f"weights {name}" for name in ("list", "features", "fetch", "verify", "bundle", "import")),
    }


def test_help_is_shown() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "tenants" in done.stdout


def test_a_database_that_is_away_is_one_line() -> None:
    done = run("tenants", "list", DATABASE_URL="postgresql://postgres@127.0.0.1:1/postgres")
    assert done.returncode == 1
    assert done.stderr.startswith("fidox: the database does not answer")
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_read_is_one_line() -> None:
    done = run("weights", "list", PORT="many")
    assert done.returncode == 1
    assert done.stderr.startswith("fidox: PORT: ")
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_weight_is_one_line() -> None:
    done = run("weights", "fetch", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("fidox: there is no weight nothing; there are")


def test_weights_are_listed_with_their_licence(tmp_path: Path) -> None:
    done = run("weights", "list", "--json", FIDOX_CACHE_DIR=str(tmp_path))
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["scrfd_500m"]["licence"] == "InsightFace, non-commercial"
    assert rows["scrfd_500m"]["commercial_use"] is False


def test_a_wrong_weight_fails_the_verification(tmp_path: Path) -> None:
    (tmp_path / "scrfd_10g.onnx").write_bytes(b"something else")
    done = run("weights", "verify", FIDOX_CACHE_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "scrfd_10g: refused" in done.stderr


def test_a_tenant_is_created_disabled_and_enabled(stack: LocalStack) -> None:
    name = f"cli-{secrets.token_hex(4)}"
    made = json.loads(stack.fidox("tenants", "create", name, "--calls-per-minute", "7", "--json"))
    assert (made["name"], made["calls_per_minute"], made["is_active"]) == (name, 7, True)
    with pytest.raises(LocalError, match=f"fidox: there is a tenant {name} already"):
        stack.fidox("tenants", "create", name)
    stack.fidox("tenants", "disable", name)
    assert "disabled" in next(line for line in stack.fidox("tenants", "list").splitlines() if name in line)
    assert json.loads(stack.fidox("tenants", "enable", name, "--json")) == {"name": name, "is_active": True}
    with pytest.raises(LocalError, match="there is no tenant nobody"):
        stack.fidox("tenants", "disable", "nobody")


def test_what_a_tenant_may_choose_is_set_and_listed(stack: LocalStack) -> None:
    name = f"cli-{secrets.token_hex(4)}"
    made = json.loads(stack.fidox("tenants", "create", name, "--json"))
    assert (made["spoof_rejects"], made["reveals_numbers"]) == (False, False)

    def listed() -> tuple[bool, bool]:
        rows = json.loads(stack.fidox("tenants", "list", "--json"))
        return next((row["spoof_rejects"], row["reveals_numbers"]) for row in rows if row["name"] == name)

    stack.fidox("tenants", "set", name, "--spoof-rejects")
    assert listed() == (True, False)
    stack.fidox("tenants", "set", name, "--no-spoof-rejects", "--reveal-numbers")
    assert listed() == (False, True)
    stack.fidox("tenants", "set", name, "--mask-numbers")
    assert listed() == (False, False)
    with pytest.raises(LocalError, match="nothing to change"):
        stack.fidox("tenants", "set", name)
    with pytest.raises(LocalError, match="there is no tenant nobody"):
        stack.fidox("tenants", "set", "nobody", "--spoof-rejects")


def test_a_tenant_token_is_shown_once_with_the_key_that_ends_it(stack: LocalStack) -> None:
    name = f"cli-{secrets.token_hex(4)}"
    stack.fidox("tenants", "create", name)
    told = stack.fidox("tenants", "token", name)
    token, key = told.split()[0], told.split()[-1]
    listed = stack.fidox("keys", "list", "--tenant", name)
    assert key in listed
    assert "tenant token" in listed
    assert token not in listed
    with pytest.raises(LocalError, match="there is no tenant nobody"):
        stack.fidox("tenants", "token", "nobody")


def test_a_tenant_token_needs_the_gateways_secret() -> None:
    done = run("tenants", "token", "shop", FIDOX_JWT_SECRETS="main:short")
    assert done.returncode == 1
    assert done.stderr.startswith("fidox: FIDOX_JWT_SECRETS: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_key_works_until_it_is_revoked_and_its_secret_is_shown_once(stack: LocalStack) -> None:
    name = f"cli-{secrets.token_hex(4)}"
    stack.fidox("tenants", "create", name)
    assert "cannot be shown again" in " ".join(stack.fidox("keys", "create", name).split())
    key = json.loads(stack.fidox("keys", "create", name, "--label", "shop", "--json"))

    def login() -> int:
        body = {"accessKey": key["access_key"], "secretKey": key["secret_key"]}
        return httpx.post(f"{stack.base_url}/auth/client/token", json=body, timeout=30).status_code

    assert login() == 200
    listed = stack.fidox("keys", "list", "--tenant", name)
    assert key["access_key"] in listed
    assert "shop" in listed
    assert key["secret_key"] not in stack.fidox("keys", "list", "--json")
    stack.fidox("keys", "revoke", key["access_key"])
    assert login() == 401
    with pytest.raises(LocalError, match="there is no live key"):
        stack.fidox("keys", "revoke", key["access_key"])


def test_migrating_again_does_nothing(stack: LocalStack) -> None:
    assert json.loads(stack.fidox("migrate", "--json")) == {"applied": []}


def test_a_check_for_migrations_changes_nothing_and_says_what_is_pending(stack: LocalStack) -> None:
    """What the pods of a new version wait with."""
    assert stack.fidox("migrate", "--check").strip() == "nothing to do"
    with database_beside(stack) as url:
        with psycopg.connect(url) as connection:
            connection.execute("DELETE FROM schema_migrations WHERE name LIKE '0005%'")
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-m", "deploy.cli", "migrate", "--check"],
                env=stack.environment | {"DATABASE_URL": url},
                cwd=CHECKOUT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout.strip()) == (1, "pending 0005_storage")


def test_the_doctor_finds_nothing_wrong_with_a_running_stack(stack: LocalStack) -> None:
    found = {one["check"]: one for one in json.loads(stack.fidox("doctor", "--json"))}
    for check in ("Python", "networks on the CPU", "database", "pgvector", "migrations", "Redis", "workers", "storage"):
        assert found[check]["state"] == "ok", found[check]
    assert found["workers"]["todo"] == ""
    assert "liveness 0" not in found["workers"]["detail"]
    assert "ocr 0" not in found["workers"]["detail"]
    assert found["Redis maxmemory-policy"]["detail"] == "noeviction"
    assert found["FIDOX_JWT_SECRETS"]["state"] == "ok"


def test_the_doctor_fails_on_what_does_not_work() -> None:
    on_without_a_place = {"FACE_API_STORAGE_ENABLED": "true", "FACE_API_STORAGE_DIR": ""}
    done = run("doctor", "--json", REDIS_URL="redis://127.0.0.1:1/0", FIDOX_JWT_SECRETS="short", **on_without_a_place)
    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["Redis"]["state"] == found["FIDOX_JWT_SECRETS"]["state"] == "fail"
    assert found["Redis"]["todo"]
    assert "FACE_API_STORAGE_DIR" in found["storage"]["todo"]
