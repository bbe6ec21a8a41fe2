"""The file by which a probe knows that a worker can do jobs."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

# As in the manifests' probes.
PROBE = 'test -n "$(find "$FIDOX_READY_FILE" -mmin -0.25 2>/dev/null)"'


@pytest.fixture
def ready_file(tmp_path) -> Path:
    return tmp_path / "ready"


@pytest.fixture
def worker(watched, ready_file):
    """Another liveness worker beside the stack's."""
    environment = {
        **watched.stack.environment,
        "FIDOX_READY_FILE": str(ready_file),
        "FIDOX_METRICS_PORT": "0",
        "FIDOX_LIVENESS_PROCESSES": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "workers.liveness"], env=environment)
    yield process
    process.terminate()
    process.wait(25)


def probe(ready_file: Path) -> bool:
    done = subprocess.run(["sh", "-c", PROBE], env={"FIDOX_READY_FILE": str(ready_file)}, check=False)
    return done.returncode == 0


def wait_for(state: bool, ready_file: Path, within_s: float) -> None:
    until = time.monotonic() + within_s
    while probe(ready_file) is not state:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_it_is_there_and_fresh_while_the_worker_has_its_models_and_gone_when_it_has_not(worker, ready_file):
    assert not probe(ready_file)
    wait_for(True, ready_file, 60)
    (process,) = psutil.Process(worker.pid).children()
    process.kill()
    # A new process loads its models again; until then the worker can do nothing.
    until = time.monotonic() + 10
    while ready_file.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert not probe(ready_file)
    wait_for(True, ready_file, 60)
    first = ready_file.stat().st_mtime
    time.sleep(2.5)
    assert ready_file.stat().st_mtime > first
    worker.terminate()
    worker.wait(25)
    assert not ready_file.exists()


def test_a_folder_that_is_not_there_is_said_and_costs_no_job(watched, tmp_path):
    environment = {
        **watched.stack.environment,
        "FIDOX_READY_FILE": str(tmp_path / "nowhere" / "ready"),
        "FIDOX_METRICS_PORT": "0",
        "FIDOX_LIVENESS_PROCESSES": "1",
    }
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", "workers.liveness"], env=environment, stderr=out)
        try:
            until = time.monotonic() + 60
            while "No such file or directory" not in log.read_text():
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.1)
        finally:
            process.terminate()
            assert process.wait(25) == 0
