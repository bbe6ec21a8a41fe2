"""The file by which a probe knows that a worker can do jobs."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until

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
    process.wait(60)


def probe(ready_file: Path) -> bool:
    done = subprocess.run(["sh", "-c", PROBE], env={"FIDOX_READY_FILE": str(ready_file)}, check=False)
    return done.returncode == 0


def test_it_is_there_and_fresh_while_the_worker_has_its_models_and_gone_when_it_has_not(worker, ready_file):
    assert not probe(ready_file)
    until(lambda: probe(ready_file), "the worker is ready")
    (process,) = psutil.Process(worker.pid).children()
    process.kill()
    # A new process loads its models again; until then the worker can do nothing.
    until(lambda: not ready_file.exists(), "the file is gone")
    assert not probe(ready_file)
    until(lambda: probe(ready_file), "the worker is ready again")
    first = ready_file.stat().st_mtime
    until(lambda: ready_file.stat().st_mtime > first, "it is touched again")
    worker.terminate()
    worker.wait(60)
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
            until(lambda: "No such file or directory" in log.read_text(), "it is said")
            assert process.poll() is None
        finally:
            process.terminate()
            assert process.wait(60) == 0
