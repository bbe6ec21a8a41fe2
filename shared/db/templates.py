"""Users and their face templates. Workers only: this is the one module of `shared.db` that knows vectors.

Everything here is one tenant's: `tenant_id` comes first in every method, and every query has it in its WHERE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector_async

from shared.db import transactions
from shared.db.pool import Connection, Pool, connection

if TYPE_CHECKING:
    from collections.abc import Sequence

Vector: TypeAlias = NDArray[np.float32]

# Raised when what is stored of a face changes without the model changing, such as another alignment.
TEMPLATE_VERSION = 1


# Under which name of an engine older versions wrote templates, by engine and model: dlib was `applemango`. The rows
# keep that name, so that an older version, too, finds them after a rollback.
FORMER_NAMES = {("dlib", "dlib_resnet_v1"): "applemango"}
# Up to how many templates of a tenant those of one model are counted with a search; of more, all models' are.
COUNTED = 2000


class Template(NamedTuple):
    """One engine's embedding of one face: float32, L2-normalised, of the model's dimension."""

    engine: str
    model_id: str
    embedding: Vector


class Nearest(NamedTuple):
    """The best match among a tenant's users; cosines in -1..1.

    `among` is how many users were searched, or a few more (see COUNTED). `second` is the cosine of the best other user,
    and `between` that of the two users' templates: near 1 where one person has two user codes. Both are -1 where there
    is no other user.
    """

    user_code: str
    name: str | None
    cosine: float
    among: int = 1
    second: float = -1.0
    between: float = -1.0


def current_name(engine: str, model_id: str) -> str:
    """Return what the engine is called now that wrote a template as `engine`."""
    for (now, model), former in FORMER_NAMES.items():
        if (former, model) == (engine, model_id):
            return now
    return engine


def names_of(engine: str, model_id: str) -> tuple[str, ...]:
    """Return the names under which templates of an engine's model may lie, the current one first."""
    former = FORMER_NAMES.get((engine, model_id))
    return (engine,) if former is None else (engine, former)


async def register_vectors(conn: Connection) -> None:
    """For `open_pool(configure=…)`: teaches a connection pgvector's types."""
    await register_vector_async(conn)


class Templates:
    """Reads and writes `users` and `templates`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def enrolled_by(self, tenant_id: int, user_code: str) -> str | None:
        """The transaction that enrolled this user; None where there is no such user.

        For refusing early, before any work is done; `enrol` is what decides.
        """
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT tx_id FROM users WHERE tenant_id = %s AND user_code = %s", (tenant_id, user_code)
            )
            row = await cursor.fetchone()
        return str(row[0]) if row else None

    async def enrol(
        self,
        tenant_id: int,
        user_code: str,
        name: str | None,
        templates: Sequence[Template],
        row: transactions.Transaction,
    ) -> bool:
        """Write a user, their templates and the call's transaction, or nothing. False where the user exists.

        Of two at the same moment one wins: the primary key decides, and the other waits for it. The same call done
        twice (its worker died before it could answer) finds its own row and is a success again.
        """
        async with connection(self._pool) as conn, conn.transaction():
            try:
                async with conn.transaction():
                    await conn.execute(
                        "INSERT INTO users (tenant_id, user_code, name, tx_id) VALUES (%s, %s, %s, %s)",
                        (tenant_id, user_code, name, row.tx_id),
                    )
            except psycopg.errors.UniqueViolation:
                cursor = await conn.execute(
                    "SELECT 1 FROM users WHERE tenant_id = %s AND user_code = %s AND tx_id = %s",
                    (tenant_id, user_code, row.tx_id),
                )
                return await cursor.fetchone() is not None
            await _write(conn, tenant_id, user_code, templates, row.tx_id)
            await transactions.insert(conn, [row])
        return True

    async def replace(
        self,
        tenant_id: int,
        user_code: str,
        name: str | None,
        templates: Sequence[Template],
        row: transactions.Transaction,
        *,
        enrolled_by: str,
    ) -> bool:
        """Write `templates` in the place of all that a user has, the name where one is given, and the transaction.

        Nothing is written, and it is False, where the user is not (any more) the one that the transaction `enrolled_by`
        enrolled. Of two at the same moment the second waits for the first, and its templates are those that stay. The
        same call done twice finds its own row, changes nothing and is a success again.
        """
        async with connection(self._pool) as conn, conn.transaction():
            locked = await conn.execute(
                "SELECT 1 FROM users WHERE tenant_id = %s AND user_code = %s AND tx_id = %s FOR UPDATE",
                (tenant_id, user_code, enrolled_by),
            )
            if await locked.fetchone() is None:
                return False
            if await _is_done(conn, tenant_id, row):
                return True
            await conn.execute("DELETE FROM templates WHERE tenant_id = %s AND user_code = %s", (tenant_id, user_code))
            await _write(conn, tenant_id, user_code, templates, row.tx_id)
            if name is not None:
                await conn.execute(
                    "UPDATE users SET name = %s WHERE tenant_id = %s AND user_code = %s", (name, tenant_id, user_code)
                )
            await transactions.insert(conn, [row])
        return True

    async def of_user(self, tenant_id: int, user_code: str) -> list[Template] | None:
        """A user's templates of every engine and model, of this version, by the engines' current names.

        None where there is no such user.
        """
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT engine, model_id, embedding FROM users LEFT JOIN templates"
                " ON templates.tenant_id = users.tenant_id AND templates.user_code = users.user_code AND version = %s"
                " WHERE users.tenant_id = %s AND users.user_code = %s",
                (TEMPLATE_VERSION, tenant_id, user_code),
            )
            rows = await cursor.fetchall()
        if not rows:
            return None
        return [
            Template(current_name(engine, model_id), model_id, embedding.to_numpy().astype(np.float32))
            for engine, model_id, embedding in rows
            if engine is not None
        ]

    async def add(self, tenant_id: int, user_code: str, template: Template, tx_id: str) -> None:
        """Fill in a template that an enrolled user lacks. Nothing happens where it is there, or the user is gone."""
        async with connection(self._pool) as conn:
            # The user's row first, as every writer here does: two of them wait for each other, and never in a circle.
            await conn.execute(
                "INSERT INTO templates (tenant_id, user_code, engine, model_id, version, embedding, tx_id)"
                " SELECT tenant_id, user_code, %s, %s, %s, %s, %s FROM users"
                " WHERE tenant_id = %s AND user_code = %s FOR KEY SHARE ON CONFLICT DO NOTHING",
                (
                    template.engine,
                    template.model_id,
                    TEMPLATE_VERSION,
                    HalfVector(template.embedding),
                    tx_id,
                    tenant_id,
                    user_code,
                ),
            )

    async def anybody_lacks(self, tenant_id: int, engine: str, model_id: str) -> bool:
        """Is there a user of this tenant without a template of this model? An identify would not find them by it."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT EXISTS (SELECT 1 FROM users WHERE tenant_id = %(tenant)s AND NOT EXISTS ("
                " SELECT 1 FROM templates WHERE tenant_id = %(tenant)s AND templates.user_code = users.user_code"
                " AND engine = ANY(%(engines)s) AND model_id = %(model)s AND version = %(version)s))",
                {
                    "tenant": tenant_id,
                    "engines": list(names_of(engine, model_id)),
                    "model": model_id,
                    "version": TEMPLATE_VERSION,
                },
            )
            row = await cursor.fetchone()
        return bool(row and row[0])

    async def nearest(self, tenant_id: int, engine: str, model_id: str, embedding: Vector) -> Nearest | None:
        """The tenant's user whose template of this model is most alike, by an exact scan. None where there is none.

        Embeddings are normalised, so the inner product is the cosine, and cheaper. `prepare=False`: psycopg would
        prepare the statement after five runs, and PostgreSQL then keeps a plan without parallel workers.
        """
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "WITH best AS ("
                "  SELECT id, user_code, embedding <#> %(probe)s AS distance FROM templates"
                "  WHERE tenant_id = %(tenant)s AND engine = %(engine)s AND model_id = %(model)s"
                "  AND version = %(version)s ORDER BY distance LIMIT 2)"
                # By key afterwards: carried through the scan, vectors would slow it by a tenth. Counting is a scan of
                # its own, which of many templates would take as long as the search.
                " SELECT best.user_code, users.name, -best.distance,"
                " (SELECT embedding FROM templates WHERE tenant_id = %(tenant)s AND id = best.id), ("
                "  SELECT CASE WHEN templates > %(counted)s THEN templates ELSE ("
                "   SELECT count(*) FROM templates WHERE tenant_id = %(tenant)s AND engine = %(engine)s"
                "   AND model_id = %(model)s AND version = %(version)s) END"
                "  FROM template_revisions WHERE tenant_id = %(tenant)s)"
                " FROM best JOIN users ON users.tenant_id = %(tenant)s AND users.user_code = best.user_code"
                " ORDER BY best.distance",
                {
                    "probe": HalfVector(embedding),
                    "tenant": tenant_id,
                    "engine": engine,
                    "model": model_id,
                    "version": TEMPLATE_VERSION,
                    "counted": COUNTED,
                },
                prepare=False,
            )
            rows = await cursor.fetchall()
        if not rows:
            return None
        user_code, name, cosine, winner, among = rows[0]
        if len(rows) == 1:
            return Nearest(user_code, name, cosine, among)
        _, _, second, runner_up, _ = rows[1]
        between = float(winner.to_numpy().astype(np.float32) @ runner_up.to_numpy().astype(np.float32))
        return Nearest(user_code, name, cosine, among, second, between)

    async def delete(self, tenant_id: int, user_code: str, row: transactions.Transaction) -> int | None:
        """Forget a user and return how many templates went. None where there is no such user.

        The call's transaction is written with the deletion: done twice, it finds that row and is a success again,
        with 0 templates.
        """
        async with connection(self._pool) as conn, conn.transaction():
            await conn.execute(
                "SELECT 1 FROM users WHERE tenant_id = %s AND user_code = %s FOR UPDATE", (tenant_id, user_code)
            )
            removed = await conn.execute(
                "DELETE FROM templates WHERE tenant_id = %s AND user_code = %s", (tenant_id, user_code)
            )
            gone = await conn.execute(
                "DELETE FROM users WHERE tenant_id = %s AND user_code = %s", (tenant_id, user_code)
            )
            if not gone.rowcount:
                return 0 if await _is_done(conn, tenant_id, row) else None
            await transactions.insert(conn, [row])
            return removed.rowcount


async def _write(conn: Connection, tenant_id: int, user_code: str, templates: Sequence[Template], tx_id: str) -> None:
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO templates (tenant_id, user_code, engine, model_id, version, embedding, tx_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (tenant_id, user_code, t.engine, t.model_id, TEMPLATE_VERSION, HalfVector(t.embedding), tx_id)
                for t in templates
            ],
        )


async def _is_done(conn: Connection, tenant_id: int, row: transactions.Transaction) -> bool:
    """Was this very call done before, with success?"""
    done = await conn.execute(
        "SELECT 1 FROM transactions WHERE tx_id = %s AND operation = %s AND created_at = %s"
        " AND tenant_id = %s AND outcome = %s",
        (row.tx_id, row.operation, row.created_at, tenant_id, transactions.OK),
    )
    return await done.fetchone() is not None
