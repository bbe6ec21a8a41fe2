"""The names that everything deployed shares with the code: settings, commands, how long a stop takes."""

from __future__ import annotations

import importlib.util
import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from deploy.cli.app import app as cli
from gateway import __main__ as gateway_main
from gateway import health
from shared.settings import Settings, SettingsError, variables
from workers.runtime import supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not the product's: what the runtime, the drivers, the libraries and the servers beside it read.
OTHERS = re.compile(
    r"(HOME|PATH|WANTED|PYTHON\w+|PIP_\w+|NVIDIA_\w+|OTEL_\w+|POSTGRES_\w+|PGDATA|REDIS_PASSWORD|RCLONE_\w+|XDG_\w+|GF_\w+)"
)
DECLARED = frozenset(variable.name for variable in variables())
HTTP_PATHS = frozenset(path for handler in (health.live, health.ready) for path in handler.paths)
CLI = typer.main.get_command(cli)
PROBE = 'test -n "$(find "$FIDOX_READY_FILE" -mmin -0.25 2>/dev/null)"'
# Alive, and in touch with Redis.
READINESS_PROBE = PROBE.replace(" -mmin", " -empty -mmin")


# What a program takes to end, in seconds, by the last word of its command.
STOP_S = {
    "gateway": gateway_main.STOP_S,
    **dict.fromkeys(("workers.face", "workers.liveness", "workers.ocr"), supervisor.STOP_S),
}


def unknown_names(where: str, env: dict[str, str]) -> Iterator[str]:
    """Every variable is one that shared/settings.py declares, and has a value that it takes."""
    for name in env:
        if name not in DECLARED and OTHERS.fullmatch(name) is None:
            yield f"{where}: no setting is called {name}"
    if isinstance(read := settings_of(env), SettingsError):
        yield f"{where}: {read}"


def settings_of(env: dict[str, str]) -> Settings | SettingsError:
    """The settings that a program would have, or what it would end with."""
    return _read(tuple(sorted((name, value) for name, value in env.items() if name in DECLARED)))


@cache
def _read(env: tuple[tuple[str, str], ...]) -> Settings | SettingsError:
    try:
        return Settings.from_env(dict(env))
    except SettingsError as error:
        return error


def unknown_commands(where: str, command: list[str]) -> Iterator[str]:
    """Every `python -m` names a module that is there, every `fidox` a command that is there with its options."""
    words = [word for word in command if word not in {"tini", "--", "exec"}]
    if words[:2] == ["sh", "-c"]:
        for part in re.split(r"&&|\|\||;|\bdo\b|\buntil\b", words[2]):
            yield from unknown_commands(where, shlex.split(part))
    elif words[:2] == ["python", "-m"]:
        if not _runs(words[2]):
            yield f"{where}: there is no module {words[2]}"
    elif words[:1] == ["fidox"]:
        yield from _unknown_fidox(where, words[1:])


def _runs(module: str) -> bool:
    try:
        return importlib.util.find_spec(f"{module}.__main__") is not None
    except ModuleNotFoundError:
        return False


def _unknown_fidox(where: str, words: list[str]) -> Iterator[str]:
    found: Any = CLI
    while hasattr(found, "commands"):
        word = words.pop(0) if words else ""
        if word not in found.commands:
            yield f"{where}: `fidox` has no command {word}"
            return
        found = found.commands[word]
    options = {option for parameter in found.params for option in parameter.opts}
    yield from (f"{where}: {found.name} has no option {one}" for one in words if one[0] == "-" and one not in options)
