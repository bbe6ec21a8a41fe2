"""The compose file, as `docker compose config --format json` gives it, against the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.contracts import Kind
from tests.support.drift.common import STOP_S, unknown_commands, unknown_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.manifests import Document


def problems(config: Document) -> list[str]:
    """Every line of every rule."""
    lines = [line for name, service in config["services"].items() for line in _service(config, name, service)]
    if "--maxmemory-policy noeviction" not in " ".join(config["services"]["redis"]["command"]):
        lines.append("redis: may throw jobs away")
    text = json.dumps(config["services"])
    return lines + [f"{kind} is done by nobody" for kind in Kind if f'"workers.{kind}"' not in text]


def _service(config: Document, name: str, service: dict[str, Any]) -> Iterator[str]:
    env = {key: value or "" for key, value in (service.get("environment") or {}).items()}
    command: list[str] = service.get("command") or []
    if service["image"].startswith("fidox-"):
        yield from unknown_names(name, env)
        yield from unknown_commands(name, command)
    yield from _hardening(name, service)
    yield from _ports(name, service, env)
    for volume in service.get("volumes", ()):
        if volume["type"] == "bind" and not Path(volume["source"]).exists():
            yield f"{name}: mounts {volume['source']}, which is not there"
    yield from (f"{name}: waits for {one}" for one in service.get("depends_on", {}) if one not in config["services"])
    program = command[-1] if command[:2] == ["python", "-m"] else ""
    if program and _seconds(service.get("stop_grace_period", "10s")) <= STOP_S.get(program, 0):
        yield f"{name}: is killed after {service.get('stop_grace_period')}, its stop takes {STOP_S[program]} s"
    if program.startswith("workers.") and f"FIDOX_{program.partition('.')[2].upper()}_PROCESSES" not in env:
        yield f"{name}: would start a process for each core of the host"


def _ports(name: str, service: dict[str, Any], env: dict[str, str]) -> Iterator[str]:
    for port in service.get("ports", ()):
        if name == "gateway" and str(port["target"]) != env["PORT"]:
            yield f"{name}: publishes {port['target']}, it listens on {env['PORT']}"
        if name != "gateway" and port.get("host_ip") != "127.0.0.1":
            yield f"{name}: is published beyond this machine"


def _hardening(name: str, service: dict[str, Any]) -> Iterator[str]:
    one_shot = service.get("restart") in {"no", "on-failure:5"}
    ours = service["image"].startswith("fidox-")
    wanted = {
        "writes to its root": service.get("read_only") is True,
        "keeps capabilities": service.get("cap_drop") == ["ALL"],
        "may become root": "no-new-privileges:true" in service.get("security_opt", ()),
        "has no limits": {"cpus", "memory", "pids"} <= service["deploy"]["resources"]["limits"].keys(),
        "has no health check": one_shot or ours or "healthcheck" in service,
        "takes whatever version there is": ours or not re.search(r":latest$|^[^:]+$", service["image"]),
    }
    yield from (f"{name}: {what}" for what, fine in wanted.items() if not fine)


def _seconds(text: str) -> float:
    minutes, seconds = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text).groups(default="0")
    return 60 * int(minutes) + int(seconds)
