"""Renewing a user: the same person's new photo takes the place of the old one, and nobody else's does."""

import asyncio
import secrets
import time
from contextlib import asynccontextmanager

import cv2
import msgspec
import numpy as np
import psycopg
import pytest

from shared import contracts, envelopes
from shared.contracts import Dialect, Failure, Kind
from shared.db.pool import open_pool
from shared.db.template_changes import TemplateChanges
from shared.db.templates import Template, Templates, register_vectors
from shared.queue import open_queue
from shared.settings import Database, Settings
from shared.settings import Queue as QueueSettings
from tests.support.fidox import make_tenant
from tests.support.galleries import People
from tests.support.galleries import enrol as enrol_many
from workers.face.engines import Engines
from workers.face.load import load_judges, loaders
from workers.face.search import IN_MEMORY_FROM, Search
from workers.face.tasks import FaceTasks
from workers.runtime.slots import Slots
from workers.runtime.tasks import Call, Taken
from workers.runtime.threads import Threads

BOTH = {"ezway", "applemango"}
SUBMITTED_MS = int(time.time() * 1000)


class Client:
    """One tenant, over the stack's queue and in its tables."""

    def __init__(self, stack) -> None:
        self._stack = stack
        name = make_tenant(stack.database_url, f"renewal-{secrets.token_hex(4)}").name
        self.tenant_id = self.rows("SELECT id FROM tenants WHERE name = %s", name)[0][0]

    def ask(self, operation, *images: bytes) -> contracts.AnyOutcome:
        async def once():
            async with open_queue(QueueSettings(url=self._stack.redis_url)) as queue:
                answer = await queue.submit(
                    operation,
                    images,
                    tx_id=f"tx_{secrets.token_hex(6)}",
                    tenant_id=self.tenant_id,
                    dialect=Dialect.V1,
                )
                return answer.outcome

        return asyncio.run(once())

    def register(self, image: bytes, *, user_code="u", **more) -> contracts.AnyOutcome:
        return self.ask(contracts.RegisterFace(user_code=user_code, **more), image)

    def renew(self, image: bytes, **more) -> contracts.AnyOutcome:
        return self.register(image, renew=True, **more)

    def score(self, image: bytes) -> float:
        return self.ask(contracts.VerifyFace(user_code="u"), image).score

    def rows(self, query: str, *parameters) -> list[tuple]:
        with psycopg.connect(self._stack.database_url) as connection:
            return connection.execute(query, parameters).fetchall()

    def change(self, query: str, *parameters) -> None:
        with psycopg.connect(self._stack.database_url) as connection:
            connection.execute(query, parameters)

    def user(self, user_code="u") -> list[tuple]:
        """Everything that is kept of a user, in an order."""
        return self.rows(
            "SELECT name, users.tx_id, engine, model_id, templates.tx_id, id, embedding::text"
            " FROM users JOIN templates USING (tenant_id, user_code)"
            " WHERE tenant_id = %s AND user_code = %s ORDER BY engine, model_id",
            self.tenant_id,
            user_code,
        )


@pytest.fixture
def client(stack) -> Client:
    return Client(stack)


@pytest.fixture
def obama(photo) -> dict[str, bytes]:
    return {"old": photo("obama/obama.jpg"), "new": photo("obama/obama2.jpg"), "newer": photo("obama/test1.jpg")}


def failure(outcome: contracts.AnyOutcome) -> Failure:
    assert isinstance(outcome, contracts.Failed), outcome
    return outcome.failure


# --- through the queue


def test_the_same_persons_new_photo_replaces_the_template_of_every_engine(client, obama):
    client.register(obama["old"])
    before = client.user()
    assert client.score(obama["new"]) < 0.97
    outcome = client.renew(obama["new"])
    assert isinstance(outcome, contracts.Registered)
    assert outcome.engine == "ezway"
    after = client.user()
    assert {row[2] for row in before} == {row[2] for row in after} == BOTH
    assert {row[6] for row in before}.isdisjoint(row[6] for row in after)
    assert client.score(obama["new"]) > 0.99


def test_a_renewal_is_one_transaction_of_its_own(client, obama):
    client.register(obama["old"])
    client.renew(obama["new"])
    (tx_id,) = {row[4] for row in client.user()}
    (outcome,) = client.rows("SELECT outcome FROM transactions WHERE tx_id = %s", tx_id)
    assert outcome == ("ok",)


def test_the_name_changes_only_if_one_is_given(client, obama):
    client.register(obama["old"], name="Old")
    client.renew(obama["new"])
    assert {row[0] for row in client.user()} == {"Old"}
    client.renew(obama["newer"], name="New")
    assert {row[0] for row in client.user()} == {"New"}


def test_another_persons_face_is_a_mismatch_and_changes_nothing(client, obama, photo):
    client.register(obama["old"], name="Old")
    before = client.user()
    assert failure(client.renew(photo("biden/biden.jpg"), name="New")) is Failure.FACE_MISMATCH
    assert client.user() == before


def test_a_new_photo_of_poor_quality_is_refused_and_changes_nothing(client, obama):
    client.register(obama["old"])
    before = client.user()
    pixels = cv2.imdecode(np.frombuffer(obama["new"], np.uint8), cv2.IMREAD_COLOR)
    blurred = cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (0, 0), 9))[1].tobytes()
    assert failure(client.renew(blurred)) is Failure.LOW_QUALITY
    assert client.user() == before


def test_an_unknown_code_is_registered(client, obama):
    assert isinstance(client.renew(obama["old"]), contracts.Registered)
    assert {row[2] for row in client.user()} == BOTH


def test_without_renew_a_known_code_stays_refused_even_for_the_same_face(client, obama):
    client.register(obama["old"])
    before = client.user()
    assert failure(client.register(obama["new"])) is Failure.ALREADY_ENROLLED
    assert client.user() == before


def test_the_engine_that_is_asked_for_compares(client, obama, photo):
    client.register(obama["old"])
    assert client.renew(obama["new"], engine="applemango").engine == "applemango"
    assert {row[2] for row in client.user()} == BOTH
    assert failure(client.renew(photo("biden/biden.jpg"), engine="applemango")) is Failure.FACE_MISMATCH


def test_an_engine_without_a_template_of_the_user_leaves_it_to_one_that_has(client, obama, photo):
    client.register(obama["old"])
    client.change("DELETE FROM templates WHERE tenant_id = %s AND engine = 'ezway'", client.tenant_id)
    assert failure(client.renew(photo("biden/biden.jpg"), engine="ezway")) is Failure.FACE_MISMATCH
    assert client.renew(obama["new"], engine="ezway").engine == "applemango"
    assert {row[2] for row in client.user()} == BOTH


def test_a_user_of_past_models_is_refused_because_nobody_can_compare(client, obama):
    client.register(obama["old"])
    client.change("UPDATE templates SET model_id = 'retired' WHERE tenant_id = %s", client.tenant_id)
    before = client.user()
    outcome = client.renew(obama["new"])
    assert failure(outcome) is Failure.ALREADY_ENROLLED
    assert "no longer used" in outcome.detail
    assert client.user() == before


def test_a_template_of_a_past_model_goes_with_a_renewal_by_a_current_one(client, obama):
    client.register(obama["old"])
    client.change(
        "UPDATE templates SET model_id = 'retired' WHERE tenant_id = %s AND engine = 'applemango'", client.tenant_id
    )
    client.renew(obama["new"])
    assert [row[2] for row in client.user()] == sorted(BOTH)
    assert "retired" not in {row[3] for row in client.user()}


def test_a_renewal_never_reaches_another_tenants_user_of_the_same_code(stack, client, obama, photo):
    other = Client(stack)
    client.register(obama["old"])
    other.register(photo("biden/biden.jpg"))
    theirs = other.user()
    assert isinstance(client.renew(obama["new"]), contracts.Registered)
    assert failure(client.renew(photo("biden/biden2.jpg"))) is Failure.FACE_MISMATCH
    assert failure(other.renew(obama["new"])) is Failure.FACE_MISMATCH
    assert other.user() == theirs


@pytest.mark.parametrize("crowd", [0, IN_MEMORY_FROM], ids=["in PostgreSQL", "in memory"])
def test_identify_finds_by_the_new_template_and_a_deleted_user_not_at_all(stack, client, obama, crowd):
    client.register(obama["old"], name="Barack")
    model = next((row[2], row[3]) for row in client.user() if row[2] == "ezway")
    if crowd:
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            enrol_many(connection, client.tenant_id, model, People(seed=3).templates(crowd))
    before = client.ask(contracts.IdentifyFace(), obama["new"])
    assert (before.user_code, before.score < 0.97) == ("u", True)
    client.renew(obama["new"])
    after = client.ask(contracts.IdentifyFace(), obama["new"])
    assert (after.user_code, after.name, after.score > 0.99) == ("u", "Barack", True)
    assert client.ask(contracts.IdentifyFace(), obama["old"]).score < 0.97
    client.ask(contracts.DeleteUser(user_code="u"))
    assert client.ask(contracts.IdentifyFace(), obama["new"]).user_code is None


# --- what a crash, and another call at the same moment, may do


@pytest.fixture
def working(stack):
    """`async with working() as (tasks, templates)`: what one worker process has."""

    @asynccontextmanager
    async def open_tasks():
        settings = Settings()
        engines = Engines(loaders(settings), limit_s=20.0, retry_s=10.0)
        await engines.load()
        async with open_pool(Database(url=stack.database_url), configure=register_vectors) as pool:
            templates = Templates(pool)
            search = Search(templates, TemplateChanges(pool), budget_bytes=0)
            try:
                yield FaceTasks(engines, templates, search, settings.faces, load_judges(settings)), templates
            finally:
                for slot in engines.all():
                    getattr(slot.part, "close", lambda: None)()

    return open_tasks


@pytest.fixture
def threads():
    pool = Threads(4)
    yield pool
    pool.close()


def job(client: Client) -> envelopes.Job:
    return envelopes.Job(
        job_id=f"{secrets.token_hex(8)}:{Kind.FACE}",
        tx_id=f"tx_{secrets.token_hex(6)}",
        tenant_id=client.tenant_id,
        dialect=Dialect.V1,
        within_ms=60_000,
        reply_to="nobody",
        blobs=1,
        bytes_held=0,
        operation=msgspec.Raw(b""),
    )


async def do(tasks: FaceTasks, threads: Threads, of: envelopes.Job, image: bytes) -> contracts.AnyOutcome:
    # The time of its submission stays a job's own, however often it is done.
    taken = Taken(of.job_id, b"", SUBMITTED_MS, SUBMITTED_MS, 1, [image])
    call = Call(of, [image], operation="register", taken=taken, threads=threads, slot=Slots(1).take())
    return await tasks.register(contracts.RegisterFace(user_code="u", renew=True), call)


def test_a_job_that_is_done_twice_gives_the_same_answer_and_changes_nothing_more(client, working, threads, obama):
    client.register(obama["old"])
    renewal = job(client)

    async def run():
        async with working() as (tasks, _):
            first = await do(tasks, threads, renewal, obama["new"])
            once = client.user()
            second = await do(tasks, threads, renewal, obama["new"])
            return first, second, once

    first, second, once = asyncio.run(run())
    assert isinstance(first, contracts.Registered)
    assert (type(second), second.engine, second.model) == (type(first), first.engine, first.model)
    assert client.user() == once
    assert client.rows("SELECT count(*) FROM transactions WHERE tx_id = %s", renewal.tx_id) == [(1,)]


def test_a_job_that_is_done_again_after_a_newer_renewal_brings_no_older_photo_back(client, working, threads, obama):
    client.register(obama["old"])
    earlier, later = job(client), job(client)

    async def run():
        async with working() as (tasks, _):
            await do(tasks, threads, earlier, obama["new"])
            await do(tasks, threads, later, obama["newer"])
            return await do(tasks, threads, earlier, obama["new"])

    assert isinstance(asyncio.run(run()), contracts.Registered)
    assert {row[4] for row in client.user()} == {later.tx_id}


def test_renewals_and_deletions_at_the_same_moment_leave_templates_of_one_photo_or_none(
    client, working, threads, obama
):
    async def run():
        async with working() as (one, templates), working() as (other, _):
            made = [
                Template("ezway", "left over", np.eye(1, 512, dtype=np.float32)[0]),
                Template("applemango", "left over", np.eye(1, 128, dtype=np.float32)[0]),
            ]
            for _ in range(5):
                await do(one, threads, job(client), obama["old"])
                jobs = [job(client) for _ in range(3)]
                outcomes = await asyncio.gather(
                    do(one, threads, jobs[0], obama["new"]),
                    do(other, threads, jobs[1], obama["newer"]),
                    do(one, threads, jobs[2], obama["old"]),
                )
                assert {type(outcome) for outcome in outcomes} == {contracts.Registered}
                assert [row[2] for row in client.user()] == sorted(BOTH)
                assert len({row[4] for row in client.user()}) == 1
                # The repository alone, where nothing takes time: every order of the writers' locks comes about.
                (enrolled_by,) = {row[1] for row in client.user()}
                await asyncio.gather(
                    *(
                        work
                        for _ in range(10)
                        for work in (
                            replace(templates, client, made, enrolled_by),
                            templates.add(client.tenant_id, "u", made[0], "tx_fill"),
                        )
                    ),
                    delete(templates, client),
                )
                assert client.user() == []

    asyncio.run(run())


async def replace(templates: Templates, client: Client, made: list[Template], enrolled_by: str) -> bool:
    row = transaction(client, "register")
    return await templates.replace(client.tenant_id, "u", None, made, row, enrolled_by=enrolled_by)


async def delete(templates: Templates, client: Client) -> None:
    assert await templates.delete(client.tenant_id, "u", transaction(client, "delete"))


def transaction(client: Client, operation: str):
    from shared.db import transactions

    return transactions.of_job(job(client), operation, contracts.Registered(), submitted_ms=SUBMITTED_MS)


def test_who_was_deleted_and_registered_anew_meanwhile_is_not_overwritten(client, working, obama, photo):
    client.register(obama["old"])
    (seen,) = {row[1] for row in client.user()}
    client.ask(contracts.DeleteUser(user_code="u"))
    client.register(photo("biden/biden.jpg"))
    before = client.user()

    async def run():
        async with working() as (_, templates):
            made = [Template("ezway", "m", np.eye(1, 512, dtype=np.float32)[0])]
            return await replace(templates, client, made, seen)

    assert asyncio.run(run()) is False
    assert client.user() == before
