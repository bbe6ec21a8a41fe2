"""An image without a container engine: the first stage of a Dockerfile, carried out line by line in an empty folder.

    python -m tests.support.images [ROLE …]     what `make images` does

RUN, COPY, ENV and WORKDIR mean what they mean to Docker, but that every absolute path of the stage lies under a folder
of one's own, and that `python` is this one. So it is the Dockerfile's own lines that install, from the same locks. What
needs the base itself (apt-get) is for others to show.

Pip takes twenty seconds of a core for the gateway, so the tests have uv do the same: `quick`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.manifests import ROOT, dockerfiles

# The folders that the build stages write to.
PLACES = re.compile(r"(?<![\w.])/(opt|src|dist)\b")
# A module that each kind of program comes to import, and one that must not be in the image.
IMPORTS = {"gateway": ("gateway.serve", "cv2"), "worker-cpu": ("workers.ocr.tasks", "litestar")}


# The same with uv, which takes a second: the same files by the same hashes, into as empty an environment.
QUICK = (
    (r"\S+ -m venv (\S+)", r"uv venv --quiet --python {base} \1"),
    (r"(\S+)/bin/pip install", r"uv pip install --quiet --python \1/bin/python"),
    (r"(\S+)/bin/pip wheel .*--wheel-dir (\S+) \.", r"uv build --quiet --wheel {isolated} \1/bin/python --out-dir \2"),
    (r"&& \S+/bin/pip uninstall .*", ""),
)


def install(role: str, folder: Path, *, quick: bool = False) -> Path:
    """Carry out the stage `build` of a role. The Python of its environment; raises CalledProcessError."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("FIDOX", "PYTHON", "VIRTUAL"))
    }
    place = folder
    stage = ""
    for word, rest in dockerfiles()[role]:
        here = PLACES.sub(rf"{folder}/\1", rest)
        if word == "FROM":
            stage = rest.partition(" AS ")[2]
        elif stage != "build":
            continue
        elif word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "WORKDIR":
            place = Path(here)
            place.mkdir(parents=True)
        elif word == "COPY":
            _copy(here.split(), place)
        elif word == "RUN":
            _run(here, place, environment, quick=quick)
    return folder / "opt" / "fidox" / "bin" / "python"


def _copy(words: list[str], place: Path) -> None:
    *sources, target = words
    # What is not code stays out, as the .dockerignore beside it says.
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".env", "*.env")
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place / target, ignore=ignored, dirs_exist_ok=True)
        else:
            end = place / target / Path(source).name if target.endswith("/") else place / target
            end.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, end)


def _run(line: str, place: Path, environment: dict[str, str], *, quick: bool) -> None:
    # The base's own Python, which is outside of every environment.
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    line = re.sub(r"(?<![\w/])python -m venv", f"{base} -m venv", line)
    if quick:
        uv = Path(sys.executable).with_name("uv")
        isolated = "--no-build-isolation --no-index --python"
        for old, new in QUICK:
            line = re.sub(old, new.replace("uv ", f"{uv} ").format(base=base, isolated=isolated), line)
    subprocess.run(["sh", "-ec", line], cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL)


def main(roles: list[str]) -> None:
    """Install each role into an empty folder, and start what is there."""
    for role in roles or list(IMPORTS):
        with tempfile.TemporaryDirectory() as folder:
            python = install(role, Path(folder))
            wanted, foreign = IMPORTS[role]
            subprocess.run([python, "-c", f"import {wanted}"], cwd=folder, check=True)
            absent = subprocess.run([python, "-c", f"import {foreign}"], cwd=folder, check=False, capture_output=True)
            if absent.returncode == 0:
                sys.exit(f"{role}: has {foreign}, which it has no use for")
            subprocess.run([python.with_name("fidox"), "migrate", "--help"], check=True, stdout=subprocess.DEVNULL)
            size = sum(path.stat().st_size for path in Path(folder, "opt", "fidox").rglob("*") if path.is_file())
            print(f"{role}: installed from its lock and started; {size >> 20} MB of packages")


if __name__ == "__main__":
    main(sys.argv[1:])
