"""`fidox doctor`: what is missing or wrong on this machine, and what to do about it.

ok     as it should be
warn   works, or works with less
fail   the product does not start or does not answer with it; exit status 1
"""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import psutil
import psycopg
import typer
from redis import Redis
from redis.exceptions import RedisError

from deploy.cli import common
from deploy.local import lock
from deploy.local.errors import LocalError, PortTakenError
from deploy.local.folder import DEFAULT_ROOT, Folder
from deploy.local.stack import free_port
from shared import keys
from shared.contracts import Kind
from shared.db.migrate import pending
from shared.settings import Settings, SettingsError
from shared.storage import StorageError, open_storage
from shared.weights import CHECK_ROLES, WeightsError, WeightStore
from shared.weights.ocr import NEEDED
from workers.runtime.supervisor import cores

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 1024**3
# A face process holds 300 to 500 MB, a liveness process 250 to 300, an OCR process 500, gateway and servers 300.
LEAST_MEMORY = 2 * GIB
LEAST_DISK = 2 * GIB
# HS256's hash is 32 bytes long; RFC 7518, section 3.2, asks for a key of at least that.
LEAST_SECRET = 32
CUDA = "CUDAExecutionProvider"


class State(StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """One line of the report; `todo` is empty where there is nothing to do."""

    state: State
    check: str
    detail: str
    todo: str = ""


def doctor(as_json: common.Json = False) -> None:
    """Check this machine: Python, hardware, ONNX Runtime, weights, database, Redis, workers, storage, port, secret."""
    findings = list(examine())
    rows = [(finding.state.value, finding.check, finding.detail) for finding in findings]
    if as_json:
        common.show([finding._asdict() for finding in findings], "", as_json=True)
    else:
        common.show_table(findings, ("", "check", "found"), rows, as_json=False)
        for finding in findings:
            if finding.todo:
                common.show(None, f"{finding.state} {finding.check}: {finding.todo}", as_json=False)
    if any(finding.state is State.FAIL for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Every check, in the order of the report."""
    yield _python()
    yield from _hardware()
    yield _onnx_runtime()
    try:
        settings = common.settings()
    except SettingsError as error:
        yield Finding(State.FAIL, "settings", str(error), "mend or unset that variable; the rest was not checked")
        return
    yield from _weights(settings)
    yield from _database(settings.database.url)
    yield from _redis(settings.queue.url)
    yield _storage(settings)
    yield _port(settings)
    yield _secret(settings)


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] in {(3, 11), (3, 12)}:
        return Finding(State.OK, "Python", version)
    return Finding(State.FAIL, "Python", version, "use Python 3.11 or 3.12")


def _hardware() -> Iterator[Finding]:
    count = cores()
    yield Finding(
        State.OK if count > 1 else State.WARN, "cores", str(count), "" if count > 1 else "two or more are better"
    )
    memory = psutil.virtual_memory()
    enough = memory.available >= LEAST_MEMORY
    yield Finding(
        State.OK if enough else State.WARN,
        "memory",
        f"{memory.available / GIB:.1f} GiB free of {memory.total / GIB:.1f}",
        "" if enough else "set FIDOX_FACE_PROCESSES=1, or free some",
    )
    free = shutil.disk_usage(DEFAULT_ROOT.parent).free
    enough = free >= LEAST_DISK
    yield Finding(
        State.OK if enough else State.WARN, "disk", f"{free / GIB:.1f} GiB free", "" if enough else "free some space"
    )


def _onnx_runtime() -> Finding:
    try:
        import onnxruntime
    except ImportError as error:
        return Finding(State.FAIL, "ONNX Runtime", str(error), "run `make run`, which installs it")
    providers = cast("list[str]", onnxruntime.get_available_providers())
    detail = f"{onnxruntime.__version__}, {', '.join(providers)}"
    if CUDA not in providers and Path("/dev/nvidia0").exists():
        todo = "there is a GPU that is not used; run `bash deploy/bootstrap.sh gpu`"
        return Finding(State.WARN, "ONNX Runtime", detail, todo)
    return Finding(State.OK, "ONNX Runtime", detail)


def _weights(settings: Settings) -> Iterator[Finding]:
    store = WeightStore(settings.weights)
    for role in dict.fromkeys(weight.role for weight in store.manifest.weight):
        present: list[str] = []
        wrong = ""
        for weight in store.manifest.of_role(role):
            try:
                present.append(store.locate(weight.name).weight.name)
            except WeightsError as error:
                wrong = wrong or (str(error) if "refused" in str(error) else "")
        if present:
            yield Finding(State.WARN if wrong else State.OK, f"weights {role}", ", ".join(present), wrong)
        else:
            todo = wrong or "run `fidox weights fetch`, or put the files of `fidox weights list` into FIDOX_WEIGHTS_DIR"
            # One engine is enough to answer, without the other there is nothing to fall back on; judges only help.
            off = next((f"the liveness check {check}" for check, roles in CHECK_ROLES.items() if role in roles), None)
            off = "reading ID cards" if role in NEEDED else off
            yield Finding(State.WARN, f"weights {role}", f"none: {off or 'what needs it'} is off", todo)


def _database(url: str) -> Iterator[Finding]:
    if not url:
        yield Finding(State.WARN, "database", "DATABASE_URL is unset", "`fidox up` starts one; elsewhere set it")
        return
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            vector = connection.execute(
                "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
            ).fetchone()
            version = connection.info.server_version // 10000
        left = asyncio.run(pending(url))
    except psycopg.Error as error:
        yield Finding(State.FAIL, "database", f"{error}".strip(), "start it, or mend DATABASE_URL")
        return
    yield Finding(State.OK, "database", f"PostgreSQL {version}")
    if vector is None:
        yield Finding(State.FAIL, "pgvector", "missing", "install the extension pgvector on the database server")
    else:
        yield Finding(State.OK, "pgvector", str(vector[0]))
    if left:
        yield Finding(State.FAIL, "migrations", f"pending: {', '.join(left)}", "run `fidox migrate`")
    else:
        yield Finding(State.OK, "migrations", "all applied")


def _redis(url: str) -> Iterator[Finding]:
    if not url:
        yield Finding(State.WARN, "Redis", "REDIS_URL is unset", "`fidox up` starts one; elsewhere set it")
        return
    try:
        client = Redis.from_url(url, socket_connect_timeout=3.0, socket_timeout=3.0)
        info = cast("dict[str, object]", client.info())
        seconds, micros = cast("tuple[int, int]", client.time())
        now_ms = seconds * 1000 + micros // 1000
        live = {kind: cast("int", client.zcount(keys.workers(kind), now_ms, "+inf")) for kind in Kind}
        client.close()
    except (RedisError, OSError, ValueError) as error:
        yield Finding(State.FAIL, "Redis", str(error), "start it, or mend REDIS_URL")
        return
    version = str(info.get("redis_version", "0"))
    major, minor = (int(part) for part in version.split(".")[:2])
    new_enough = (major, minor) >= (6, 2)
    yield Finding(
        State.OK if new_enough else State.FAIL, "Redis", version, "" if new_enough else "6.2 or newer is needed"
    )
    policy = str(info.get("maxmemory_policy", "unknown"))
    todo = (
        ""
        if policy == "noeviction"
        else "set maxmemory-policy noeviction: a full Redis must refuse jobs, not drop them"
    )
    yield Finding(State.WARN if todo else State.OK, "Redis maxmemory-policy", policy, todo)
    missing = [kind for kind in Kind if not live[kind]]
    todo = "; ".join(f"no {kind} worker runs: `fidox up`, or `python -m workers.{kind}`" for kind in missing)
    yield Finding(
        State.WARN if missing else State.OK,
        "workers",
        ", ".join(f"{kind} {count}" for kind, count in live.items()),
        todo,
    )


def _storage(settings: Settings) -> Finding:
    async def place() -> str | None:
        storage = open_storage(settings.storage)
        if storage is None:
            return None
        await storage.check()
        return "S3" if storage.signs_links else "a folder"

    try:
        found = asyncio.run(place())
    except SettingsError as error:
        return Finding(State.FAIL, "storage", "no place", str(error))
    except StorageError as error:
        todo = "see that it is there, and that the credentials may put, get, delete and list (docs/xylolabs-api.md)"
        return Finding(State.FAIL, "storage", str(error), todo)
    return Finding(State.OK, "storage", found or "off: no pictures are kept")


def _port(settings: Settings) -> Finding:
    port = settings.http.port
    if holder := lock.running(Folder(DEFAULT_ROOT)):
        return Finding(State.OK, "port", f"`fidox up` runs in this checkout (process {holder})")
    try:
        free_port(settings.http.host, port)
    except PortTakenError:
        return Finding(State.WARN, "port", f"{port} is taken", f"choose another for the gateway: PORT={port + 1}")
    except LocalError as error:
        return Finding(State.FAIL, "port", str(error), "choose another PORT or FIDOX_HOST")
    return Finding(State.OK, "port", f"{port} is free")


def _secret(settings: Settings) -> Finding:
    name = "FIDOX_JWT_SECRETS"
    entries = settings.auth.jwt_secrets
    if not entries:
        return Finding(State.WARN, name, "unset", f"`fidox up` makes one; elsewhere set {name}=kid:secret")
    short = [entry for entry in entries if len(entry.partition(":")[2]) < LEAST_SECRET]
    if short:
        todo = f"every one is kid:secret with at least {LEAST_SECRET} characters of secret"
        return Finding(State.FAIL, name, f"{len(short)} of {len(entries)} is too short or has no kid", todo)
    return Finding(State.OK, name, f"{len(entries)} set")
