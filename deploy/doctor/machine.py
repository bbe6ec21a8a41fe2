"""This machine: Python, cores, memory, disk, open files, networks, weights, ports, secrets."""

from __future__ import annotations

import platform
import resource
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil

from deploy.doctor.finding import Finding, State, judged
from deploy.local import lock
from deploy.local.errors import LocalError, PortTakenError
from deploy.local.folder import DEFAULT_ROOT, Folder
from deploy.local.stack import free_port
from shared.weights import WeightsError, WeightStore, WrongHashError
from shared.weights.cautions import BETTER, caution
from shared.weights.features import features
from workers.runtime.supervisor import cores, gpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.settings import Settings

GIB = 1024**3
# A face process holds 400 to 500 MB, a liveness process 350 to 430, an OCR process 600 to 800, gateway and servers 300;
# on two cores there are two, one and one of them.
LEAST_MEMORY = 2.5 * GIB
LEAST_DISK = 2 * GIB
# A gateway process takes 512 connections (gateway/__main__.py), and has some of its own.
LEAST_FILES = 1024
# HS256's hash is 32 bytes long; RFC 7518, section 3.2, asks for a key of at least that.
LEAST_SECRET = 32
# Random ones of that length have far more different characters: fewer are a word, or one key held down.
LEAST_VARIETY = 12


def examine() -> Iterator[Finding]:
    """What needs no settings."""
    version = platform.python_version()
    todo = "" if sys.version_info[:2] in {(3, 11), (3, 12)} else "use Python 3.11 or 3.12"
    yield judged("Python", version, todo, bad=State.FAIL)
    count = cores()
    yield judged("cores", str(count), "" if count > 1 else "two or more are better")
    memory = psutil.virtual_memory()
    todo = "" if memory.available >= LEAST_MEMORY else "set FIDOX_FACE_PROCESSES=1, or free some"
    yield judged("memory", f"{memory.available / GIB:.1f} GiB free of {memory.total / GIB:.1f}", todo)
    free = shutil.disk_usage(DEFAULT_ROOT.parent).free
    yield judged("disk", f"{free / GIB:.1f} GiB free", "" if free >= LEAST_DISK else "free some space")
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = files not in {-1, resource.RLIM_INFINITY} and files < LEAST_FILES
    todo = f"raise it to {LEAST_FILES} or more: ulimit -n, LimitNOFILE=" if few else ""
    yield judged("open files", "unlimited" if files in {-1, resource.RLIM_INFINITY} else str(files), todo)


def networks(settings: Settings) -> Iterator[Finding]:
    """What networks would run on, and how exactly they would compute."""
    try:
        from workers.inference import gpu, onnx, sessions  # noqa: PLC0415 — a machine without them is what this looks for
    except ImportError as error:
        yield Finding(State.FAIL, "networks", str(error), "run `make run`, which installs what they run on")
        return
    if sessions.uses_openvino(settings.inference):
        from workers.inference import openvino  # noqa: PLC0415 — not on every platform

        precision = openvino.precision_for(settings.inference.precision, exact=False)
        yield Finding(State.OK, "networks on the CPU", f"{openvino.RUNTIME}, {precision}")
    else:
        todo = "install OpenVINO, which is faster: `make run` does, where it has a package"
        yield judged("networks on the CPU", onnx.RUNTIME, "" if settings.inference.runtime == "onnxruntime" else todo)
    asked = settings.inference.gpu
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        todo = "FIDOX_GPU=required: see that the driver is installed" if asked == "required" else ""
        yield judged("GPU", "none", todo, bad=State.FAIL)
    elif not gpus(settings.inference):
        todo = "" if asked == "off" else "there is a GPU that is not used; run `bash deploy/bootstrap.sh gpu`"
        yield judged("GPU", "not used", todo, bad=State.FAIL if asked == "required" else State.WARN)
    elif error := gpu.cuda_error():
        goes_on = asked == "optional"
        todo = "networks run on the CPU; see that the NVIDIA driver is installed" if goes_on else gpu.GO_ON
        yield Finding(State.WARN if goes_on else State.FAIL, "GPU", f"CUDA does not start: {error}", todo)
    else:
        yield Finding(State.OK, "GPU", f"{gpus(settings.inference)}, {onnx.RUNTIME} with CUDA")


def weights(settings: Settings) -> Iterator[Finding]:
    """What the weights of this machine turn on, files that are not what they should be, and closed licences."""
    store = WeightStore(settings.weights)
    states = features(store, settings, gpu=gpus(settings.inference) > 0)
    for state in states:
        if state.on:
            against = caution(state.weights)
            found = f"on, with {', '.join(state.weights)}" + (f"; {against}" if against else "")
            yield judged(state.title, found, BETTER if against else "")
        else:
            judgement = State.WARN if state.wanted else State.OK
            yield Finding(judgement, state.title, f"off: {state.because}", state.get if state.wanted else "")
    for weight in store.manifest.weight:
        try:
            store.locate(weight.name)
        except WrongHashError as error:
            yield Finding(State.WARN, f"weight {weight.name}", "another file lies in its place", str(error))
        except WeightsError:
            continue
    if closed := list(dict.fromkeys(name for state in states for name in state.non_commercial)):
        todo = "for commercial use set FIDOX_WEIGHTS_LICENCE=commercial, which takes others, or buy that licence"
        yield Finding(State.WARN, "licences", f"not for commercial use: {', '.join(closed)}", todo)


def port(settings: Settings) -> Finding:
    """Could the gateway listen?"""
    number = settings.http.port
    if holder := lock.running(Folder(DEFAULT_ROOT)):
        return Finding(State.OK, "port", f"`fidox up` runs in this checkout (process {holder})")
    try:
        free_port(settings.http.host, number)
    except PortTakenError:
        return Finding(State.WARN, "port", f"{number} is taken", f"choose another for the gateway: PORT={number + 1}")
    except LocalError as error:
        return Finding(State.FAIL, "port", str(error), "choose another PORT or FIDOX_HOST")
    return Finding(State.OK, "port", f"{number} is free")


def metrics(settings: Settings) -> Iterator[Finding]:
    """Do metrics come, where a port is set for them?"""
    number, host = settings.telemetry.metrics_port, settings.telemetry.metrics_host
    if not number:
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 — told apart, not bound
    todo = "see that a gateway or worker runs on this machine with the same FIDOX_METRICS_PORT"
    try:
        with urlopen(f"http://{host}:{number}/metrics", timeout=3) as answer:
            lines = answer.read().count(b"\n")
    except (URLError, OSError, ValueError) as error:
        yield Finding(State.WARN, "metrics", f"port {number} does not answer ({type(error).__name__})", todo)
        return
    yield judged("metrics", f"port {number} answers with {lines} lines", "" if lines else todo)


def spans(settings: Settings) -> Iterator[Finding]:
    """Does somebody take them, where they are sent?"""
    endpoint = settings.telemetry.otlp_endpoint
    if not endpoint:
        return
    name = "OTEL_EXPORTER_OTLP_ENDPOINT"
    host, port = _host_and_port(endpoint)
    if not host:
        todo = "set it to http://HOST:4318, where a collector takes OTLP over HTTP"
        yield Finding(State.WARN, name, "no address", todo)
        return
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError as error:
        todo = "start the collector, or unset it: spans are thrown away"
        why = error.strerror or type(error).__name__
        yield Finding(State.WARN, name, f"{host}:{port} does not answer ({why})", todo)
        return
    yield Finding(State.OK, name, f"{host}:{port} answers")


def _host_and_port(url: str) -> tuple[str, int]:
    """Of an address for HTTP; no host where it is none."""
    default = {"http": 80, "https": 443}
    try:
        where = urlsplit(url)
        return (where.hostname or "", where.port or default[where.scheme]) if where.scheme in default else ("", 0)
    except ValueError:
        return "", 0


def secrets(settings: Settings) -> Finding:
    """The keys that sign tokens."""
    name = "FIDOX_JWT_SECRETS"
    entries = settings.auth.jwt_secrets
    if not entries:
        return Finding(State.WARN, name, "unset", f"`fidox up` makes one; elsewhere set {name}=kid:secret")
    values = [entry.partition(":")[2] for entry in entries]
    short = [value for value in values if len(value) < LEAST_SECRET]
    if short:
        todo = f"every one is kid:secret with at least {LEAST_SECRET} characters of secret"
        return Finding(State.FAIL, name, f"{len(short)} of {len(entries)} is too short or has no kid", todo)
    plain = [value for value in values if len(set(value)) < LEAST_VARIETY]
    if plain:
        todo = "whoever guesses it signs tokens of every tenant: take a random one, `openssl rand -hex 32`"
        return Finding(State.FAIL, name, f"{len(plain)} of {len(entries)} is no random one", todo)
    return Finding(State.OK, name, f"{len(entries)} set")


def open_doors(settings: Settings) -> Iterator[Finding]:
    """What is right to try things out, and rarely in production."""
    if not settings.face_api.key_enabled:
        todo = "set FACE_API_API_KEY_ENABLED=true, unless everybody who reaches the port may call"
        yield Finding(State.WARN, "API keys", "off: detect and mask are anybody's", todo)
