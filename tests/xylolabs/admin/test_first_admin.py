"""FACE_API_ADMIN_USERNAME and FACE_API_ADMIN_PASSWORD: an account that is made once."""

import asyncio
import logging
import secrets
import subprocess
import sys
import time

import psycopg
import pytest

from gateway.auth.first_admin import first_admin
from shared.db.admins import Admins
from shared.db.migrate import migrate
from shared.db.pool import open_pool
from shared.settings import Database, FaceApi, Settings, SettingsError
from tests.support.admin_api import Account, AdminApi
from tests.support.gateways import gateway_beside
from tests.support.ports import own_port
from tests.support.waiting import until, until_awaited, until_in_loop


@pytest.fixture
def first() -> Account:
    return Account(f"first-{secrets.token_hex(4)}", secrets.token_urlsafe(18))


def variables(account: Account) -> dict[str, str]:
    return {"FACE_API_ADMIN_USERNAME": account.username, "FACE_API_ADMIN_PASSWORD": account.password}


def settings(url: str, username: str, password: str) -> Settings:
    return Settings(
        database=Database(url=url, connect_timeout_s=0.5),
        face_api=FaceApi(admin_username=username, admin_password=password),
    )


def opens(client: AdminApi) -> None:
    until(lambda: client.get("/auth/session").status_code == 200, "the account is there")


def test_it_is_made_at_the_start_by_one_of_several_processes(stack, first):
    with (
        gateway_beside(stack, FIDOX_GATEWAY_PROCESSES="3", **variables(first)) as url,
        AdminApi(url, first) as client,
    ):
        opens(client)
    listed = stack.fidox("admins", "list")
    assert listed.count(first.username) == 1


def test_it_is_never_overwritten(stack, first):
    new = "the password that its owner chose"
    with gateway_beside(stack, **variables(first)) as url, AdminApi(url, first) as client:
        opens(client)
        assert client.change_password(first.password, new).status_code == 204
    with gateway_beside(stack, **variables(first)) as url:
        with AdminApi(url, Account(first.username, new)) as client:
            opens(client)
        time.sleep(1)
        with AdminApi(url, first) as client:
            assert client.get("/auth/session").status_code == 401


def test_it_waits_for_the_database_and_its_tables_and_says_so_once(stack, first, caplog):
    name = f"later_{secrets.token_hex(4)}"
    url = psycopg.conninfo.make_conninfo(stack.database_url, dbname=name)

    def waits() -> list[logging.LogRecord]:
        return [record for record in caplog.records if "waits" in record.message]

    async def start() -> str:
        async with open_pool(Database(url=url, connect_timeout_s=0.5)) as pool:
            admins = Admins(pool)
            async with first_admin(settings(url, first.username, first.password), admins):
                await until_in_loop(waits, "it says that it waits")
                with psycopg.connect(stack.database_url, autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {name}")
                await asyncio.sleep(3)
                await migrate(url)
                return await until_awaited(lambda: admins.password_hash(first.username))

    try:
        assert asyncio.run(start())
    finally:
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    assert len(waits()) == 1
    assert first.password not in caplog.text


@pytest.mark.parametrize(
    ("username", "password", "variable"),
    [
        ("admin", "eleven char", "FACE_API_ADMIN_PASSWORD"),
        ("admin", "x" * 257, "FACE_API_ADMIN_PASSWORD"),
        ("a:b", "long enough for it", "FACE_API_ADMIN_USERNAME"),
    ],
)
def test_what_no_account_may_have_stops_the_start(username, password, variable):
    async def start() -> None:
        async with (
            open_pool(Database()) as pool,
            first_admin(settings("postgresql://x", username, password), Admins(pool)),
        ):
            pass

    with pytest.raises(SettingsError, match=variable) as raised:
        asyncio.run(start())
    assert password not in str(raised.value)


def test_the_gateway_says_so_and_ends(stack):
    environment = {
        **stack.environment,
        "PORT": str(own_port()),
        **variables(Account("admin", "too short")),
    }
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode
    assert "FACE_API_ADMIN_PASSWORD: a password has 12 to 256 characters" in done.stderr
    assert "too short" not in done.stderr
