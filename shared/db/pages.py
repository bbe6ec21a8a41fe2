"""One page of a listing, and how many rows there are in all.

What a listing can be sorted by and filtered by is a table in its repository: those words go into the statement, and
nothing that a caller sends does but as a parameter. Ties are broken by the primary key, in the same direction, so that
no row is on two pages or on none; a null counts as the least. Statements are not prepared: after five runs PostgreSQL
would keep one plan for all filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, LiteralString, NamedTuple, TypeAlias, TypeVar

import msgspec

from shared.db.pool import Pool, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")
# SQL with one %s, and its parameter; None: not asked for. The type checker sees to it that the SQL stands in our code.
Filters: TypeAlias = "Sequence[tuple[LiteralString, Any | None]]"


class Window(msgspec.Struct, frozen=True):
    """Which page: the first is 1. `sort` is a field of the listing, descending with a "-" before it."""

    page: int
    per_page: int
    sort: str


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The rows of one page, and how many all pages have."""

    items: list[T]
    total: int


class Listing(NamedTuple):
    """What a listing reads. `sorts`: SQL by field, without direction; those in `nullable` may be null.

    `is_wide`: its rows are so long that those before the page are to be skipped in an index, which has to have all that
    is sorted and filtered by, and the key.
    """

    columns: LiteralString
    source: LiteralString
    key: tuple[LiteralString, ...]
    sorts: Mapping[str, LiteralString]
    nullable: frozenset[str] = frozenset()
    is_wide: bool = False

    def order(self, sort: str) -> LiteralString:
        """The ORDER BY. Raises KeyError for a field that is not in the table."""
        field = sort.removeprefix("-")
        direction, nulls = ("DESC", "LAST") if sort != field else ("ASC", "FIRST")
        first = f"{self.sorts[field]} {direction}"
        if field in self.nullable:
            first = f"{first} NULLS {nulls}"
        return ", ".join([first, *(f"{column} {direction}" for column in self.key)])


async def read_page(
    pool: Pool,
    listing: Listing,
    window: Window,
    filters: Filters,
    make: Callable[..., T],
) -> Page[T]:
    """A page of what passes every filter."""
    conditions: list[LiteralString] = [condition for condition, value in filters if value is not None]
    values = [value for _, value in filters if value is not None]
    where = " AND ".join(conditions) or "true"
    offset = (window.page - 1) * window.per_page
    async with connection(pool) as conn:
        counted = await conn.execute(
            f"SELECT count(*) FROM {listing.source} WHERE {where}",  # noqa: S608 — LiteralString
            values,
            prepare=False,
        )
        row = await counted.fetchone()
        total = int(row[0]) if row else 0
        if offset >= total:
            return Page([], total)
        order = listing.order(window.sort)
        rows: LiteralString = f"FROM {listing.source} WHERE {where} ORDER BY {order} LIMIT %s OFFSET %s"
        if listing.is_wide:
            key = ", ".join(listing.key)
            rows = f"FROM {listing.source} WHERE ({key}) IN (SELECT {key} {rows}) ORDER BY {order}"
        cursor = await conn.execute(
            f"SELECT {listing.columns} {rows}", [*values, window.per_page, offset], prepare=False
        )
        return Page([make(*found) for found in await cursor.fetchall()], total)
