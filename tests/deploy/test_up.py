"""What `make run` shows and does: a line that works when it is pasted, downloads that stop nothing, a clean end."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from rich.console import Console

from deploy.local import downloads
from deploy.local.folder import CHECKOUT
from deploy.local.up import compare_line
from shared.settings import Settings, Weights
from shared.weights import OfflineError, WeightStore
from tests.support.ports import own_port

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.stack import LocalStack


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_printed_line_compares_two_photos(stack: LocalStack, people: Path, shell: str) -> None:
    photos = [str(people / "obama" / name) for name in ("obama.jpg", "obama2.jpg")]
    line = compare_line(stack.base_url, str(stack.folder.demo), photos)
    done = subprocess.run([shell, "-c", line], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["success"] is True
    assert answer["matched"] is True
    assert done.stderr == ""


def test_the_demo_keys_are_exactly_the_documented_ones(stack: LocalStack) -> None:
    assert list(stack.demo) == ["ACCESS_KEY", "SECRET_KEY", "API_KEY", "ADMIN_USERNAME", "ADMIN_PASSWORD"]
    assert stat.S_IMODE(stack.folder.demo.stat().st_mode) == 0o600
    with psycopg.connect(stack.database_url) as connection:
        plan = connection.execute("SELECT calls_per_minute FROM tenants WHERE name = 'demo'").fetchone()
        stored = connection.execute("SELECT secret_hash FROM access_keys").fetchall()
    assert plan == (6000,)
    assert all(row[0].startswith("$argon2id$") for row in stored)


def test_a_download_that_fails_is_said_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_args, **_more):
        raise OfflineError("scrfd_500m: the server cannot be reached")

    monkeypatch.setattr(downloads, "fetch", offline)
    said: list[str] = []
    store = WeightStore(Weights(cache=str(tmp_path)), mirror=None)
    downloads.ready_weights(Settings(), Console(file=io.StringIO()), said.append, store=store)
    complaints = [line for line in said if "engine ezway is off" in line]
    assert len(complaints) == 2
    assert all("fidox weights fetch" in line for line in complaints)


def test_nothing_is_fetched_where_another_weight_of_the_role_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args, **_more):
        pytest.fail("fetched")

    monkeypatch.setattr(downloads, "fetch", never)
    store = WeightStore(Weights())
    roles = {located.weight.role for weight in store.manifest.weight if (located := store.find(weight.name))}
    if not {"face.detector", "face.recogniser"} <= roles:
        pytest.skip("needs a detector and a recogniser on this machine")
    said: list[str] = []
    downloads.ready_weights(Settings(), Console(file=io.StringIO()), said.append, store=store)
    assert len(said) == 2


def test_a_check_without_weights_is_said_and_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    downloads.ready_checks(Settings(), said.append, store=WeightStore(Weights(cache=str(tmp_path)), mirror=None))
    for check in ("photo", "deepfake", "mask"):
        assert any(line.startswith(f"Liveness check {check} is off: no ") for line in said)
    assert said[-1].startswith("Liveness checks: none")


def test_without_weights_for_reading_cards_that_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_args, **_more):
        raise OfflineError("the server cannot be reached")

    monkeypatch.setattr(downloads, "fetch", offline)
    said: list[str] = []
    store = WeightStore(Weights(cache=str(tmp_path)), mirror=None)
    downloads.ready_reader(Settings(), Console(file=io.StringIO()), said.append, store=store)
    assert said[-1].startswith("ID cards cannot be read: ")
    assert "fidox weights fetch" in said[-1]


def test_a_second_start_has_the_same_data_and_a_signal_ends_it_all(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from deploy.local.up import up; up(Path(sys.argv[1]), as_json=True)"
    demos: list[str] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        port = own_port()
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "local")],
            cwd=CHECKOUT,
            env={**os.environ, "PORT": str(port), "FIDOX_FACE_PROCESSES": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started = json.loads(child.stdout.readline())
        demos.append((tmp_path / "local" / "demo.env").read_text())
        child.send_signal(number)
        _, stderr = child.communicate(timeout=120)
        assert child.returncode == 0, stderr
        order = [line.split()[1] for line in stderr.splitlines() if line.startswith("Stopping")]
        assert order[:4] == ["gateway", "ocr", "liveness", "face"]
        assert set(order[4:]) == {"redis", "postgres"}
        assert not any(psutil.pid_exists(pid) for pid in started["processes"].values())
    assert demos[0] == demos[1]
