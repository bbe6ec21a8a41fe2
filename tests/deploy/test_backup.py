"""The commands of docs/backup.md, as printed: what comes back answers as what was there."""

import os
import re
import secrets
import stat
import subprocess
import textwrap
from pathlib import Path

import psycopg
import pytest

from deploy.local import initdb
from deploy.local.errors import LocalError
from deploy.local.folder import CHECKOUT
from tests.support.admin_api import AdminApi, make_account
from tests.support.fidox import Fidox, make_tenant
from tests.support.gateways import database_beside
from tests.support.storing import Side

REDIS_DB = 12
USERS = {"u1": "obama/obama.jpg", "u2": "biden/biden.jpg", "u3": "rose_leslie/img1.jpg"}
OTHERS = {
    "u1": "obama/obama2.jpg",
    "u2": "biden/biden2.jpg",
    "u3": "rose_leslie/img2.jpg",
    "stranger": "kit_harington/test1.jpg",
}
BLOCK = re.compile(r"^( *)```sh (backup|restore)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def printed(what: str) -> list[str]:
    """The document's commands for this."""
    page = (CHECKOUT / "docs" / "backup.md").read_text("utf-8")
    return [textwrap.dedent(text) for _, kind, text in BLOCK.findall(page) if kind == what]


def shell(command: str, folder: Path, database_url: str) -> None:
    """Run it there, beside that database, with PostgreSQL's programs at hand and the environment at `.venv`."""
    (folder / ".venv").exists() or (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    environment = {
        "PATH": f"{initdb.programs()}:{os.environ['PATH']}",
        "DATABASE_URL": database_url,
        "HOME": str(folder),
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=folder, env=environment, check=True)


def empty(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def what_it_says(side: Side, keys, photo) -> dict[str, tuple]:
    """Of each user's other pictures and of a stranger: who it is, and with which scores."""
    with Fidox.login(side.base_url, keys.access_key, keys.secret_key) as api:
        said = {}
        for user, picture in OTHERS.items():
            found = api.post("/face/identify", image=photo(picture)).json()
            verified = api.post("/face/verify", userCode=user, image=photo(picture)).json()
            said[user] = (found.get("uid"), found["score"], verified.get("score"), verified.get("errorCode"))
        return said


def test_the_document_has_both_ways_to_do_each():
    assert [len(printed("backup")), len(printed("restore"))] == [2, 2]


def test_templates_tenants_and_keys_come_back_and_answer_with_the_same_scores(stack, tmp_path, photo):
    places = [tmp_path / name for name in ("before", "after")]
    with Side(stack, REDIS_DB, places[0], tmp_path / "before.log") as before:
        keys = make_tenant(before.database_url, "kept")
        with Fidox.login(before.base_url, keys.access_key, keys.secret_key) as api:
            for user, picture in USERS.items():
                answer = api.post("/face/register", userCode=user, image=photo(picture))
                assert answer.status_code == 200, answer.text
        at_first = what_it_says(before, keys, photo)
        for position, command in enumerate(printed("backup")):
            (tmp_path / str(position)).mkdir()
            shell(command, tmp_path / str(position), before.database_url)
    assert [said[0] for said in at_first.values()] == ["u1", "u2", "u3", None]
    assert stat.S_IMODE((tmp_path / "0" / "fidox.dump").stat().st_mode) == 0o600
    after = Side(stack, REDIS_DB, places[1], tmp_path / "after.log")
    for position, command in enumerate(printed("restore")):
        empty(after.database_url)
        # Each way's copy is restored by the other one: they are the same.
        shell(command, tmp_path / str(1 - position), after.database_url)
    with after:
        assert what_it_says(after, keys, photo) == at_first


def test_a_file_that_is_there_is_not_written_over_and_a_database_that_is_not_empty_is_left_alone(stack, tmp_path):
    copy = tmp_path / "copy.dump"
    told = stack.fidox("backup", str(copy), "--json")
    assert f'"bytes": {copy.stat().st_size}' in told
    with pytest.raises(LocalError, match="File exists"):
        stack.fidox("backup", str(copy))
    with pytest.raises(LocalError, match="not empty"):
        stack.fidox("restore", str(copy))


def test_replacing_looks_into_the_file_first(stack, tmp_path):
    good, bad = tmp_path / "good.dump", tmp_path / "bad.dump"
    name = f"kept-{secrets.token_hex(4)}"
    stack.fidox("tenants", "create", name)
    stack.fidox("backup", str(good))
    bad.write_bytes(good.read_bytes()[:200])
    with database_beside(stack) as url:

        def fidox(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [str(CHECKOUT / ".venv" / "bin" / "fidox"), *arguments]
            environment = stack.environment | {"DATABASE_URL": url}
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

        assert fidox("tenants", "create", "there-before").returncode == 0
        broken = fidox("restore", str(bad), "--replace")
        assert (broken.returncode, len(broken.stderr.splitlines())) == (1, 1), broken.stderr
        assert "there-before" in fidox("tenants", "list").stdout
        assert fidox("restore", str(good), "--replace").returncode == 0
        listed = fidox("tenants", "list").stdout
    assert name in listed
    assert "there-before" not in listed


def test_sessions_of_the_console_are_not_in_a_copy(stack, tmp_path):
    account = make_account(stack.database_url)
    with AdminApi(stack.base_url) as api:
        assert api.login(account).status_code == 204
    copy = tmp_path / "copy.dump"
    stack.fidox("backup", str(copy))
    command = [initdb.programs() / "pg_restore", "--data-only", "--file=-", copy]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert account.username in told
    assert "COPY public.admins " in told
    assert "COPY public.admin_sessions " not in told
