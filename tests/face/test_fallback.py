"""What breaks one engine leaves the other standing: the caller sees an answer, and `ezway` comes back by itself."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from shared import contracts, keys
from shared.contracts import Dialect, Kind
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.support.fidox import make_tenant
from tests.support.waiting import until
from tests.support.weights import copied
from workers.runtime.process import EX_STUCK

ROOT = Path(__file__).parents[2]
WEIGHTS = ("scrfd_500m", "w600k_mbf_dequantised")
SECOND = ("yunet_2023mar", "face_reidentification_retail_0095_onnx")
PEOPLE = ("obama", "biden", "rose_leslie")
RETRY_S = 1.0


class Face:
    """One face worker process of its own, on a Redis database of its own."""

    def __init__(self, stack, folder: Path, tenant_id: int) -> None:
        self.folder, self.tenant_id = folder, tenant_id
        self.redis_url = stack.redis_url.replace("db=0", "db=6")
        self.database_url = stack.database_url
        self.fault = folder / "fault"
        self.fault.write_text("")
        weights = folder / "weights"
        self.files = copied(WEIGHTS + SECOND, weights)
        self._environment = os.environ | {
            "DATABASE_URL": stack.database_url,
            "REDIS_URL": self.redis_url,
            "FAULT": str(self.fault),
            "FIDOX_WEIGHTS_DIR": str(weights),
            "FIDOX_CACHE_DIR": str(folder / "cache"),
            # Without its own weights `ezway` would take those of the second engine.
            "FIDOX_DETECTOR": WEIGHTS[0],
            "FIDOX_RECOGNISER": WEIGHTS[1],
            # A third of what one that is slow takes; a good one takes its time, too, on a busy machine.
            "FIDOX_ENGINE_TIMEOUT_S": "5",
            "FIDOX_ENGINE_RETRY_S": str(RETRY_S),
        }
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()
            command = [sys.executable, "-m", "tests.support.faulty_face"]
            self._process = subprocess.Popen(command, env=self._environment, cwd=ROOT)
            until(lambda: self._process.poll() is not None or client.zcard(keys.workers(Kind.FACE)), "it is up")
            assert self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def wait(self) -> int:
        """For its end; the exit status."""
        return self._process.wait(60)

    async def ask(self, queue, operation, *images: bytes) -> contracts.AnyOutcome:
        answer = await queue.submit(
            operation, images, tx_id=f"tx_{secrets.token_hex(6)}", tenant_id=self.tenant_id, dialect=Dialect.FIDOX
        )
        return answer.outcome

    def queue(self):
        return open_queue(QueueSettings(url=self.redis_url, deadline_s=60))

    def ask_once(self, operation, *images: bytes) -> contracts.AnyOutcome:
        async def once():
            async with self.queue() as queue:
                return await self.ask(queue, operation, *images)

        return asyncio.run(once())

    def templates(self, user_code: str) -> set[str]:
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute(
                "SELECT engine FROM templates WHERE tenant_id = %s AND user_code = %s", (self.tenant_id, user_code)
            )
            return {engine for (engine,) in rows}

    def states(self) -> dict[str, str]:
        """What the worker says of its engines."""

        async def once():
            async with self.queue() as queue:
                return await queue.parts(Kind.FACE)

        (parts,) = asyncio.run(once())
        return {part.name: part.state for part in parts if not part.helps}

    def wait_for_states(self, states: dict[str, str]) -> None:
        until(lambda: self.states() == states, f"the engines are {states}")

    def wait_for_engine(self, name: str, user_code: str, image: bytes) -> None:
        verify = contracts.VerifyFace(user_code=user_code)
        until(lambda: self.ask_once(verify, image).engine == name, f"{name} answers")


@pytest.fixture
def face(stack, tmp_path):
    tenant = make_tenant(stack.database_url, f"fallback-{secrets.token_hex(4)}")
    with psycopg.connect(stack.database_url) as connection:
        (tenant_id,) = connection.execute("SELECT id FROM tenants WHERE name = %s", (tenant.name,)).fetchone()
    worker = Face(stack, tmp_path, tenant_id)
    yield worker
    worker.stop()


def enrol(face: Face, photo, people=PEOPLE) -> None:
    for person in people:
        outcome = face.ask_once(contracts.RegisterFace(user_code=person), photo(first(person)))
        assert isinstance(outcome, contracts.Registered), outcome


def first(person: str) -> str:
    return {"obama": "obama/obama.jpg", "biden": "biden/biden.jpg", "rose_leslie": "rose_leslie/img1.jpg"}[person]


def second(person: str) -> str:
    return {"obama": "obama/obama2.jpg", "biden": "biden/biden2.jpg", "rose_leslie": "rose_leslie/img2.jpg"}[person]


def verify_with_8_clients(face: Face, photo, calls: int = 24) -> list[contracts.AnyOutcome]:
    """Everybody against themselves and against the next one, eight calls at a time."""

    async def run():
        async with face.queue() as queue:
            gate = asyncio.Semaphore(8)

            async def one(number: int):
                person = PEOPLE[number % len(PEOPLE)]
                pictured = PEOPLE[(number + number % 2) % len(PEOPLE)]
                async with gate:
                    outcome = await face.ask(queue, contracts.VerifyFace(user_code=person), photo(second(pictured)))
                assert isinstance(outcome, contracts.Verified), outcome
                assert outcome.matched == (person == pictured), (person, pictured, outcome)
                return outcome

            return await asyncio.gather(*(one(number) for number in range(calls)))

    return asyncio.run(run())


def test_register_writes_a_template_of_every_engine(face, photo):
    face.start()
    enrol(face, photo, ["obama"])
    assert face.templates("obama") == {"ezway", "applemango"}


@pytest.mark.parametrize("fault", ["raise", "memory", "slow"])
def test_verify_goes_on_through_the_second_engine_and_returns_to_the_first(face, photo, fault):
    face.start()
    enrol(face, photo)
    assert {outcome.engine for outcome in verify_with_8_clients(face, photo, 6)} == {"ezway"}
    face.fault.write_text(fault)
    assert {outcome.engine for outcome in verify_with_8_clients(face, photo)} == {"applemango"}
    time.sleep(2 * RETRY_S)  # probes find it still broken
    face.wait_for_states({"ezway": "failed", "applemango": "ready"})
    assert {outcome.engine for outcome in verify_with_8_clients(face, photo, 6)} == {"applemango"}
    face.fault.write_text("")
    face.wait_for_engine("ezway", "obama", photo(second("obama")))
    face.wait_for_states({"ezway": "ready", "applemango": "ready"})
    assert {outcome.engine for outcome in verify_with_8_clients(face, photo, 6)} == {"ezway"}


def test_a_worker_that_has_lost_its_gpu_ends_after_the_second_engine_has_answered(face, photo):
    face.start()
    enrol(face, photo)
    face.fault.write_text("lost")
    assert face.ask_once(contracts.VerifyFace(user_code="obama"), photo(second("obama"))).engine == "applemango"
    assert face.wait() == EX_STUCK


def test_a_weights_file_of_garbage_is_not_loaded_and_a_mended_one_is_without_a_restart(face, photo):
    file = face.files[WEIGHTS[1]]
    whole = file.read_bytes()
    file.write_bytes(os.urandom(len(whole)))
    face.start()
    enrol(face, photo)
    assert face.templates("obama") == {"applemango"}
    assert {outcome.engine for outcome in verify_with_8_clients(face, photo)} == {"applemango"}
    file.write_bytes(whole)
    # Once it is back, a successful verify fills in what it could not make at register.

    def is_filled_in() -> bool:
        assert face.ask_once(contracts.VerifyFace(user_code="obama"), photo(second("obama"))).matched
        return face.templates("obama") == {"ezway", "applemango"}

    until(is_filled_in, "it is filled in")
    assert face.ask_once(contracts.VerifyFace(user_code="obama"), photo(second("obama"))).engine == "ezway"
    # Somebody who was enrolled meanwhile and has not been back yet is still identified.
    assert face.templates("biden") == {"applemango"}
    found = face.ask_once(contracts.IdentifyFace(), photo(second("biden")))
    assert (found.user_code, found.engine) == ("biden", "applemango")


def test_without_the_first_engines_weights_the_second_carries_everything(face, photo):
    for name in WEIGHTS:
        face.files[name].unlink()
    face.start()
    enrol(face, photo)
    face.wait_for_states({"ezway": "absent", "applemango": "ready"})
    assert {outcome.engine for outcome in verify_with_8_clients(face, photo, 6)} == {"applemango"}
    assert face.ask_once(contracts.CountFaces(), photo("_groups/obama_and_biden.jpg")).engine == "applemango"
    assert len(face.ask_once(contracts.CountFaces(), photo("_groups/kit_with_rose.jpg")).faces) == 2
    same = face.ask_once(contracts.CompareFaces(), photo(first("obama")), photo(second("obama")))
    other = face.ask_once(contracts.CompareFaces(), photo(first("obama")), photo(first("biden")))
    assert (same.matched, other.matched) == (True, False)


def test_without_any_downloaded_weights_dlib_finds_faces_and_takes_nobody_for_another(face, photo):
    for name in WEIGHTS + SECOND:
        face.files[name].unlink()
    face.start()
    enrol(face, photo)
    face.wait_for_states({"ezway": "absent", "applemango": "absent", "dlib": "ready"})
    assert {engine for person in PEOPLE for engine in face.templates(person)} == {"dlib"}
    assert len(face.ask_once(contracts.CountFaces(), photo("_groups/kit_with_rose.jpg")).faces) == 2
    for person in PEOPLE:
        again = face.ask_once(contracts.VerifyFace(user_code=person), photo(first(person)))
        assert (again.engine, again.matched) == ("dlib", True)
        found = face.ask_once(contracts.IdentifyFace(), photo(first(person)))
        assert (found.engine, found.user_code) == ("dlib", person)
        other = "biden" if person == "obama" else "obama"
        assert not face.ask_once(contracts.VerifyFace(user_code=other), photo(first(person))).matched


def test_a_renewal_is_refused_while_every_engine_that_could_compare_is_down(face, photo):
    face.start()
    enrol(face, photo, ["obama"])
    with psycopg.connect(face.database_url) as connection:
        connection.execute("DELETE FROM templates WHERE tenant_id = %s AND engine = 'applemango'", (face.tenant_id,))
    face.fault.write_text("raise")
    renewal = contracts.RegisterFace(user_code="obama", renew=True)
    for _ in range(3):
        outcome = face.ask_once(renewal, photo(second("obama")))
        assert isinstance(outcome, contracts.Failed), outcome
        assert outcome.failure is contracts.Failure.ENGINE_UNAVAILABLE
    assert face.templates("obama") == {"ezway"}
    face.fault.write_text("")
    face.wait_for_engine("ezway", "obama", photo(first("obama")))
    assert isinstance(face.ask_once(renewal, photo(second("obama"))), contracts.Registered)
    assert face.templates("obama") == {"ezway", "applemango"}


def test_the_second_engine_compares_a_renewal_while_the_first_one_is_down(face, photo):
    face.start()
    enrol(face, photo, ["obama"])
    face.fault.write_text("raise")
    stranger = face.ask_once(contracts.RegisterFace(user_code="obama", renew=True), photo(second("biden")))
    assert stranger.failure is contracts.Failure.FACE_MISMATCH
    renewed = face.ask_once(contracts.RegisterFace(user_code="obama", renew=True), photo(second("obama")))
    assert (type(renewed), renewed.engine) == (contracts.Registered, "applemango")
