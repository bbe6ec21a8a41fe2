"""Small files of NAME=value lines that only their owner reads, and the signing secret in one of them.

A shell can source them: the values are made here, of letters, digits, `-`, `_`, `:` and `/` only, or are quoted.
"""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JWT_SECRETS = "FIDOX_JWT_SECRETS"


def read(path: Path) -> dict[str, str]:
    """The values of a file; nothing where there is no file, and no entry for a line that is none."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    lines = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): "".join(shlex.split(value)) for name, _, value in lines}


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace a file at once, readable by its owner alone from its first byte on."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def signing_secrets(path: Path) -> dict[str, str]:
    """The generated secrets of `path`; made at the first start, the same ever after, so that tokens stay valid."""
    values = read(path)
    if not values.get(JWT_SECRETS):
        # 256 bits, as HS256's hash is long (RFC 7518, section 3.2).
        values[JWT_SECRETS] = f"{secrets.token_hex(4)}:{secrets.token_urlsafe(32)}"
        write(path, values)
    return values
