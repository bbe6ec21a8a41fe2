"""What customers generate from /openapi.json works as it comes: Python and TypeScript, from enrolment to deletion.

The programs beside this file are what a customer would write; both must be told the same.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import need_program

HERE = Path(__file__).parent
# Beside this Python, wherever the environment lies.
GENERATOR = Path(sys.executable).parent / "openapi-generator-cli"
TOLD = {
    "registered": "00000",
    "verified": [True, 0.7],
    "identified": ["han/soo@예 1", "Han Soo"],
    "deleted": True,
    "then": [400, "FR003"],
}


def ran(*command: str | Path, **more) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **more)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def generate(stack, tmp_path_factory):
    """generate(language) gives a folder with its client."""
    need_program("java")
    folder = tmp_path_factory.mktemp("clients")
    document = folder / "openapi.json"
    document.write_text(httpx.get(f"{stack.base_url}/openapi.json", timeout=60).text)

    def make(language: str, name: str, *options: str) -> Path:
        parts = "apis,models,supportingFiles,apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"
        where = ("-g", language, "-i", document, "-o", folder / name)
        ran(GENERATOR, "generate", *where, "--global-property", parts, *options)
        return folder / name

    return make


@pytest.fixture(scope="session")
def python_client(generate) -> Path:
    return generate("python", "python", "--package-name", "fidox_client")


@pytest.fixture(scope="session")
def typescript_program(generate) -> Path:
    """The program with its client, type-checked and compiled."""
    tsc, folder = need_program("tsc"), generate("typescript-fetch", "typescript/client").parent
    program = shutil.copy(HERE / "round_trip.ts", folder)
    # Not --strict: what the generator writes passes it with TypeScript 4.9 and newer, and Debian 12 has 4.8.
    language = ("--strictNullChecks", "--target", "es2020", "--lib", "es2020,dom")
    modules = ("--module", "commonjs", "--moduleResolution", "node")
    ran(tsc, *language, *modules, "--outDir", folder / "built", program)
    return folder / "built" / "round_trip.js"


@pytest.fixture
def environment(stack, tenant) -> dict[str, str]:
    return os.environ | {
        "BASE_URL": stack.base_url,
        "ACCESS_KEY": tenant.access_key,
        "SECRET_KEY": tenant.secret_key,
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture
def photos(people) -> list[Path]:
    return [people / "obama" / "obama.jpg", people / "obama" / "obama2.jpg"]


def test_the_python_client(python_client, environment, photos):
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(python_client), os.environ.get("PYTHONPATH"))))
    told = ran(sys.executable, "-W", "error", HERE / "round_trip.py", *photos, env=environment)
    assert json.loads(told) == TOLD


def test_the_typescript_client(typescript_program, environment, photos):
    told = ran(need_program("node"), typescript_program, *photos, env=environment)
    assert json.loads(told) == TOLD
