"""What is missing or broken costs one check, is told as it is, and comes back by itself."""

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from shared import contracts, keys
from shared.contracts import Check, Failure, Kind, LivenessChecked
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.support import liveness
from tests.support.waiting import until
from tests.support.weights import copied

ROOT = Path(__file__).parents[2]
DETECTOR = "scrfd_500m"
WEIGHTS = {
    Check.PHOTO: ("minifasnet_v2_2.7", "minifasnet_v1se_4.0"),
    Check.DEEPFAKE: ("meso4_df", "mesoinception_df"),
    Check.MASK: ("face_mask_aizoo_260",),
}
ALL = {"photo", "deepfake", "mask"}


class Worker:
    """One liveness worker process of its own, on a Redis database of its own."""

    def __init__(self, stack, folder: Path) -> None:
        self.redis_url = stack.redis_url.replace("db=0", "db=7")
        self.fault = folder / "fault"
        self.fault.write_text("")
        self.folder = weights = folder / "weights"
        self.files = copied((DETECTOR, *(name for names in WEIGHTS.values() for name in names)), weights)
        self.environment = os.environ | {
            "DATABASE_URL": stack.database_url,
            "REDIS_URL": self.redis_url,
            "FAULT": str(self.fault),
            "FIDOX_WEIGHTS_DIR": str(weights),
            "FIDOX_CACHE_DIR": str(folder / "cache"),
            # A third of what one that is slow takes; a good one takes its time, too, on a busy machine.
            "FIDOX_ENGINE_TIMEOUT_S": "5",
            "FIDOX_ENGINE_RETRY_S": "1",
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()
            command = [sys.executable, "-m", "tests.support.faulty_liveness"]
            self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT)
            until(lambda: self.process.poll() is not None or client.zcard(keys.workers(Kind.LIVENESS)), "it is up")
            assert self.process.poll() is None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def check(self, data: bytes, *checks: Check) -> contracts.AnyOutcome:
        return liveness.check_all(self.redis_url, [data], *checks)[0]

    def states(self) -> dict[str, str]:
        async def once():
            async with open_queue(QueueSettings(url=self.redis_url)) as queue:
                return await queue.parts(Kind.LIVENESS)

        (parts,) = asyncio.run(once())
        return {part.name: part.state for part in parts}

    def wait_for(self, states: dict[str, str]) -> None:
        until(lambda: self.states() == states, f"the checks are {states}")


@pytest.fixture
def worker(stack, tmp_path):
    running = Worker(stack, tmp_path)
    yield running
    running.stop()


def names(outcome: contracts.AnyOutcome) -> set[str]:
    assert isinstance(outcome, LivenessChecked), outcome
    return {result.check for result in outcome.checks}


def is_unavailable(outcome: contracts.AnyOutcome, naming: str = "") -> None:
    assert isinstance(outcome, contracts.Failed), outcome
    assert outcome.failure is Failure.ENGINE_UNAVAILABLE
    assert naming in outcome.detail


@pytest.mark.parametrize("missing", list(Check))
def test_a_check_without_weights_is_an_error_by_name_and_left_out_of_all(worker, portrait, missing):
    worker.files[WEIGHTS[missing][-1]].unlink()
    worker.start()
    is_unavailable(worker.check(portrait, missing), naming=missing)
    is_unavailable(worker.check(portrait, *Check), naming=missing)
    assert names(worker.check(portrait)) == ALL - {missing}
    assert worker.states() == {name: "absent" if name == missing else "ready" for name in ALL}


def test_without_any_weights_the_worker_is_up_and_every_call_is_an_error(worker, portrait):
    for name in (name for names in WEIGHTS.values() for name in names):
        worker.files[name].unlink()
    worker.start()
    is_unavailable(worker.check(portrait))
    is_unavailable(worker.check(portrait, Check.MASK), naming="mask")
    assert worker.states() == dict.fromkeys(ALL, "absent")


def test_a_check_that_the_settings_leave_out_is_an_error_by_name(worker, portrait):
    worker.environment["FIDOX_LIVENESS_CHECKS"] = "photo,mask"
    worker.start()
    assert names(worker.check(portrait)) == {"photo", "mask"}
    is_unavailable(worker.check(portrait, Check.DEEPFAKE), naming="deepfake")


def test_a_weights_file_of_garbage_is_not_loaded_and_a_mended_one_is_without_a_restart(worker, portrait):
    file = worker.files[WEIGHTS[Check.PHOTO][0]]
    whole = file.read_bytes()
    file.write_bytes(os.urandom(len(whole)))
    worker.start()
    is_unavailable(worker.check(portrait, Check.PHOTO), naming="photo")
    file.write_bytes(whole)
    worker.wait_for(dict.fromkeys(ALL, "ready"))
    assert names(worker.check(portrait, Check.PHOTO)) == {"photo"}


@pytest.mark.parametrize("fault", ["raise", "slow"])
def test_a_check_that_breaks_is_an_error_leaves_the_others_and_comes_back(worker, portrait, fault):
    worker.start()
    assert names(worker.check(portrait)) == ALL
    worker.fault.write_text(fault)
    for _ in range(2):
        is_unavailable(worker.check(portrait, Check.MASK), naming="mask")
    worker.wait_for({"photo": "ready", "deepfake": "ready", "mask": "failed"})
    # Nobody who asks for everything gets less because something broke.
    is_unavailable(worker.check(portrait), naming="mask")
    assert names(worker.check(portrait, Check.PHOTO, Check.DEEPFAKE)) == {"photo", "deepfake"}
    worker.fault.write_text("")
    worker.wait_for(dict.fromkeys(ALL, "ready"))
    assert names(worker.check(portrait)) == ALL


@pytest.mark.parametrize("detector", ["yunet_2023mar", "dlib_hog"])
def test_without_scrfd_the_next_engines_detector_finds_the_face(worker, portrait, detector):
    worker.files[DETECTOR].unlink()
    if detector != "dlib_hog":
        copied((detector, "face_reidentification_retail_0095_onnx"), worker.folder)
    worker.start()
    outcome = worker.check(portrait)
    assert names(outcome) == ALL
    assert outcome.profile.detector == detector
    assert outcome.is_live


def test_scrfd_is_not_used_where_the_settings_leave_its_engine_out(worker, portrait):
    worker.environment["FIDOX_ENGINES"] = "applemango"
    worker.start()
    assert worker.check(portrait, Check.MASK).profile.detector == "dlib_hog"


def test_without_any_detector_every_check_counts_as_failed(worker, portrait):
    worker.files[DETECTOR].unlink()
    worker.environment["FIDOX_ENGINES"] = "ezway"
    worker.start()
    is_unavailable(worker.check(portrait))
    assert worker.states() == dict.fromkeys(ALL, "failed")


def test_networks_of_an_operators_manifest_answer_where_they_are_named(worker, portrait, tmp_path):
    """A copy of MiniFASNetV2 under another name, shown the face in one way alone."""
    own = tmp_path / "own"
    own.mkdir()
    data = worker.files["minifasnet_v2_2.7"].read_bytes()
    (own / "mine.onnx").write_bytes(data)
    (own / "mine.toml").write_text(
        f"""[[weight]]
        name = "mine"
        file = "mine.onnx"
        role = "liveness.photo"
        sha256 = "{hashlib.sha256(data).hexdigest()}"
        licence = "ours"
        commercial_use = true
        form = {{ kind = "classifier", side = 80, crop = 2.7, rgb = false, answer = "logits", genuine = 1 }}
        """
    )
    worker.environment |= {
        "FIDOX_WEIGHTS_MANIFEST": str(own / "mine.toml"),
        "FIDOX_PHOTO_NETWORKS": "mine,minifasnet_v1se_4.0",
    }
    worker.start()
    outcome = worker.check(portrait, Check.PHOTO)
    assert [result.model for result in outcome.checks] == ["mine+minifasnet_v1se_4.0"]
    assert outcome.is_live
    spoof = (liveness.SAMPLES / "photo" / "image_F2.jpg").read_bytes()
    assert not worker.check(spoof, Check.PHOTO).is_live


@pytest.mark.parametrize(
    "variable",
    [
        "FIDOX_LIVENESS_CHECKS",
        "FIDOX_ENGINES",
        "FIDOX_PHOTO_NETWORKS",
        "FIDOX_DEEPFAKE_NETWORKS",
        "FIDOX_WEIGHTS_MANIFEST",
    ],
)
def test_a_name_that_is_none_ends_the_worker_with_a_line_that_says_so(worker, variable):
    done = subprocess.run(
        [sys.executable, "-m", "workers.liveness"],
        env=worker.environment | {variable: "nothing"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 78
    assert variable in done.stderr
    assert "Traceback" not in done.stderr
