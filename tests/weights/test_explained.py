"""What a worker says of a part that is off, for anybody to read: a reason, what turns it on, and no path."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.contracts import Part, PartState
from shared.settings import Settings
from shared.weights.requirements import Feature
from workers.inference.explained import Explained

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def explained(root: Path, *parts: Part) -> list[Part]:
    settings = Settings.from_env({"FIDOX_CACHE_DIR": str(root), "FIDOX_WEIGHTS_DIR": str(root)})
    describe = Explained(lambda: parts, settings, {"ezway": Feature.EZWAY}, again_s=0)
    describe()
    return list(describe())


def test_a_part_that_failed_says_so_and_one_that_works_says_nothing(tmp_path: Path) -> None:
    failed = Part(name="ezway", state=PartState.FAILED, model="w600k_mbf")
    ready = Part(name="applemango", state=PartState.READY, model="dlib_resnet_v1")
    found = explained(tmp_path, failed, ready)
    assert (found[0].because, found[0].get) == ("it does not answer, and is tried again", "see the worker's log")
    assert found[1] == ready


def test_a_wrong_file_is_logged_once_however_often_the_worker_is_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("scrfd_500m", "scrfd_2.5g", "scrfd_10g", "yunet_2023mar"):
        (tmp_path / f"{name}.onnx").write_bytes(b"of another origin")
    with caplog.at_level(logging.WARNING):
        (part,) = explained(tmp_path, Part(name="ezway", state=PartState.ABSENT))
    refused = [record.message for record in caplog.records if "refused" in record.message]
    assert len(refused) == len(set(refused))
    assert str(tmp_path) not in part.because + part.get
