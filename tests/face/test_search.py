"""Identify's search: exact among the tenant's own templates, and never behind the table."""

import asyncio
import os
import secrets
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
import pytest

from shared.db.pool import open_pool
from shared.db.template_changes import TemplateChanges
from shared.db.templates import Template, Templates, register_vectors
from shared.db.transactions import OK, Transaction
from shared.settings import Database
from tests.support.galleries import People, enrol, new_tenant, normalised
from workers.face.search import IN_MEMORY_FROM, Search

MODEL = ("ezway", "synthetic")
OTHER_MODEL = ("ezway", "synthetic 2")
MANY = IN_MEMORY_FROM + 2500  # more than one block
ROOMY = 64 << 20


@pytest.fixture(scope="module")
def database(stack):
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def people():
    return People(seed=11)


@pytest.fixture
def tenant(database):
    """Makes tenants, and removes them with everything that is theirs."""
    made = []

    def make(templates: np.ndarray, model: tuple[str, str] = MODEL) -> int:
        made.append(new_tenant(database))
        enrol(database, made[-1], model, templates)
        return made[-1]

    yield make
    database.execute("DELETE FROM tenants WHERE id = ANY(%s)", (made,))


@pytest.fixture
def searching(stack):
    """`async with searching() as (search, templates)`: what one worker process has."""

    @asynccontextmanager
    async def open_search(budget_bytes: int = ROOMY):
        async with open_pool(Database(url=stack.database_url), configure=register_vectors) as pool:
            templates = Templates(pool)
            yield Search(templates, TemplateChanges(pool), budget_bytes=budget_bytes), templates

    return open_search


def transaction(tenant: int, operation: str) -> Transaction:
    return Transaction(
        tx_id=f"tx_{secrets.token_hex(6)}",
        operation=operation,
        created_at=datetime.now(UTC),
        tenant_id=tenant,
        dialect="fidox",
        outcome=OK,
    )


async def register(templates: Templates, tenant: int, user: str, embedding: np.ndarray, model=MODEL) -> None:
    assert await templates.enrol(tenant, user, user.upper(), [Template(*model, embedding)], transaction(tenant, "r"))


async def delete(templates: Templates, tenant: int, user: str) -> None:
    assert await templates.delete(tenant, user, transaction(tenant, "d")) == 1


@pytest.mark.parametrize("budget", [0, ROOMY], ids=["in PostgreSQL", "in memory"])
def test_it_finds_exactly_what_a_float32_scan_finds_in_each_tenant(tenant, searching, people, budget):
    sizes = [1, 100, IN_MEMORY_FROM - 1, IN_MEMORY_FROM, MANY]
    galleries = [people.templates(size) for size in sizes]
    tenants = [tenant(gallery) for gallery in galleries]

    async def run():
        async with searching(budget) as (search, _):
            for _round in range(20):
                for own, gallery in zip(tenants, galleries, strict=True):
                    # A probe of somebody of another tenant: the answer is still one of this tenant's.
                    for source in (gallery, galleries[-1]):
                        probe = people.probes(source[np.random.default_rng(_round).integers(0, len(source), 1)])[0]
                        cosines = gallery @ probe
                        found = await search.nearest(own, *MODEL, probe)
                        assert found.user_code == f"u{cosines.argmax()}"
                        assert found.name == f"name of {found.user_code}"
                        assert found.cosine == pytest.approx(cosines.max(), abs=1e-5)
                        assert found.among == len(gallery)
                        if len(gallery) > 1:
                            second = np.argsort(cosines)[-2]
                            assert found.second == pytest.approx(cosines[second], abs=1e-5)
                            between = gallery[cosines.argmax()] @ gallery[second]
                            assert found.between == pytest.approx(between, abs=1e-3)
            assert (search.held_bytes > 0) == (budget > 0)

    asyncio.run(run())


def test_a_tenant_without_templates_has_nobody(database, searching, people):
    empty = new_tenant(database)

    async def run():
        async with searching() as (search, _):
            assert await search.nearest(empty, *MODEL, people.templates(1)[0]) is None

    asyncio.run(run())


def test_models_are_never_mixed(tenant, database, searching, people):
    first, second = people.templates(MANY), people.templates(MANY)
    own = tenant(first)
    enrol(database, own, OTHER_MODEL, second)

    async def run():
        async with searching() as (search, _):
            for n in range(0, MANY, 500):
                by_first = await search.nearest(own, *MODEL, second[n])
                by_second = await search.nearest(own, *OTHER_MODEL, second[n])
                assert by_first.user_code == f"u{(first @ second[n]).argmax()}"
                assert by_second.user_code == f"u{n}"
                assert by_second.cosine == pytest.approx(1, abs=1e-3)
            assert await search.nearest(own, "applemango", MODEL[1], second[0]) is None

    asyncio.run(run())


def test_enrolments_and_deletions_of_others_are_seen_at_once(tenant, searching, people):
    gallery = people.templates(MANY)
    own = tenant(gallery)
    newcomers = people.templates(30)

    async def run():
        async with searching() as (search, _), searching() as (_, elsewhere):
            assert (await search.nearest(own, *MODEL, gallery[7])).user_code == "u7"
            for n, newcomer in enumerate(newcomers):
                before = await search.nearest(own, *MODEL, newcomer)
                await register(elsewhere, own, f"new{n}", newcomer)
                assert (await search.nearest(own, *MODEL, newcomer)).user_code == f"new{n}"
                await delete(elsewhere, own, f"new{n}")
                assert await search.nearest(own, *MODEL, newcomer) == before
            # The same code again with another face: the old face is nobody's.
            await delete(elsewhere, own, "u7")
            await register(elsewhere, own, "u7", newcomers[0])
            assert (await search.nearest(own, *MODEL, gallery[7])).user_code != "u7"
            assert (await search.nearest(own, *MODEL, newcomers[0])).user_code == "u7"

    asyncio.run(run())


def test_a_deletion_in_another_process_is_seen_at_once(stack, tenant, searching, people):
    gallery = people.templates(MANY)
    own = tenant(gallery)
    program = (
        "import sys, psycopg\n"
        "with psycopg.connect(sys.argv[1]) as c:\n"
        "    c.execute('DELETE FROM users WHERE tenant_id = %s AND user_code = %s', (sys.argv[2], sys.argv[3]))\n"
    )

    async def run():
        async with searching() as (search, _):
            for n in range(3):
                assert (await search.nearest(own, *MODEL, gallery[n])).user_code == f"u{n}"
                # Its templates go by a cascade, not by the repository.
                done = await asyncio.to_thread(
                    subprocess.run,
                    [sys.executable, "-c", program, stack.database_url, str(own), f"u{n}"],
                    cwd=Path(__file__).parents[2],
                    env=os.environ,
                    check=False,
                )
                assert done.returncode == 0
                assert (await search.nearest(own, *MODEL, gallery[n])).user_code != f"u{n}"

    asyncio.run(run())


def test_while_others_write_no_deleted_user_is_ever_an_answer(tenant, searching, people):
    """Twins: one of a pair is always enrolled, and the one deleted before the call began is never found."""
    gallery = people.templates(MANY)
    own = tenant(gallery)
    faces = people.templates(2)
    faces[1] = normalised(faces[:1] + 0.01 * faces[1:])[0]

    async def run():
        async with searching() as (search, _), searching() as (_, elsewhere):
            gone, writing = set(), True

            async def write():
                nonlocal writing
                for n in range(60):
                    await register(elsewhere, own, f"twin{n}", faces[n % 2])
                    if n:
                        await delete(elsewhere, own, f"twin{n - 1}")
                        gone.add(f"twin{n - 1}")
                writing = False

            await register(elsewhere, own, "twin", faces[0])
            writer = asyncio.create_task(write())
            searched = 0
            while writing:
                gone_before = set(gone)
                found = await search.nearest(own, *MODEL, faces[0])
                assert found.user_code.startswith("twin")
                assert found.user_code not in gone_before
                searched += 1
            await writer
            assert searched > 20

    asyncio.run(run())


def test_what_falls_behind_the_log_is_read_again(database, tenant, searching, people):
    gallery = people.templates(MANY)
    own = tenant(gallery)

    async def run():
        async with searching() as (search, _):
            assert (await search.nearest(own, *MODEL, gallery[-1])).user_code == f"u{MANY - 1}"
            database.execute(  # one statement that changes more than the log takes
                "DELETE FROM templates WHERE tenant_id = %s AND user_code = ANY(%s)",
                (own, [f"u{n}" for n in range(1500)]),
            )
            assert (
                await search.nearest(own, *MODEL, gallery[3])
            ).user_code == f"u{1500 + (gallery[1500:] @ gallery[3]).argmax()}"
            with database.transaction():  # more statements than the log keeps
                for n in range(1500, 2400):
                    database.execute(
                        "UPDATE templates SET embedding = %s::text::halfvec"
                        " WHERE tenant_id = %s AND user_code = 'u1500'",
                        (str(list(map(float, gallery[n]))), own),
                    )
                for _ in range(200):
                    database.execute(
                        "UPDATE templates SET tx_id = 'x' WHERE tenant_id = %s AND user_code = 'u1501'", (own,)
                    )
            gallery[1500] = gallery[2399]
            for probe in gallery[1500:1520]:
                found = await search.nearest(own, *MODEL, probe)
                assert found.cosine == pytest.approx(1, abs=1e-3)
            log = database.execute("SELECT count(*) FROM template_changes WHERE tenant_id = %s", (own,)).fetchone()
            assert log[0] <= 1000

    asyncio.run(run())


def test_memory_stays_within_its_budget_and_the_answers_stay_exact(tenant, searching, people):
    galleries = [people.templates(MANY) for _ in range(3)]
    tenants = [tenant(gallery) for gallery in galleries]
    budget = 34 << 20  # two of the three

    async def run():
        async with searching(budget) as (search, _):
            for n in range(6):
                for own, gallery in zip(tenants, galleries, strict=True):
                    assert (await search.nearest(own, *MODEL, gallery[n])).user_code == f"u{n}"
                    assert 0 < search.held_bytes <= budget
        async with searching(1 << 20) as (search, _):
            assert (await search.nearest(tenants[0], *MODEL, galleries[0][9])).user_code == "u9"
            assert search.held_bytes == 0

    asyncio.run(run())


def test_many_searches_of_one_process_at_the_same_time_are_right(tenant, searching, people):
    galleries = [people.templates(MANY) for _ in range(3)]
    tenants = [tenant(gallery) for gallery in galleries]

    async def run():
        async with searching(34 << 20) as (search, _):

            async def one(n: int):
                found = await search.nearest(tenants[n % 3], *MODEL, galleries[n % 3][n])
                assert found.user_code == f"u{n}"

            await asyncio.gather(*map(one, range(60)))

    asyncio.run(run())
