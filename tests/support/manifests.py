"""What is deployed, as data: the overlays of k8s/ as kustomize builds them, the compose file as Compose reads it.

Neither a cluster nor a container engine is asked: kubectl and docker-compose are programs in wheels, and both commands
only read files.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = ("cpu", "gpu", "production")
FOLDER = ROOT / "deploy" / "docker"
COMPOSE = ROOT / "deploy" / "compose.yaml"
# What an operator has to give; the values are of no matter where nothing is started.
GIVEN = {
    "POSTGRES_PASSWORD": "postgres-secret",
    "REDIS_PASSWORD": "redis-secret",
    "S3_ACCESS_KEY": "access-key-of-16",
    "S3_SECRET_KEY": "secret-key-of-the-s3-server",
    "GRAFANA_PASSWORD": "grafana-secret",
    "FIDOX_JWT_SECRETS": "main:" + "0" * 64,
}

Document: TypeAlias = dict[str, Any]


def program(name: str) -> str:
    """A program that a wheel of the dev lock brings, or a skip that names it."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"needs the program {name}, whose wheel is for Linux on x86-64 alone")
    return str(path)


@cache
def _built(overlay: str) -> bytes:
    command = [program("kubectl"), "kustomize", str(ROOT / "k8s" / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    # Pickled, since each test gets a copy to change: ten times as quick as reading the YAML again.
    return pickle.dumps(list(yaml.load_all(done.stdout, yaml.CSafeLoader)))


def built(overlay: str) -> list[Document]:
    """Every document of an overlay; a copy of one's own."""
    return pickle.loads(_built(overlay))


def compose_config(*arguments: str, file: Path = COMPOSE, given: dict[str, str] = GIVEN) -> subprocess.CompletedProcess:
    """`docker compose config`, which reads and checks the file as `up` would, with nothing but `given` around it."""
    command = [program("docker-compose"), "--file", str(file), "--profile", "*", "config", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **given}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


@cache
def _composed() -> str:
    done = compose_config("--format", "json")
    assert done.returncode == 0, done.stderr
    return done.stdout


def composed() -> Document:
    """The compose file as Compose understands it; a copy of one's own."""
    return json.loads(_composed())


def dockerfiles() -> dict[str, list[tuple[str, str]]]:
    """By role, its instructions and what follows each: continued lines joined, comments left out."""
    return {path.name.removesuffix(".Dockerfile"): _instructions(path) for path in sorted(FOLDER.glob("*.Dockerfile"))}


def _instructions(path: Path) -> list[tuple[str, str]]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word.upper(), rest.strip())
        for line in joined.splitlines()
        if line.strip()
        for word, _, rest in [line.partition(" ")]
    ]
