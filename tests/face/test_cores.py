"""How many processes a worker starts by itself: as many as it has cores, in a container too."""

import os

import pytest

from workers.runtime.supervisor import cores

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("100000 100000\n", 1),
        ("150000 100000\n", 1),
        ("20000 100000\n", 1),
        ("200000 100000\n", min(2, HERE)),
        ("6400000 100000\n", HERE),
        ("max 100000\n", HERE),
        ("", HERE),
    ],
)
def test_a_containers_limit_counts(tmp_path, said, found):
    quota = tmp_path / "cpu.max"
    quota.write_text(said)
    assert cores(quota) == found


def test_without_a_container_the_machine_counts(tmp_path):
    assert cores(tmp_path / "missing") == HERE
