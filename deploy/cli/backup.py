"""`fidox backup` and `fidox restore`: PostgreSQL's own pg_dump and pg_restore, of a version that fits the server.

pg_dump refuses a server that is newer than itself, and what a system has is often older than the server that
`fidox up` runs. So the newest one at hand is taken: PATH's, or the one in the embedded PostgreSQL's package.

    backup   everything but admin sessions: a copy must not bring back one that has been ended
    restore  into an empty database, in one transaction, and then the migrations that the copy has not seen
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.cli import common
from deploy.local import initdb
from deploy.local.errors import LocalError
from shared.db.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

# Comments: that of the extension belongs to whoever made it, which on a managed server is not us.
DUMP = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--exclude-table-data=admin_sessions")
RESTORE = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")


def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not be there yet.")],
    as_json: common.Json = False,
) -> None:
    """Write the whole database into a file: tenants, keys, users, templates, transactions, rows of pictures.

    Calls go on meanwhile; the copy is of the moment it began. The file holds biometric data: keep it encrypted.
    """
    url = common.direct_database_url()
    # Made here, for its owner alone, and not over something else.
    try:
        os.close(os.open(out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise common.CommandError(f"{out}: {error.strerror}") from error
    try:
        _run("pg_dump", [*DUMP, f"--file={out}"], url)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    size = out.stat().st_size
    common.show({"file": str(out), "bytes": size}, f"{out}: {size / 2**20:.1f} MiB", as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `fidox backup` or pg_dump wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop everything that is in the database before, for good.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """Fill an empty database from such a file, and migrate it to this version.

    Stop gateways and workers before: they keep templates and keys of the old database in memory.
    """
    url = common.direct_database_url()
    # Looked into first: with --replace there is no way back.
    _run("pg_restore", ["--list", "--file=/dev/null", str(file)], None)
    _make_room(url, replace=replace)
    _run("pg_restore", [*RESTORE, str(file)], url)
    applied = asyncio.run(migrate(url))
    with psycopg.connect(url) as connection:
        users = connection.execute("SELECT count(*) FROM users").fetchone()
    count = users[0] if users else 0
    told = f"restored, {count} users" + "".join(f"\napplied {name}" for name in applied)
    common.show({"users": count, "applied": applied}, told, as_json=as_json)


def _make_room(url: str, *, replace: bool) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if not found or not found[0]:
            return
        if not replace:
            raise common.CommandError("the database is not empty; make another, or drop what is there with --replace")
        with connection.transaction():
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")


def _run(program: str, arguments: Sequence[str], url: str | None) -> None:
    """Run one of PostgreSQL's programs. Raises CommandError with what it says first."""
    environment = dict(os.environ)
    target: list[str] = []
    if url is not None:
        parts = conninfo_to_dict(url)
        # Not among the arguments, which every user of the machine can read.
        if password := parts.pop("password", None):
            environment["PGPASSWORD"] = str(password)
        target = [f"--dbname={make_conninfo('', **parts)}"]
    command = [str(_newest(program)), *target, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise common.CommandError(" ".join(done.stderr.split()) or f"{program} ended with {done.returncode}")


def _newest(program: str) -> Path:
    """Of PATH's and the embedded PostgreSQL's. Raises CommandError where there is neither."""
    found = [Path(path)] if (path := shutil.which(program)) else []
    try:
        found.append(initdb.programs() / program)
    except LocalError:
        if not found:
            raise common.CommandError(f"{program} is not installed: it comes with PostgreSQL's client") from None
    return max(found, key=_version)


def _version(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)", told)
    return int(found[1]) if found else 0
