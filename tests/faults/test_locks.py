"""Calls go on while partitions are made and migrations run beside a backup, which holds every table until it ends."""

import asyncio
import secrets
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from shared.db.migrate import NO_TRANSACTION, Migration, MigrationError, migrate
from shared.db.pool import StoreUnavailableError, open_pool
from shared.db.transactions import MONTHS_AHEAD, Transactions
from shared.settings import Database
from tests.support.gateways import database_beside
from tests.support.waiting import until

# What the half second of a wait for a lock may cost a call, on a busy machine.
MOST_S = 3.0
INSERT = (
    "INSERT INTO transactions (tx_id, operation, created_at, dialect, outcome) VALUES (%s, 'verify', %s, 'fidox', 'ok')"
)


@pytest.fixture
def database(stack):
    with database_beside(stack) as url:
        yield url


@contextmanager
def backup(url: str):
    """A dump that is under way: pg_dump's own locks."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        yield
        connection.rollback()


@contextmanager
def calls(url: str):
    """What calls do to the table, one after the other; how long each took."""
    took: list[float] = []
    stop = threading.Event()

    def run() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                began = time.monotonic()
                connection.execute(INSERT, [secrets.token_hex(8), datetime.now(UTC)])
                connection.execute("SELECT count(*) FROM transactions")
                took.append(time.monotonic() - began)
                time.sleep(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: took, "calls go on")
        yield took
    finally:
        stop.set()
        thread.join()


def partitions(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'transactions'::regclass"
        )
        return {name for (name,) in found}


def last_month_ahead(url: str) -> str:
    with psycopg.connect(url) as connection:
        query = "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => %s), 'YYYY_MM')"
        return "transactions_" + connection.execute(query, [MONTHS_AHEAD]).fetchone()[0]


async def keep_house(url: str, retention_days: int = 0) -> None:
    async with open_pool(Database(url=url)) as pool:
        await Transactions(pool).keep_house(retention_days)


def test_a_month_is_made_after_a_backup_and_no_call_waits_for_it(database):
    month = last_month_ahead(database)
    assert month in partitions(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"DROP TABLE {month}")
    with calls(database) as took:
        with backup(database):
            for _ in range(2):
                with pytest.raises(StoreUnavailableError, match="lock timeout"):
                    asyncio.run(keep_house(database))
        asyncio.run(keep_house(database))
    assert month in partitions(database)
    assert max(took) < MOST_S


def test_rows_in_the_default_partition_move_into_their_month(database):
    month = last_month_ahead(database)
    with psycopg.connect(database, autocommit=True) as connection:
        bounds = "SELECT date_trunc('month', now(), 'UTC') + make_interval(months => %s)"
        (first,) = connection.execute(bounds, [MONTHS_AHEAD]).fetchone()
        connection.execute(f"DROP TABLE {month}")
        connection.execute(INSERT, ["early", first.replace(day=2)])
        connection.execute(INSERT, ["old", datetime(2020, 1, 1, tzinfo=UTC)])
        assert connection.execute("SELECT count(*) FROM transactions_default").fetchone() == (2,)
        asyncio.run(keep_house(database))
        assert connection.execute(f"SELECT tx_id FROM {month}").fetchall() == [("early",)]
        asyncio.run(keep_house(database, retention_days=365))
        assert connection.execute("SELECT count(*) FROM transactions_default").fetchone() == (0,)
        # As the ones that were made before: what reads by tenant and by time finds its indexes.
        count = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
        (indexes,) = connection.execute(count, [month]).fetchone()
        assert indexes > 1
        assert connection.execute(count, ["transactions_default"]).fetchone() == (indexes,)


def test_a_migration_waits_for_a_backup_and_no_call_waits_for_it(database, tmp_path):
    (tmp_path / "9001_column.sql").write_text("ALTER TABLE transactions ADD COLUMN extra text;\n")
    with calls(database) as took:
        with backup(database):
            with pytest.raises(MigrationError, match="9001_column got no lock"):
                asyncio.run(migrate(database, folder=tmp_path, patience_s=0))
            thread = threading.Thread(target=lambda: asyncio.run(migrate(database, folder=tmp_path)))
            thread.start()
            time.sleep(1)
        thread.join(60)
    assert max(took) < MOST_S
    assert asyncio.run(migrate(database, folder=tmp_path)) == []
    with psycopg.connect(database) as connection:
        connection.execute("SELECT extra FROM transactions LIMIT 1")


def test_an_index_is_made_concurrently(database, tmp_path):
    sql = (
        f"{NO_TRANSACTION}\n"
        "-- What was left of an attempt that was broken off; and why it is here.\n"
        "DROP INDEX CONCURRENTLY IF EXISTS users_named;\n"
        "CREATE INDEX CONCURRENTLY users_named ON users (name);\n"
    )
    (tmp_path / "9001_index.sql").write_text(sql)
    assert len(Migration("9001_index", sql).statements) == 2
    assert asyncio.run(migrate(database, folder=tmp_path)) == ["9001_index"]
    assert asyncio.run(migrate(database, folder=tmp_path)) == []
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_named'::regclass")
        assert found.fetchone() == (True,)
