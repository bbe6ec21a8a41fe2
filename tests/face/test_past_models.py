"""Templates of models that are gone: what still compares with them, what a good verify renews, and what it leaves.

The tenant's rows are as the version before wrote them: its second engine, `applemango`, was dlib.
"""

import asyncio
import secrets
import time
from contextlib import asynccontextmanager

import msgspec
import psycopg
import pytest

from shared import contracts, envelopes
from shared.contracts import Context, Dialect, Failure, Kind
from shared.db.pool import open_pool
from shared.db.template_changes import TemplateChanges
from shared.db.templates import Template, Templates, register_vectors
from shared.settings import Database, Faces, Settings
from tests.support.fidox import make_tenant
from workers.face.analysis import Want, analyse
from workers.face.engines import Engines
from workers.face.load import load_engines, load_judges, loaders
from workers.face.search import Search
from workers.face.tasks import FILL_IN_SCORE, FaceTasks
from workers.runtime.slots import Slots
from workers.runtime.tasks import Call, Taken
from workers.runtime.threads import Threads
from workers.vision.detection import DetectOptions

CURRENT = ("ezway", "applemango")
WITH_DLIB = (*CURRENT, "dlib")
NOW_MS = int(time.time() * 1000)


@pytest.fixture(scope="module")
def dlib():
    (engine,) = load_engines(Settings(faces=Faces(engines=("dlib",))))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def threads():
    pool = Threads(4)
    yield pool
    pool.close()


class OldTenant:
    """A tenant of the version before."""

    def __init__(self, stack, threads) -> None:
        self._stack, self._threads = stack, threads
        name = make_tenant(stack.database_url, f"past-{secrets.token_hex(4)}").name
        ((self.id,),) = self.rows("SELECT id FROM tenants WHERE name = %s", name)

    def rows(self, query: str, *parameters) -> list[tuple]:
        with psycopg.connect(self._stack.database_url) as connection:
            return connection.execute(query, parameters).fetchall()

    def models(self) -> set[tuple[str, str]]:
        return set(self.rows("SELECT engine, model_id FROM templates WHERE tenant_id = %s", self.id))

    @asynccontextmanager
    async def worker(self, *names: str):
        """What a face worker with these engines has: its tasks, and the repository."""
        settings = Settings(faces=Faces(engines=names))
        engines = Engines(loaders(settings), limit_s=20.0, retry_s=10.0)
        await engines.load()
        async with open_pool(Database(url=self._stack.database_url), configure=register_vectors) as pool:
            templates = Templates(pool)
            search = Search(templates, TemplateChanges(pool), budget_bytes=0)
            try:
                yield FaceTasks(engines, templates, search, settings.faces, load_judges(settings)), templates
            finally:
                for slot in engines.all():
                    getattr(slot.part, "close", lambda: None)()

    async def enrol(self, templates: Templates, *made: Template) -> None:
        call = self.call(b"")
        row = call.transaction(contracts.Registered(engine="applemango", model="dlib_resnet_v1"))
        assert await templates.enrol(self.id, "u", None, list(made), row)

    def call(self, image: bytes) -> Call:
        of = envelopes.Job(
            job_id=f"{secrets.token_hex(8)}:{Kind.FACE}",
            tx_id=f"tx_{secrets.token_hex(6)}",
            tenant_id=self.id,
            dialect=Dialect.V1,
            within_ms=60_000,
            reply_to="nobody",
            blobs=1,
            bytes_held=0,
            operation=msgspec.Raw(b""),
        )
        taken = Taken(of.job_id, b"", NOW_MS, NOW_MS, 1, [image])
        return Call(of, [image], operation="verify", taken=taken, threads=self._threads, slot=Slots(1).take())

    async def verify(self, tasks: FaceTasks, image: bytes, context=Context.GENERAL) -> contracts.AnyOutcome:
        """Its answer, after what follows on it is done."""
        call = self.call(image)
        outcome = await tasks.verify(contracts.VerifyFace(user_code="u", context=context), call)
        for job in call.afterwards:
            await job()
        return outcome


@pytest.fixture
def tenant(stack, threads) -> OldTenant:
    return OldTenant(stack, threads)


def template(engine, image: bytes, *, name: str) -> Template:
    found = analyse(engine, image, DetectOptions(), Want.TEMPLATE, max_pixels=50_000_000)
    return Template(name, engine.model_id, found.embedding)


def test_a_user_of_dlib_alone_is_verified_and_identified_where_it_is_loaded_and_renewed_then(tenant, dlib, photo):
    image = photo("obama/obama.jpg")

    async def run():
        async with tenant.worker(*WITH_DLIB) as (tasks, templates):
            await tenant.enrol(templates, template(dlib, image, name="applemango"))
            found = await tasks.identify(contracts.IdentifyFace(), tenant.call(image))
            assert (found.engine, found.user_code) == ("dlib", "u")
            assert (await tenant.verify(tasks, photo("biden/biden.jpg"))).matched is False
            assert tenant.models() == {("applemango", "dlib_resnet_v1")}
            verified = await tenant.verify(tasks, image)
            assert (verified.engine, verified.matched) == ("dlib", True)
            # And from then on by the models of now, by any photo.
            again = await tenant.verify(tasks, photo("obama/obama2.jpg"))
            assert (again.engine, again.matched) == ("ezway", True)

    asyncio.run(run())
    models = tenant.models()
    assert {engine for engine, _ in models} == {"ezway", "applemango"}
    # The row of the version before stays: after a rollback it is what that version compares with.
    assert ("applemango", "dlib_resnet_v1") in models
    assert ("applemango", "face_reidentification_retail_0095") in models


def test_a_user_of_a_model_that_is_gone_is_told_so(tenant, dlib, photo):
    image = photo("obama/obama.jpg")

    async def run():
        async with tenant.worker(*CURRENT) as (tasks, templates):
            await tenant.enrol(templates, template(dlib, image, name="applemango"))
            verified = await tenant.verify(tasks, image)
            assert verified.failure is Failure.NOT_ENROLLED
            assert "a model that is no longer used" in verified.detail
            found = await tasks.identify(contracts.IdentifyFace(), tenant.call(image))
            assert (found.matched, found.user_code) == (False, None)

    asyncio.run(run())
    assert tenant.models() == {("applemango", "dlib_resnet_v1")}


def test_only_a_verify_that_is_surer_than_a_login_fills_in_what_is_missing(tenant, engine, dlib, photo):
    """Of biden.jpg and biden2.jpg the score is a match, and less than what a template may be made from."""

    async def run():
        async with tenant.worker(*CURRENT) as (tasks, templates):
            old = template(engine, photo("biden/biden.jpg"), name="ezway")
            worse = old.embedding + 0.9 * template(engine, photo("obama/obama.jpg"), name="ezway").embedding
            weak = old._replace(embedding=worse / (worse @ worse) ** 0.5)
            await tenant.enrol(templates, weak, template(dlib, photo("biden/biden.jpg"), name="applemango"))
            before = tenant.models()
            for context in Context:
                verified = await tenant.verify(tasks, photo("biden/biden2.jpg"), context)
                assert verified.score < FILL_IN_SCORE
            assert tenant.models() == before
            verified = await tenant.verify(tasks, photo("biden/biden.jpg"))
            assert verified.score >= FILL_IN_SCORE
            return before

    before = asyncio.run(run())
    assert tenant.models() == before | {("applemango", "face_reidentification_retail_0095")}
