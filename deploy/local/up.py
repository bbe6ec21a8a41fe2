"""`fidox up`, which is what `make run` shows: the steps, what runs, a line to try, and a stop in good order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from deploy.local.downloads import ready_weights
from deploy.local.folder import CHECKOUT, DEFAULT_ROOT
from deploy.local.stack import LocalStack
from deploy.local.system_packages import install_packages
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import FrameType

SAMPLES = CHECKOUT.parent / "shared" / "testdata" / "people" / "obama"
SAMPLE_PHOTOS = ("obama.jpg", "obama2.jpg")


def up(root: Path = DEFAULT_ROOT, *, as_json: bool = False) -> None:
    """Run the product until SIGINT, SIGTERM or SIGHUP. Raises LocalError, SettingsError and MigrationError."""
    # As JSON, standard output holds the one object and nothing else.
    console = Console(stderr=as_json, highlight=False)

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    settings = Settings.from_env()

    def prepare_weights() -> None:
        ready_weights(settings, console, say, install=install_packages)

    stack = LocalStack(root, settings.http.port, say=say, before_start=prepare_weights)
    signals = _Signals()
    try:
        with stack:
            _show_json(stack) if as_json else _show(stack, console)
            signals.wait()
    except KeyboardInterrupt:
        say("Stopped; the data is kept for the next start.")


class _Signals:
    """The first one is a KeyboardInterrupt wherever the main thread is; later ones do not disturb the stop."""

    def __init__(self) -> None:
        self._seen = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def wait(self) -> None:
        """Until a signal."""
        threading.Event().wait()

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self._seen:
            self._seen = True
            raise KeyboardInterrupt


def compare_line(base_url: str, demo: str, photos: Sequence[str]) -> str:
    """One line for a POSIX shell that logs in and compares two photos.

    The photos go through standard input: as arguments two of them are longer than a command line may be.
    """
    json_type = "-H 'Content-Type: application/json'"
    token = (
        f"curl -s {base_url}/auth/client/token {json_type}"
        ' -d "{\\"accessKey\\":\\"$ACCESS_KEY\\",\\"secretKey\\":\\"$SECRET_KEY\\"}"'
        """ | grep -o '"token":"[^"]*"' | cut -d'"' -f4"""
    )
    first, second = (f"\"$(base64 < {photo} | tr -d '\\n')\"" for photo in photos)
    return (
        f"(. {demo}; TOKEN=$({token}); "
        f"""printf '{{"image1":"%s","image2":"%s"}}' {first} {second}"""
        f""" | curl -s {base_url}/face/compare {json_type} -H "Authorization: Bearer $TOKEN" -d @-; echo)"""
    )


def _show(stack: LocalStack, console: Console) -> None:
    there = all((SAMPLES / name).is_file() for name in SAMPLE_PHOTOS)
    folder = os.path.relpath(SAMPLES, CHECKOUT)
    photos = [f"{folder}/{name}" for name in SAMPLE_PHOTOS] if there else ["photo1.jpg", "photo2.jpg"]
    demo = os.path.relpath(stack.folder.demo, CHECKOUT)
    lines = [
        "",
        "Running:",
        *(f"  {name:<12} process {child.pid}" for name, child in stack.children.items()),
        "",
        f"  {stack.base_url}/              the start page",
        f"  {stack.base_url}/admin         the console; its account is in {demo}",
        f"  {stack.base_url}/docs          try the root API in a browser",
        f"  {stack.base_url}/v1/docs       faces, liveness and ID cards",
        f"  {stack.base_url}/api/v1/docs   detect and mask, with an API key; the admin API",
        f"  {stack.base_url}/health        how everything is",
        "",
        f"  Logs: {os.path.relpath(stack.folder.logs, CHECKOUT)}/    Demo keys: {demo}",
        "",
        "Try it, in another terminal in this folder"
        + (":" if there else ", after putting two photos of faces there as photo1.jpg and photo2.jpg:"),
        "",
        compare_line(stack.base_url, demo, photos),
        "",
        "Ctrl-C stops everything.",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _show_json(stack: LocalStack) -> None:
    what = {
        "url": stack.base_url,
        "port": stack.port,
        "processes": {name: child.pid for name, child in stack.children.items()},
        "logs": str(stack.folder.logs),
        "demo": str(stack.folder.demo),
    }
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()
