"""The account of FACE_API_ADMIN_USERNAME and FACE_API_ADMIN_PASSWORD, made where it is not there.

It is made once and never overwritten: its password is changed by the admin API or `fidox admins password`, and a
gateway that starts again with the first one in its environment must not bring that back. Several gateways may start
at once, and before the database does, or before its tables are made: each tries until the account is there. A password
that no account may have stops the gateway at its start, as a missing signing secret does; it would otherwise run with
a door that its operator believes to be open.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg

from shared.db.admins import AccountError, check_password, check_username
from shared.db.pool import DuplicateNameError, StoreUnavailableError
from shared.endings import end
from shared.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.db.admins import Admins
    from shared.settings import Settings

log = logging.getLogger("fidox.admin")

RETRY_S = 2.0


@asynccontextmanager
async def first_admin(settings: Settings, admins: Admins) -> AsyncGenerator[None]:
    """Make the settings' account in the background, where they name one. Raises SettingsError for a wrong one."""
    username, password = settings.face_api.admin_username, settings.face_api.admin_password
    if not settings.database.url or not (username and password):
        if username or password:
            log.warning("no admin account is made: it takes FACE_API_ADMIN_USERNAME, _PASSWORD and DATABASE_URL")
        yield
        return
    for variable, check, value in (
        ("FACE_API_ADMIN_USERNAME", check_username, username),
        ("FACE_API_ADMIN_PASSWORD", check_password, password),
    ):
        try:
            check(value)
        except AccountError as error:
            # Granian ends a process whose start fails without a word of its own.
            log.error("%s: %s", variable, error)  # noqa: TRY400 — the message is all there is to it
            raise SettingsError(f"{variable}: {error}") from None
    task = asyncio.create_task(_make(admins, username, password), name="first admin")
    try:
        yield
    finally:
        await end(task)


async def _make(admins: Admins, username: str, password: str) -> None:
    told = False
    while True:
        try:
            if await admins.password_hash(username) is None:
                await admins.create(username, password)
                log.info("admin account made", extra={"facts": {"admin": username}})
        except DuplicateNameError:
            pass  # another process was faster
        except (StoreUnavailableError, psycopg.errors.UndefinedTable):
            if not told:
                log.warning(
                    "the admin account waits for the database and its tables", extra={"facts": {"admin": username}}
                )
                told = True
            await asyncio.sleep(RETRY_S)
            continue
        return
