"""A reader that is missing or broken is told as it is, and comes back by itself."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from shared import contracts, keys
from shared.contracts import CardRead, Failure, IdType, Kind
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.conftest import SHARED, need
from tests.support import ocr
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
FILES = ("korean_mobile_v2.0_rec/inference.onnx", "korean_mobile_v2.0_rec/inference.yml")


class Worker:
    """One OCR worker process of its own, on a Redis database of its own."""

    def __init__(self, stack, folder: Path) -> None:
        self.redis_url = stack.redis_url.replace("db=0", "db=8")
        self.fault = folder / "fault"
        self.fault.write_text("")
        self.weights = folder / "weights"
        for name in FILES:
            target = self.weights / "ocr" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(need(SHARED / "models") / "ocr" / name, target)
        self.environment = os.environ | {
            "DATABASE_URL": stack.database_url,
            "REDIS_URL": self.redis_url,
            "FAULT": str(self.fault),
            "FIDOX_WEIGHTS_DIR": str(self.weights),
            "FIDOX_CACHE_DIR": str(folder / "cache"),
            "FIDOX_ENGINE_RETRY_S": "1",
            "FIDOX_DEADLINE_S": "10",
        }
        self.process: subprocess.Popen | None = None

    @property
    def korean(self) -> Path:
        return self.weights / "ocr" / FILES[0]

    def start(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()
            command = [sys.executable, "-m", "tests.support.faulty_ocr"]
            self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT)
            until(lambda: self.process.poll() is not None or client.zcard(keys.workers(Kind.OCR)), "it is up")
            assert self.process.poll() is None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def read(self, data: bytes) -> contracts.AnyOutcome:
        return ocr.read_all(self.redis_url, [data])[0]

    def state(self) -> str:
        async def once():
            async with open_queue(QueueSettings(url=self.redis_url)) as queue:
                return await queue.parts(Kind.OCR)

        ((part, _),) = asyncio.run(once())
        return part.state

    def wait_for(self, state: str) -> None:
        until(lambda: self.state() == state, f"the reader is {state}")


@pytest.fixture
def worker(stack, tmp_path):
    running = Worker(stack, tmp_path)
    yield running
    running.stop()


@pytest.fixture
def card(specimens) -> bytes:
    return specimens(0, IdType.FOREIGN).jpeg


def is_failed(outcome: contracts.AnyOutcome) -> None:
    assert isinstance(outcome, contracts.Failed), outcome
    assert outcome.failure is Failure.OCR_FAILED
    assert outcome.retry_after_s


def is_absent(outcome: contracts.AnyOutcome) -> None:
    assert isinstance(outcome, contracts.Failed), outcome
    assert outcome.failure is Failure.ENGINE_UNAVAILABLE
    assert "fidox doctor" in outcome.detail


def test_a_weights_file_of_garbage_is_not_loaded_and_a_mended_one_is_without_a_restart(worker, card):
    whole = worker.korean.read_bytes()
    worker.korean.write_bytes(os.urandom(len(whole)))
    worker.start()
    assert worker.state() == "absent"
    is_absent(worker.read(card))
    worker.korean.write_bytes(whole)
    worker.wait_for("ready")
    assert isinstance(worker.read(card), CardRead)


def test_without_weights_the_worker_is_up_and_every_call_is_an_error(worker, card):
    worker.korean.unlink()
    worker.start()
    is_absent(worker.read(card))


@pytest.mark.parametrize("fault", ["raise", "slow"])
def test_a_reader_that_breaks_is_an_error_and_comes_back(worker, card, fault):
    worker.start()
    assert isinstance(worker.read(card), CardRead)
    worker.fault.write_text(fault)
    for _ in range(2):
        is_failed(worker.read(card))
    worker.wait_for("failed")
    worker.fault.write_text("")
    worker.wait_for("ready")
    assert isinstance(worker.read(card), CardRead)


def test_a_set_of_models_that_there_is_not_ends_the_worker_with_a_line_that_says_so(worker):
    done = subprocess.run(
        [sys.executable, "-m", "workers.ocr"],
        env=worker.environment | {"FIDOX_OCR_MODELS": "nothing"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 78
    assert "FIDOX_OCR_MODELS" in done.stderr
    assert "Traceback" not in done.stderr
