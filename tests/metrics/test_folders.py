"""The folder in which a service's processes keep their numbers."""

import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path

from shared.metrics.places import a_folder

AT_ONCE = 4
TIMES = 100


def _start_over_and_over(started: Barrier) -> None:
    """Ends with an error where its own folder was taken away."""
    started.wait(30)
    for _ in range(TIMES):
        with a_folder() as folder:
            assert (folder / "owner.lock").exists()


def test_parts_that_start_at_the_same_time_leave_one_another_their_folders(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    spawn = multiprocessing.get_context("spawn")
    started = spawn.Barrier(AT_ONCE)
    parts = [spawn.Process(target=_start_over_and_over, args=(started,)) for _ in range(AT_ONCE)]
    for part in parts:
        part.start()
    for part in parts:
        part.join(60)
    assert [part.exitcode for part in parts] == [0] * AT_ONCE
    assert list(tmp_path.glob("fidox-metrics-*")) == []


def test_what_a_killed_parent_left_is_removed_by_the_next(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "fidox-metrics-left"
    left.mkdir()
    (left / "owner.lock").touch()
    with a_folder() as mine:
        assert list(tmp_path.iterdir()) == [mine]
        assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]) == mine
