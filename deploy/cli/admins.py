"""`fidox admins`: the accounts of the admin console and the admin API."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deploy.cli import common
from shared.db.admins import AccountError, Admin, Admins
from shared.db.pool import DuplicateNameError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

T = TypeVar("T")

app = typer.Typer(help="Create, list and delete admin accounts, and set their passwords.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="The account's username.", show_default=False)]
Prompt = Annotated[bool, typer.Option("--prompt", help="Ask for the password, twice.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def create(
    username: Username, prompt: Prompt = False, password_stdin: FromStdin = False, as_json: common.Json = False
) -> None:
    """Create an account. Without an option its password is made up, and shown now and never again."""
    password, is_made_up = _password(prompt=prompt, from_stdin=password_stdin)

    async def work() -> None:
        async with common.database() as pool:
            await Admins(pool).create(username, password)

    try:
        _run(work())
    except DuplicateNameError:
        raise common.CommandError(
            f"there is an account {username} already; `fidox admins password` sets its password"
        ) from None
    _tell(f"created admin {username}", username, password if is_made_up else None, as_json=as_json)


@app.command()
def password(
    username: Username, prompt: Prompt = False, password_stdin: FromStdin = False, as_json: common.Json = False
) -> None:
    """Set an account's password, and end all its sessions. Without an option it is made up, and shown once."""
    new, is_made_up = _password(prompt=prompt, from_stdin=password_stdin)

    async def work() -> bool:
        async with common.database() as pool:
            return await Admins(pool).set_password(username, new)

    if not _run(work()):
        raise _unknown(username)
    _tell(f"set the password of {username}", username, new if is_made_up else None, as_json=as_json)


@app.command("list")
def list_admins(as_json: common.Json = False) -> None:
    """List the accounts, without their passwords."""

    async def work() -> list[Admin]:
        async with common.database() as pool:
            return await Admins(pool).list()

    found = asyncio.run(work())
    rows = [(one.username, f"{one.created_at:%Y-%m-%d}") for one in found]
    common.show_table(found, ("username", "created"), rows, as_json=as_json)


@app.command()
def delete(username: Username, as_json: common.Json = False) -> None:
    """Delete an account and end its sessions."""

    async def work() -> bool:
        async with common.database() as pool:
            return await Admins(pool).delete(username)

    if not asyncio.run(work()):
        raise _unknown(username)
    common.show({"username": username, "deleted": True}, f"deleted admin {username}", as_json=as_json)


def _password(*, prompt: bool, from_stdin: bool) -> tuple[str, bool]:
    """A password, and whether it was made up here. Raises CommandError."""
    if prompt and from_stdin:
        raise common.CommandError("give --prompt or --password-stdin, not both")
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if prompt:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)), False
    return secrets.token_urlsafe(18), True


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except AccountError as error:
        raise common.CommandError(str(error)) from None


def _unknown(username: str) -> common.CommandError:
    return common.CommandError(f"there is no admin {username}; `fidox admins list` shows them")


def _tell(text: str, username: str, password: str | None, *, as_json: bool) -> None:
    """What was done, with the password where it is one that nobody knows yet."""
    data = {"username": username}
    if password is not None:
        data["password"] = password
        text = f"{text}\npassword  {password}\n\nIt is kept nowhere: note it now, it cannot be shown again."
    common.show(data, text, as_json=as_json)
