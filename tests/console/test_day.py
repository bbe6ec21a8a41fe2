"""The overview's day: counted in the background, and never waited for."""

import asyncio
import math

import psycopg
import pytest

from gateway.console.day import running_day
from shared.db.pool import open_pool
from shared.db.traffic import Traffic, together
from shared.settings import Database
from tests.support.gateways import database_beside
from tests.support.waiting import until_awaited, until_in_loop

INSERT = (
    "INSERT INTO transactions (tx_id, operation, dialect, outcome, created_at) VALUES (%s, 'count', 'v1', 'ok', now())"
)


@pytest.fixture(scope="module")
def database_url(stack):
    with database_beside(stack) as url:
        yield url


def test_a_day_that_is_still_counted_keeps_nobody_waiting_and_is_there_afterwards(database_url):
    async def look() -> None:
        database = await psycopg.AsyncConnection.connect(database_url)
        async with open_pool(Database(url=database_url)) as pool, database:
            await database.execute(INSERT, ("tx_1",))
            await database.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
            async with running_day(Traffic(pool), has_database=True) as day:
                # Before the table is free again, for which the reading waits.
                assert await day.look() is None
                await database.commit()
                known = await until_awaited(day.look)
                assert len(known.hours) == 24
                assert together(known.hours).count == 1
                # What is known is shown meanwhile, with its time.
                await database.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
                day._read_at = -math.inf  # as if some seconds had passed
                assert await day.look() is known
                await database.rollback()

    asyncio.run(look())


def test_the_day_is_read_without_anybody_looking(database_url):
    async def wait() -> None:
        async with open_pool(Database(url=database_url)) as pool, running_day(Traffic(pool), has_database=True) as day:
            known = await until_in_loop(lambda: day._known, "it is read")
            day._read_at = math.inf  # as if no time had passed
            assert await day.look() is known

    asyncio.run(wait())
