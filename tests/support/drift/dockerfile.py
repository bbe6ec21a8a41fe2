"""Dockerfiles, as `manifests.dockerfiles` reads them, against the code."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from tests.support.drift.common import HTTP_PATHS, PROBE, unknown_commands, unknown_names
from tests.support.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


def problems(role: str, instructions: list[tuple[str, str]]) -> list[str]:
    """Every line of every rule."""
    first = max(index for index, (word, _) in enumerate(instructions) if word == "FROM")
    lines = [] if first else [f"{role}: keeps what it was built with"]
    return [*lines, *_last_stage(role, instructions[first:]), *_every_stage(role, instructions)]


def _last_stage(role: str, instructions: list[tuple[str, str]]) -> Iterator[str]:
    said = {word: rest for word, rest in instructions if word != "RUN"}
    env = dict(pair.split("=", 1) for word, rest in instructions if word == "ENV" for pair in shlex.split(rest))
    yield from unknown_names(role, env)
    yield from (f"{role}: has no {word}" for word in ("HEALTHCHECK", "ENTRYPOINT", "CMD", "USER") if word not in said)
    yield from unknown_commands(role, json.loads(said["CMD"]))
    listens = [env[name] for name in ("PORT", "FIDOX_METRICS_PORT") if name in env]
    if said.get("EXPOSE", "").split() != listens:
        yield f"{role}: exposes {said.get('EXPOSE')}, listens on {listens}"
    if re.fullmatch(r"[1-9]\d*:[1-9]\d*", said.get("USER", "")) is None:
        yield f"{role}: runs as {said.get('USER', 'root')}, not as a user by number"
    yield from (
        f"{role}: {word} goes through a shell, which hands no signal on"
        for word in ("ENTRYPOINT", "CMD")
        if not said.get(word, "").startswith("[")
    )
    check = said.get("HEALTHCHECK", "").partition("CMD ")[2]
    if role == "gateway" and not any(path in check for path in HTTP_PATHS):
        yield f"{role}: its health check asks for what the gateway does not have"
    if role != "gateway" and json.loads(check) != ["sh", "-c", PROBE]:
        yield f"{role}: its health check does not look at the file of the supervisor"


def _every_stage(role: str, instructions: list[tuple[str, str]]) -> Iterator[str]:
    for word, rest in instructions:
        if word in {"ARG", "ENV"} and re.search(r"SECRET|PASSWORD|TOKEN|_KEY", rest):
            yield f"{role}: {word} holds a secret: {rest}"
        if word == "COPY" and not rest.startswith("--from"):
            absent = [source for source in rest.split()[:-1] if not (ROOT / source).exists()]
            yield from (f"{role}: copies {source}, which is not there" for source in absent)
        if word == "RUN" and rest.count("--require-hashes") != rest.count("-r deploy/locks/"):
            yield f"{role}: installs what nobody has the hash of"
