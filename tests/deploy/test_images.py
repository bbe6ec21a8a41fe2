"""The Dockerfiles: what can be shown of them without a container engine."""

import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.drift.dockerfile import problems
from tests.support.images import IMPORTS, install
from tests.support.manifests import FOLDER, ROOT, dockerfiles, program
from tests.support.ports import own_port
from tests.support.waiting import until

ROLES = ("gateway", "worker-cpu", "worker-gpu")
LOCKS = ROOT / "deploy" / "locks"
Lines = list[tuple[str, str]]


def test_there_is_one_for_each_role():
    assert tuple(dockerfiles()) == ROLES


@pytest.mark.parametrize("role", ROLES)
def test_the_linter_finds_nothing(role):
    command = [program("hadolint"), "--config", FOLDER / "hadolint.yaml", FOLDER / f"{role}.Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("role", ROLES)
def test_dockerfile_and_code_say_the_same(role):
    assert problems(role, dockerfiles()[role]) == []


def _replaced(word: str, old: str, new: str) -> Callable[[Lines], Lines]:
    def change(lines: Lines) -> Lines:
        changed = [(one, rest.replace(old, new) if one == word else rest) for one, rest in lines]
        assert changed != lines
        return changed

    return change


CHANGES = {
    "a setting's name": (_replaced("ENV", "FIDOX_READY_FILE", "FIDOX_READY"), "no setting is called FIDOX_READY"),
    "a setting's value": (_replaced("ENV", "=9464", "=none"), "FIDOX_METRICS_PORT"),
    "a port": (_replaced("EXPOSE", "9464", "9465"), "exposes 9465, listens on ['9464']"),
    "a module": (_replaced("CMD", "workers.face", "worker.face"), "there is no module worker.face"),
    "root": (_replaced("USER", "10001:10001", "root"), "runs as root"),
    "a name": (_replaced("USER", "10001:10001", "fidox:fidox"), "not as a user by number"),
    "no hashes": (_replaced("RUN", "--require-hashes ", ""), "nobody has the hash of"),
    "a lock": (_replaced("COPY", "worker-cpu.txt", "cpu-worker.txt"), "cpu-worker.txt, which is not there"),
    "a secret": (_replaced("ARG", "PYTHON_DIGEST=", "API_KEY=x"), "ARG holds a secret"),
    "another probe": (_replaced("HEALTHCHECK", "-0.25", "-5"), "does not look at the file of the supervisor"),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES)
def test_a_change_on_one_side_is_told(change, told):
    assert told in "\n".join(problems("worker-cpu", change(dockerfiles()["worker-cpu"])))


@pytest.mark.parametrize("role", ROLES)
def test_nothing_but_what_is_copied_is_sent_to_the_builder(role):
    """No .git, no .venv, no folder of `make run` with its keys, and no filled-in .env."""
    everything, *lines = [
        line
        for line in (FOLDER / f"{role}.Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line and line[0] != "#"
    ]
    assert everything == "*"
    let_in = {line[1:] for line in lines if line[0] == "!"}
    copied = {
        source.split("/")[0]
        for word, rest in dockerfiles()[role]
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert let_in == copied
    assert {"**/.env", "**/__pycache__"} <= set(lines)


@pytest.mark.parametrize("role", ROLES)
def test_lock_and_project_say_the_same(role):
    """Every requirement of the role is locked, in a version that it allows, and in the one that `make run` has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"][role]]
    locked, dev = _locked(role), _locked("gpu" if role == "worker-gpu" else "cpu")
    while wanted:
        requirement = Requirement(wanted.pop())
        if requirement.name == "fidox":
            wanted += [line for extra in requirement.extras for line in project["optional-dependencies"][extra]]
        else:
            assert requirement.specifier.contains(locked[requirement.name])
    assert {name: version for name, version in locked.items() if dev[name] != version} == {}


def _locked(kind: str) -> dict[str, Version]:
    lines = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", (LOCKS / f"{kind}.txt").read_text("utf-8"), re.MULTILINE)
    return {name: Version(version) for name, version in lines}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the gateway's image, installed as its Dockerfile says, with no other package in reach."""
    return install("gateway", tmp_path_factory.mktemp("image"), quick=True)


def test_the_gateways_image_answers(gateway, stack, tmp_path):
    """Its own command, from an empty folder, beside the stack's servers; and it writes nothing to its own."""
    root = gateway.parents[1]
    before = _files(root)
    port = own_port()
    environment = {
        name: value for name, value in stack.environment.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    environment |= {"PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path), "FIDOX_METRICS_PORT": "0"}
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [gateway, "-m", "gateway"], env=environment, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: _status(port, "/health/ready") == 200)
        for path in ("/", "/docs", "/openapi.json", "/admin/login"):
            assert _status(port, path) == 200, path
    finally:
        running.terminate()
        assert running.wait(60) == 0
    assert _files(root) == before


def test_the_gateways_image_has_the_command_line_and_no_image_library(gateway, stack, tmp_path):
    done = subprocess.run(
        [gateway.with_name("fidox"), "migrate", "--check"],
        env=stack.environment | {"HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "nothing to do"), done.stderr
    for library in ("numpy", "PIL", "onnxruntime", IMPORTS["gateway"][1]):
        assert subprocess.run([gateway, "-c", f"import {library}"], check=False, capture_output=True).returncode == 1


def _status(port: int, path: str) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60).status_code
    except httpx.TransportError:
        return 0


def _files(root: Path) -> dict[str, int]:
    return {os.path.relpath(path, root): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
