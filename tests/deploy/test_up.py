"""What `make run` shows and does: a line that works when it is pasted, downloads that stop nothing, a clean end."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.error import URLError

import psutil
import psycopg
import pytest
from rich.console import Console

from deploy.local.downloads import ready_weights
from deploy.local.folder import CHECKOUT
from deploy.local.system_packages import install_packages
from deploy.local.up import compare_line
from shared.settings import Settings, Weights
from shared.weights import Network, WeightStore
from shared.weights.requirements import Feature
from tests.support.ports import own_port

if TYPE_CHECKING:
    from collections.abc import Iterable
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


def offline(url: str, _timeout_s: float, _headers: object):
    raise URLError("no network")


def test_a_download_that_fails_is_said_and_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    settings = Settings(weights=Weights(cache=str(tmp_path)))
    store = WeightStore(settings.weights, mirror=None)
    ready_weights(settings, Console(file=io.StringIO()), said.append, store=store, network=Network(offline))
    assert said[0].startswith("Fetching weights: scrfd_500m, w600k_mbf, yunet_2023mar, ")
    (line,) = [line for line in said if "engine ezway" in line]
    assert line.startswith(
        "  faces by engine ezway: off, because not on this machine and not fetched (github.com cannot"
    )
    for way in ("FIDOX_WEIGHTS_MIRROR", "`fidox weights fetch scrfd_500m w600k_mbf`", "`fidox weights import FILE`"):
        assert way in line


def test_what_cannot_be_fetched_is_sought_in_the_systems_packages(tmp_path: Path) -> None:
    said: list[str] = []
    asked: list[str] = []

    def install(_store: object, names: Iterable[str], _say: object) -> list[str]:
        asked.extend(names)
        return ["scrfd_500m"]

    settings = Settings(weights=Weights(cache=str(tmp_path)))
    store = WeightStore(settings.weights, mirror=None)
    console = Console(file=io.StringIO())
    ready_weights(settings, console, said.append, store=store, network=Network(offline), install=install)
    assert said[0] == f"Fetching weights: {', '.join(asked)}"


@pytest.mark.parametrize(
    ("status", "line"),
    [(0, None), (100, "  tesseract-ocr-kor was not installed: E: Unable to locate package tesseract-ocr-kor")],
)
def test_a_package_is_installed_as_root_and_what_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, line: str | None
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho "E: Unable to locate package tesseract-ocr-kor" >&2\n'
        f"exit {status}\n"
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    store = WeightStore(Weights(cache=str(tmp_path)))
    said: list[str] = []
    for user, expected in (
        (1000, []),
        (0, ["Installing the system's package tesseract-ocr-kor", *filter(None, [line])]),
    ):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        install_packages(store, ["tesseract_kor", "scrfd_500m"], said.append)
        assert said == expected
    assert (tmp_path / "asked").read_text().split()[-1] == "tesseract-ocr-kor"


def test_every_feature_is_said_with_what_turns_it_on(tmp_path: Path) -> None:
    said: list[str] = []
    settings = Settings(weights=Weights(cache=str(tmp_path)))
    store = WeightStore(settings.weights, mirror=None)
    ready_weights(settings, Console(file=io.StringIO()), said.append, store=store, network=Network(offline))
    lines = said[said.index("What the weights on this machine turn on:") + 1 :]
    assert len(lines) == len(Feature)
    for line in lines:
        assert re.fullmatch(r"  [^:]+: (on, with .+|off, because .+; get it by: .+)", line)
    for check in ("photo", "deepfake", "mask"):
        assert any(line.startswith(f"  liveness check {check}: off, because ") for line in lines)


def test_nothing_is_fetched_where_another_weight_of_the_role_is_there() -> None:
    def never(*_args: object):
        pytest.fail("fetched")

    store = WeightStore(Weights())
    roles = {located.weight.role for weight in store.manifest.weight if (located := store.find(weight.name))}
    # These two are loaded only where they are there, or named.
    if not {weight.role for weight in store.manifest.weight} - {"ocr.orientation", "liveness.deepfake"} <= roles:
        pytest.skip("needs ../shared/models beside the checkout, and Tesseract's Korean network")
    said: list[str] = []
    ready_weights(Settings(), Console(file=io.StringIO()), said.append, store=store, network=Network(never))
    (off,) = (line for line in said if line.startswith("  ") and ": on, with " not in line)
    assert off.startswith("  faces by engine dlib: off, because FIDOX_ENGINES does not name dlib;")
    assert said[-1].startswith("non-commercial weights are in use: scrfd_")


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
