"""What writes the records outlives whatever PostgreSQL says, and loses no row that can be written."""

import asyncio
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.db import batches
from shared.db.pool import StoreUnavailableError, connection, open_pool
from shared.db.recorder import BATCH, Recorder, open_recorder
from shared.db.transactions import Transaction, Transactions
from shared.settings import Database
from tests.support.fidox import error
from tests.support.waiting import until, until_awaited


def row(tx_id: str, **more) -> Transaction:
    plain = {"operation": "verify", "created_at": datetime.now(UTC), "tenant_id": None, "dialect": "fidox"}
    return Transaction(tx_id=tx_id, outcome="ok", **{**plain, **more})


class Store:
    """Transactions that remember the order in which they were written; `refuse` raises or not."""

    def __init__(self, refuse) -> None:
        self.written: list[str] = []
        self.statements = 0
        self._refuse = refuse

    async def write(self, rows) -> None:
        self.statements += 1
        self._refuse(rows)
        self.written += [each.tx_id for each in rows]


def refuse_poison(rows) -> None:
    if any(each.tx_id.startswith("poison") for each in rows):
        raise ValueError("a row that nothing can write")


def test_a_poison_row_is_given_up_and_the_others_are_written_in_order():
    store = Store(refuse_poison)
    recorder = Recorder(store)
    names = [f"tx{number}" for number in range(2 * BATCH)]
    for name in [*names[:100], "poison1", *names[100:101], "poison2", *names[101:]]:
        recorder.record(row(name))
    asyncio.run(recorder.flush())
    assert store.written == names
    assert (recorder.given_up, len(recorder)) == (2, 0)
    assert store.statements < 50


def test_rows_that_are_refused_all_together_wait():
    """A table that is missing is no fault of theirs."""
    is_missing = True

    def refuse(_rows) -> None:
        if is_missing:
            raise RuntimeError("no such table")

    store = Store(refuse)
    recorder = Recorder(store)
    for number in range(5):
        recorder.record(row(f"tx{number}"))
    with pytest.raises(RuntimeError):
        asyncio.run(recorder.flush())
    assert (len(recorder), recorder.given_up) == (5, 0)
    recorder.record(row("tx5"))
    is_missing = False
    asyncio.run(recorder.flush())
    assert store.written == [f"tx{number}" for number in range(6)]


def test_it_says_how_far_behind_it_is_while_it_writes_too():
    behind: list[tuple[int, float]] = []
    recorder = Recorder(Store(lambda _rows: behind.append((len(recorder), recorder.behind_s))))
    assert recorder.behind_s == 0
    recorder.record(row("old", created_at=datetime.now(UTC) - timedelta(seconds=90)))
    recorder.record(row("new"))
    asyncio.run(recorder.flush())
    ((waiting, seconds),) = behind
    assert waiting == 2
    assert 90 <= seconds < 120
    assert recorder.behind_s == 0


def test_a_writer_outlives_any_exception(monkeypatch):
    monkeypatch.setattr(batches, "FLUSH_S", 0.01)
    monkeypatch.setattr(batches, "PAUSE_S", 0.01)
    raised = [RuntimeError("a bug"), psycopg.errors.InternalError("read-only"), StoreUnavailableError("away")]

    def refuse(_rows) -> None:
        if raised:
            raise raised.pop()

    store = Store(refuse)

    async def main() -> None:
        async with open_recorder(store) as recorder:
            recorder.record(row("tx0"))

            async def is_written() -> bool:
                return store.written == ["tx0"]

            await until_awaited(is_written)

    asyncio.run(main())
    assert not raised


def test_postgresql_takes_the_rows_around_one_that_it_refuses(stack):
    name = secrets.token_hex(4)

    async def main() -> int:
        async with open_pool(Database(url=stack.database_url)) as pool, open_recorder(Transactions(pool)) as recorder:
            for number in range(10):
                recorder.record(row(f"{name}-{number}", tenant_id=2**70 if number == 4 else None))
            await recorder.flush()
            return recorder.given_up

    assert asyncio.run(main()) == 1
    with psycopg.connect(stack.database_url) as connected:
        found = connected.execute("SELECT tx_id FROM transactions WHERE tx_id LIKE %s ORDER BY 1", [f"{name}-%"])
        assert [tx_id for (tx_id,) in found] == [f"{name}-{number}" for number in range(10) if number != 4]


@contextmanager
def read_only(stack):
    """The server takes no writes, as one that is being promoted or has been demoted; its connections stay."""
    with psycopg.connect(stack.database_url, autocommit=True) as connected:
        connected.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connected.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connected.execute("SET default_transaction_read_only = off")
            connected.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connected.execute("SELECT pg_reload_conf()")


def test_a_postgresql_that_only_reads_is_503_and_the_records_are_complete_afterwards(stack, api, photo):
    user, image = f"fault-{secrets.token_hex(4)}", photo("obama/obama.jpg")
    with read_only(stack):
        until(lambda: api.post("/face/register", userCode=user, image=image).status_code != 200, "it is read-only")
        refused = [api.post("/face/register", userCode=user, image=image) for _ in range(3)]
        assert [error(answer) for answer in refused] == [(503, "SYS004")] * 3
        others = [api.post("/face/count", image=image) for _ in range(3)]
        assert [answer.status_code for answer in others] == [200] * 3
    until(lambda: api.post("/face/register", userCode=user, image=image).status_code in {200, 400}, "it writes again")
    assert api.delete(user).status_code == 200
    tx_ids = [answer.headers["X-Transaction-Id"] for answer in refused] + [answer.json()["txId"] for answer in others]

    def written() -> int:
        with psycopg.connect(stack.database_url) as connected:
            found = connected.execute("SELECT count(*) FROM transactions WHERE tx_id = ANY(%s)", [tx_ids])
            return found.fetchone()[0]

    until(lambda: written() == len(tx_ids), "every call is recorded")


def test_a_statement_that_takes_too_long_is_cancelled_and_its_connection_is_replaced(stack):
    settings = Database(url=stack.database_url, statement_timeout_s=0.3, pool_size=1)

    async def main() -> float:
        async with open_pool(settings) as pool:
            async with connection(pool, statement_timeout_s=30) as conn:
                await conn.execute("SELECT pg_sleep(0.5)")
            began = asyncio.get_running_loop().time()
            with pytest.raises(StoreUnavailableError, match="canceling statement"):
                async with connection(pool) as conn:
                    await conn.execute("SELECT pg_sleep(20)")
            took_s = asyncio.get_running_loop().time() - began
            async with connection(pool) as conn:
                cursor = await conn.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(20)%' AND state = 'active'"
                )
                assert await cursor.fetchone() == (0,)
            return took_s

    assert asyncio.run(main()) < 10
