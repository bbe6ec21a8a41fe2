"""A tenant's users and templates by the thousand: for counting, moving and enrolling them. Workers and operators only.

Beside `shared.db.templates`, which serves one call at a time. Everything here is one tenant's, too: `tenant_id` comes
first in every method, and every query has it in its WHERE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from shared.db.pool import LONG_STATEMENT_S, Pool, connection
from shared.db.templates import TEMPLATE_VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

Half: TypeAlias = NDArray[np.float16]

PAGE = 500  # users; about 1 MB with two engines


class Stored(NamedTuple):
    """A template as it lies in the table: float16, L2-normalised."""

    engine: str
    model_id: str
    version: int
    embedding: Half


class Person(NamedTuple):
    """A user with all their templates, of whatever model."""

    user_code: str
    name: str | None
    templates: tuple[Stored, ...]


class ModelCount(msgspec.Struct, frozen=True):
    """How many templates a model has. `dimensions` are those in the table: one, or something is wrong."""

    engine: str
    model_id: str
    version: int
    templates: int
    dimensions: tuple[int, ...]


class Bulk:
    """Reads and writes `users` and `templates`, many at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def users(self, tenant_id: int) -> int:
        """How many there are."""
        async with connection(self._pool, statement_timeout_s=LONG_STATEMENT_S) as conn:
            cursor = await conn.execute("SELECT count(*) FROM users WHERE tenant_id = %s", (tenant_id,))
            row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def models(self, tenant_id: int) -> list[ModelCount]:
        """The templates by engine, model and version."""
        async with connection(self._pool, statement_timeout_s=LONG_STATEMENT_S) as conn:
            cursor = await conn.execute(
                "SELECT engine, model_id, version, count(*), array_agg(DISTINCT vector_dims(embedding))"
                " FROM templates WHERE tenant_id = %s GROUP BY engine, model_id, version ORDER BY 1, 2, 3",
                (tenant_id,),
            )
            return [
                ModelCount(engine, model_id, version, templates, tuple(dimensions))
                for engine, model_id, version, templates, dimensions in await cursor.fetchall()
            ]

    async def without(self, tenant_id: int, models: Sequence[tuple[str, str]]) -> int:
        """How many users have no template of any of these (engine, model id): nothing can answer for them."""
        async with connection(self._pool, statement_timeout_s=LONG_STATEMENT_S) as conn:
            cursor = await conn.execute(
                "SELECT count(*) FROM users WHERE tenant_id = %(tenant)s AND NOT EXISTS ("
                "  SELECT 1 FROM templates WHERE templates.tenant_id = %(tenant)s"
                "  AND templates.user_code = users.user_code AND version = %(version)s"
                "  AND (engine, model_id) IN (SELECT * FROM unnest(%(engines)s::text[], %(models)s::text[])))",
                {
                    "tenant": tenant_id,
                    "engines": [engine for engine, _ in models],
                    "models": [model_id for _, model_id in models],
                    "version": TEMPLATE_VERSION,
                },
            )
            row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def on_others(self, tenant_id: int, models: Sequence[tuple[str, str]]) -> int:
        """How many users have a template that is of none of these (engine, model id), whatever else they have."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT count(DISTINCT user_code) FROM templates WHERE tenant_id = %(tenant)s AND NOT ("
                "  version = %(version)s"
                "  AND (engine, model_id) IN (SELECT * FROM unnest(%(engines)s::text[], %(models)s::text[])))",
                {
                    "tenant": tenant_id,
                    "engines": [engine for engine, _ in models],
                    "models": [model_id for _, model_id in models],
                    "version": TEMPLATE_VERSION,
                },
            )
            row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def pages(self, tenant_id: int, after: str = "", size: int = PAGE) -> AsyncIterator[list[Person]]:
        """All users whose code comes after `after`, by user code (bytewise), `size` at a time.

        Keyset pagination: each page is one statement that starts where the last one ended, so no transaction is held
        open and no page costs more than the first. Who is enrolled meanwhile is seen only if their code lies ahead.
        """
        while page := await self._page(tenant_id, after, size):
            yield page
            after = page[-1].user_code

    async def _page(self, tenant_id: int, after: str, size: int) -> list[Person]:
        async with connection(self._pool, statement_timeout_s=LONG_STATEMENT_S) as conn:
            cursor = await conn.execute(
                "WITH page AS (SELECT user_code, name FROM users WHERE tenant_id = %(tenant)s"
                "  AND user_code > %(after)s ORDER BY user_code LIMIT %(size)s)"
                " SELECT page.user_code, name, engine, model_id, version, embedding FROM page LEFT JOIN templates"
                " ON templates.tenant_id = %(tenant)s AND templates.user_code = page.user_code"
                " ORDER BY page.user_code, engine, model_id",
                {"tenant": tenant_id, "after": after, "size": size},
            )
            rows = await cursor.fetchall()
        found: dict[str, tuple[str | None, list[Stored]]] = {}
        for user_code, name, engine, model_id, version, embedding in rows:
            _, templates = found.setdefault(user_code, (name, []))
            if engine is not None:
                half = np.asarray(embedding.to_numpy(), np.float16)
                templates.append(Stored(engine, model_id, version, half))
        return [Person(code, name, tuple(templates)) for code, (name, templates) in found.items()]

    async def enrolled(self, tenant_id: int, user_codes: Sequence[str]) -> set[str]:
        """Those of `user_codes` that exist."""
        async with connection(self._pool, statement_timeout_s=LONG_STATEMENT_S) as conn:
            cursor = await conn.execute(
                "SELECT user_code FROM users WHERE tenant_id = %s AND user_code = ANY(%s::text[])",
                (tenant_id, list(user_codes)),
            )
            return {str(row[0]) for row in await cursor.fetchall()}

    async def insert(self, tenant_id: int, people: Sequence[Person], tx_id: str) -> set[str]:
        """Write those who are not there yet, all or none, and return their codes. The codes must differ.

        Who exists is left as they are, templates and all. `tx_id` goes where a registration's transaction goes.
        """
        # In one order, or two imports of the same people would wait for each other for ever.
        people = sorted(people, key=lambda person: person.user_code)
        async with connection(self._pool, statement_timeout_s=LONG_STATEMENT_S) as conn, conn.transaction():
            cursor = await conn.execute(
                "INSERT INTO users (tenant_id, user_code, name, tx_id)"
                " SELECT %s, user_code, name, %s FROM unnest(%s::text[], %s::text[]) AS new(user_code, name)"
                " ON CONFLICT DO NOTHING RETURNING user_code",
                (tenant_id, tx_id, [person.user_code for person in people], [person.name for person in people]),
            )
            new = {str(row[0]) for row in await cursor.fetchall()}
            rows = [
                (tenant_id, person.user_code, t.engine, t.model_id, t.version, HalfVector(t.embedding), tx_id)
                for person in people
                if person.user_code in new
                for t in person.templates
            ]
            async with conn.cursor() as many:
                await many.executemany(
                    "INSERT INTO templates (tenant_id, user_code, engine, model_id, version, embedding, tx_id)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    rows,
                )
        return new
