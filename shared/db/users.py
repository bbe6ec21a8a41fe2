"""A tenant's users as their operator sees them: who is enrolled, and with how many templates. No vectors here.

Everything is one tenant's: `tenant_id` comes first, and every query has it in its WHERE. A user is deleted by a worker
(`contracts.DeleteUser`), like every other change to one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.db.pages import Listing, Page, read_page
from shared.db.pool import Pool, connection

if TYPE_CHECKING:
    from shared.db.pages import Filters, Window

# The table compares user codes bytewise (0001), so a prefix is a range of its primary key.
_LISTING = Listing(
    columns="user_code, name, created_at",
    source="users",
    key=("user_code",),
    sorts={"user_code": "user_code", "created_at": "created_at"},
)


class User(msgspec.Struct, frozen=True):
    """A user. `engines` are those that have a template of theirs, by name."""

    user_code: str
    name: str | None
    created_at: datetime
    templates: int = 0
    engines: tuple[str, ...] = ()


class Users:
    """Reads `users`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, tenant_id: int, window: Window, *, prefix: str | None = None) -> Page[User]:
        """A tenant's users, or those whose code starts with `prefix`. Sorted by user_code or created_at."""
        filters: Filters = [("tenant_id = %s", tenant_id), ("starts_with(user_code, %s)", prefix)]
        page = await read_page(self._pool, _LISTING, window, filters, User)
        if not page.items:
            return page
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT user_code, count(*), array_agg(DISTINCT engine ORDER BY engine) FROM templates"
                " WHERE tenant_id = %s AND user_code = ANY(%s::text[]) GROUP BY user_code",
                (tenant_id, [user.user_code for user in page.items]),
            )
            templates = {code: (count, tuple(engines)) for code, count, engines in await cursor.fetchall()}
        users: list[User] = []
        for user in page.items:
            count, engines = templates.get(user.user_code, (0, ()))
            users.append(msgspec.structs.replace(user, templates=count, engines=engines))
        return Page(users, page.total)
