"""Weights that a package of the operating system carries: installed where that may be done, as root with apt-get."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.local.supervisor import Say
    from shared.weights import WeightStore

# A mirror that does not answer must not hold up a start for longer.
LIMIT_S = 90.0


def install_packages(store: WeightStore, names: Iterable[str], say: Say) -> list[str]:
    """Install the packages of the weights of these names that have one, and return the weights that are here now.

    What it may not do it leaves; what fails is said in one line and stops nothing.
    """
    weights = [store.manifest.named(name) for name in names]
    packaged = {weight.name: weight.system.partition(":")[0] for weight in weights if weight.system}
    if not packaged or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return []
    found: list[str] = []
    for name, package in packaged.items():
        say(f"Installing the system's package {package}")
        if (error := _apt_get(package)) is not None:
            say(f"  {package} was not installed: {error}")
        elif store.find(name) is not None:
            found.append(name)
    return found


def _apt_get(package: str) -> str | None:
    """Install a package; what went wrong, in a line, or None."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ("apt-get", "install", "-q", "-y", "--no-install-recommends", package)
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
