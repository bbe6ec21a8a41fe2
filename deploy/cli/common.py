"""What all commands share: the option `--json`, where the servers are, and how results are shown.

The environment decides. Where it names no server and a stack of this checkout runs, that one's are taken.
"""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy.local import envfiles, lock
from deploy.local.folder import DEFAULT_ROOT, Folder
from shared.db.pool import open_pool
from shared.settings import Database, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from shared.db.pool import Connection, Pool
    from shared.db.tenants import Tenant, Tenants

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class CommandError(Exception):
    """What the operator has to change; shown as one line."""


def environment() -> dict[str, str]:
    """The process's environment, completed from the stack that runs in this checkout."""
    given = {name: value for name, value in os.environ.items() if value}
    folder = Folder(DEFAULT_ROOT)
    local = {**envfiles.read(folder.secrets), **envfiles.read(folder.urls)} if lock.running(folder) else {}
    return {**local, **given}


def settings() -> Settings:
    """The settings of `environment`. Raises SettingsError."""
    return Settings.from_env(environment())


def database_url() -> str:
    """Where the database is. Raises CommandError where nothing says so."""
    url = settings().database.url
    if not url:
        raise CommandError("no database: set DATABASE_URL, or start one with `fidox up`")
    return url


def direct_database_url() -> str:
    """Where the database is, past a pooler: for what needs a session of its own. Raises CommandError."""
    return settings().database.direct_url or database_url()


@asynccontextmanager
async def database(configure: Callable[[Connection], Awaitable[None]] | None = None) -> AsyncGenerator[Pool]:
    """A pool for one command; `configure` as for `open_pool`."""
    one = Database(url=database_url(), pool_size=1, prepares=settings().database.prepares)
    async with open_pool(one, application="fidox", configure=configure) as pool:
        yield pool


async def tenant_named(tenants: Tenants, name: str) -> Tenant:
    """The tenant of this name. Raises CommandError."""
    found = await tenants.by_name(name)
    if found is None:
        raise CommandError(f"there is no tenant {name}; `fidox tenants list` shows them")
    return found


def progress() -> Progress:
    """A bar with a count, on stderr, so that stdout is the result's alone; none where nobody watches."""
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def show(data: object, text: str, *, as_json: bool) -> None:
    """`data` as JSON, or `text`."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
    else:
        sys.stdout.write(f"{text}\n")


def show_table(data: Sequence[Any], columns: Sequence[str], rows: Sequence[Sequence[str]], *, as_json: bool) -> None:
    """`data` as JSON, or `rows` as a table."""
    if as_json:
        show(data, "", as_json=True)
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    # Into a pipe or file nothing is cut to a guessed width.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200, markup=False)
    console.print(table if rows else "none")
