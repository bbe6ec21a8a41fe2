"""Weights before a start: what is there is named, what is missing is fetched, and what cannot be had stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from shared.contracts import Check
from shared.weights import DETECTOR, RECOGNISER, FetchError, WeightStore, WrongHashError, candidates, fetch, of_check
from shared.weights.ocr import SETS, of_reader
from workers.runtime.supervisor import gpus

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from deploy.local.supervisor import Say
    from shared.settings import Settings
    from shared.weights.fetch import Opener

# What does not work without a weight of this role.
DISABLES = {DETECTOR: "engine ezway", RECOGNISER: "engine ezway"}


def fetch_with_bar(store: WeightStore, name: str, console: Console, *, opener: Opener | None = None) -> Path:
    """`fetch`, with a progress bar on `console`. Raises as `fetch` does."""
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(name, total=None)

        def progress(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total)

        return fetch(store, name, progress) if opener is None else fetch(store, name, progress, opener=opener)


def ready_weights(settings: Settings, console: Console, say: Say, *, store: WeightStore | None = None) -> None:
    """See to it that there is one weight of each role that is needed. Says what is missing; never raises for it."""
    if "ezway" not in settings.faces.engines:
        return
    store = store or WeightStore(settings.weights)
    gpu = gpus() > 0
    for role, asked in ((DETECTOR, settings.faces.detector), (RECOGNISER, settings.faces.recogniser)):
        names = candidates(role, asked, gpu=gpu)
        found = next((located for name in names if (located := store.find(name)) is not None), None)
        if found is not None:
            say(f"Weights for {role}: {found.weight.name}, from {found.path.parent}")
        else:
            _fetch_one(store, role, names, console, say)


def ready_checks(settings: Settings, say: Say, *, store: WeightStore | None = None) -> None:
    """Say which liveness checks there are, and which are off for want of weights. None has a public address."""
    store = store or WeightStore(settings.weights)
    ready: list[str] = []
    for check in (check for check in Check if check in settings.liveness.checks):
        _, missing = of_check(store, check)
        if missing:
            names = ", ".join(weight.name for weight in missing)
            say(f"Liveness check {check} is off: no {names}; {store.way_to_get(missing[0])}")
        else:
            ready.append(check)
    say(f"Liveness checks: {', '.join(ready) or 'none, so withLiveness is refused'}")


def ready_reader(settings: Settings, console: Console, say: Say, *, store: WeightStore | None = None) -> None:
    """See to it that ID cards can be read, and say with what. Says what is missing; never raises for it."""
    store = store or WeightStore(settings.weights)
    if settings.ocr.models not in SETS:
        return  # the worker says so, and ends
    found = of_reader(store, settings.ocr.models)
    for name in found if isinstance(found, list) else ():
        if store.find(name) is not None:
            continue
        say(f"Fetching weights for reading ID cards: {name}")
        try:
            fetch_with_bar(store, name, console)
        except (FetchError, WrongHashError) as error:
            say(f"ID cards cannot be read: {error}. `fidox weights fetch {name}` tries again")
            return
    found = of_reader(store, settings.ocr.models)
    if not isinstance(found, list):
        say(f"ID cards are read with {found.lines.name}, {found.korean.name} and {found.latin.name}")


def _fetch_one(store: WeightStore, role: str, names: tuple[str, ...], console: Console, say: Say) -> None:
    name = next((name for name in names if store.manifest.named(name).urls), names[0])
    say(f"Fetching weights for {role}: {name}")
    try:
        fetch_with_bar(store, name, console)
    except (FetchError, WrongHashError) as error:
        say(
            f"Weights for {role} are missing, so {DISABLES[role]} is off: {error}."
            f" `fidox weights fetch {name}` tries again"
        )
