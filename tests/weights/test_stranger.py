"""A clone with nothing beside it: what it gets from a mirror, what that turns on, and what it says without one.

The mirror is a small server on this machine that serves ../shared/models under the upstream paths. The internet is shut
off: a proxy for https on which nothing listens.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from deploy.local.folder import CHECKOUT
from shared.weights.manifest import load
from shared.weights.requirements import Feature
from tests.conftest import SHARED, need
from tests.support.file_server import FileServer, upstream_paths
from tests.support.ports import own_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("deploy", "gateway", "shared", "workers")
NOWHERE = "http://127.0.0.1:9"
# What lies in ../shared/models under the name and hash that upstream has for it.
SERVED = {
    "scrfd_2.5g",
    "scrfd_500m",
    "yunet_2023mar",
    "fsanet_1x1",
    "fsanet_var",
    "lightqnet_dm100",
    "minifasnet_v2_2.7",
    "minifasnet_v1se_4.0",
    "meso4_df",
    "mesoinception_df",
    "face_mask_aizoo_260",
}
CHECKS = ("photo", "deepfake", "mask")
FROM_MIRROR = (
    Feature.HEAD_POSE,
    Feature.FACE_QUALITY,
    Feature.PHOTO,
    Feature.DEEPFAKE,
    Feature.MASK,
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product's packages in a folder beside which nothing lies."""
    folder = tmp_path_factory.mktemp("clone") / "main"
    for package in PACKAGES:
        shutil.copytree(CHECKOUT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.env"))
    assert not (folder.parent / "shared").exists()
    return folder


@pytest.fixture(scope="module")
def mirror() -> Iterator[FileServer]:
    folder = need(SHARED / "models")
    with FileServer({path: file.read_bytes() for path, file in upstream_paths(load(), folder)}) as server:
        yield server


def environment(cache: Path, **more: str) -> dict[str, str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("FIDOX_", "DATABASE_", "REDIS_"))
    }
    shut = dict.fromkeys(("https_proxy", "HTTPS_PROXY"), NOWHERE)
    return {**clean, **shut, "no_proxy": "127.0.0.1", "FIDOX_CACHE_DIR": str(cache), **more}


def fidox(clone: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", "weights", *arguments],
        cwd=clone,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def by_name(states: list[dict]) -> dict[str, dict]:
    return {state["name"]: state for state in states}


def test_everything_that_the_mirror_has_is_fetched_and_turns_on_what_it_can(clone, mirror, tmp_path) -> None:
    done = fidox(clone, "fetch", "--json", cache=tmp_path, FIDOX_WEIGHTS_MIRROR=mirror.url)
    data = json.loads(done.stdout)
    assert {one["name"] for one in data["fetched"]} == SERVED
    states = by_name(data["features"])
    assert all(states[feature]["on"] for feature in FROM_MIRROR)
    # The recogniser of engine ezway is not on this mirror: that is said, with the weight, and is a failure.
    assert done.returncode == 1
    assert "w600k_mbf" in data["failed"]
    assert "w600k_mbf" in states[Feature.EZWAY]["because"]
    assert "FIDOX_WEIGHTS_MIRROR" in states[Feature.EZWAY]["get"]
    # What has no address is not passed over in silence.
    assert "put ocr/korean_mobile_v2.0_rec/inference.onnx" in data["skipped"]["korean_mobile_v2.0_rec"]


def test_under_a_commercial_licence_nothing_else_is_even_asked_for(clone, mirror, tmp_path) -> None:
    before = len(mirror.asked)
    variables = {"FIDOX_WEIGHTS_MIRROR": mirror.url, "FIDOX_WEIGHTS_LICENCE": "commercial"}
    done = fidox(clone, "fetch", "--json", cache=tmp_path, **variables)
    data = json.loads(done.stdout)
    closed = {weight.name for weight in load().weight if not weight.commercial_use}
    assert {one["name"] for one in data["fetched"]} == SERVED - closed
    assert closed <= data["skipped"].keys()
    assert not any("scrfd" in asked.path or "w600k" in asked.path for asked in mirror.asked[before:])


def test_only_what_is_needed_is_fetched_where_that_is_asked(clone, mirror, tmp_path) -> None:
    done = fidox(clone, "fetch", "--needed", "--json", cache=tmp_path, FIDOX_WEIGHTS_MIRROR=mirror.url)
    assert {one["name"] for one in json.loads(done.stdout)["fetched"]} == SERVED - {"scrfd_2.5g"}


def test_a_folder_laid_out_like_the_mirror_serves_as_one(clone, mirror, tmp_path) -> None:
    for path, data in mirror.files.items():
        (tmp_path / "media" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "media" / path).write_bytes(data)
    variables = {"FIDOX_WEIGHTS_MIRROR": str(tmp_path / "media")}
    done = fidox(clone, "fetch", "meso4_df", "fsanet_1x1", cache=tmp_path / "cache", **variables)
    assert done.returncode == 0, done.stderr
    assert f"fetched meso4_df to {tmp_path}/cache/mesonet/Meso4_DF.h5 (Apache-2.0)" in done.stdout


def test_one_machines_weights_are_carried_to_another_in_an_archive(clone, mirror, tmp_path) -> None:
    here, there, archive = tmp_path / "here", tmp_path / "there", str(tmp_path / "weights.tar")
    fidox(clone, "fetch", *sorted(SERVED), cache=here, FIDOX_WEIGHTS_MIRROR=mirror.url)
    wrote = json.loads(fidox(clone, "bundle", archive, "--json", cache=here).stdout)
    assert set(wrote["weights"]) >= SERVED
    taken = json.loads(fidox(clone, "import", archive, "--json", cache=there).stdout)
    assert set(taken["taken"]) == set(wrote["weights"])
    assert all(by_name(taken["features"])[feature]["on"] for feature in FROM_MIRROR)
    assert fidox(clone, "verify", cache=there).returncode == 0


def test_without_a_mirror_and_the_internet_everything_that_is_off_says_what_to_do(clone, tmp_path) -> None:
    done = fidox(clone, "fetch", cache=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("cannot be reached") >= len(SERVED)
    states = by_name(json.loads(fidox(clone, "features", "--json", cache=tmp_path).stdout))
    for feature in FROM_MIRROR:
        assert not states[feature]["on"]
        assert states[feature]["get"].startswith("`fidox weights fetch ")
    for way in ("FIDOX_WEIGHTS_MIRROR", "fidox weights import", f"into {tmp_path}"):
        assert way in done.stderr


def test_an_interrupted_command_says_that_what_came_is_kept(clone, tmp_path) -> None:
    server = FileServer({path: file.read_bytes() for path, file in upstream_paths(load(), need(SHARED / "models"))})
    server.hold_after = 600_000
    with server:
        child = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "weights", "fetch", "scrfd_500m"],
            cwd=clone,
            env=environment(tmp_path, FIDOX_WEIGHTS_MIRROR=server.url),
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 60
        while not any(path.stat().st_size for path in tmp_path.glob("partial/*")) and time.monotonic() < until:
            time.sleep(0.05)
        # Python loses an interrupt that comes while it finalises an object; a person presses the keys again.
        while child.poll() is None and time.monotonic() < until:
            child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(10)
        _, told = child.communicate(timeout=60)
        server.hold.set()
    assert child.returncode != 0
    assert "What has come of scrfd_500m is kept" in told


class Start:
    """`make run` in the clone, after its installation."""

    def __init__(self, clone: Path, root: Path, variables: dict[str, str]) -> None:
        code = (
            "import sys; from pathlib import Path; from deploy.local.up import up; up(Path(sys.argv[1]), as_json=True)"
        )
        port = str(own_port())
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(root)],
            cwd=clone,
            env={**variables, "PORT": port, "FIDOX_FACE_PROCESSES": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=lambda: self.said.extend(self.process.stderr))

    def __enter__(self) -> dict:
        self._reader.start()
        line = self.process.stdout.readline()
        if not line:
            self.__exit__()
            pytest.fail("".join(self.said))
        return json.loads(line)

    def __exit__(self, *_error: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


def until(url: str, kind: str, wanted: dict[str, str]) -> dict[str, str]:
    """The states of one kind of worker's parts that answer calls, once they are the wanted ones, or after a minute."""
    states: dict[str, str] = {}
    end = time.monotonic() + 60
    while not wanted.items() <= states.items() and time.monotonic() < end:
        engines = httpx.get(f"{url}/health", timeout=10).json()["components"][kind]["engines"]
        states = {engine["name"]: engine["state"] for engine in engines if not engine["helps"]}
        time.sleep(0.2)
    return states


def test_a_start_with_a_mirror_has_every_check_and_judge(clone, mirror, tmp_path_factory) -> None:
    root = tmp_path_factory.mktemp("started")
    start = Start(clone, root / "local", environment(root / "cache", FIDOX_WEIGHTS_MIRROR=mirror.url))
    with start as started:
        states = until(started["url"], "liveness", dict.fromkeys(CHECKS, "ready"))
        face_log = (root / "local" / "logs" / "face.log").read_text()
    assert states == dict.fromkeys(CHECKS, "ready")
    for check in CHECKS:
        assert any(line.startswith(f"  liveness check {check}: on, with ") for line in start.said)
    assert "judged without" not in face_log
    for judge in ("head pose", "face quality"):
        assert any(line.startswith(f"  {judge}: on, with ") for line in start.said)


def test_a_start_without_anything_says_what_to_do_and_runs_with_what_the_packages_carry(
    clone, tmp_path_factory
) -> None:
    root = tmp_path_factory.mktemp("alone")
    start = Start(clone, root / "local", environment(root / "cache"))
    with start as started:
        wanted = {"dlib": "ready", "applemango": "absent", "ezway": "absent"}
        states = until(started["url"], "face", wanted)
        checks = until(started["url"], "liveness", dict.fromkeys(CHECKS, "absent"))
    assert states == wanted
    assert checks == dict.fromkeys(CHECKS, "absent")
    off = [line for line in start.said if ": off, because " in line]
    assert len(off) >= len(FROM_MIRROR)
    assert all("`fidox weights import FILE`" in line and "FIDOX_WEIGHTS_MIRROR" in line for line in off)
