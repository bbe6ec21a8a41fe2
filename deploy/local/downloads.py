"""Weights before a start: fetch what is missing, and say what is on. What cannot be had stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from shared.weights import FetchError, Network, WeightsError, WeightStore, fetch
from shared.weights.features import features, licence_note, needed
from workers.runtime.supervisor import gpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import TypeAlias

    from rich.console import Console

    from deploy.local.supervisor import Say
    from shared.settings import Settings

    # The weights that it has got, of those named.
    Install: TypeAlias = Callable[[WeightStore, Iterable[str], Say], list[str]]


class Fetched(NamedTuple):
    """What came of a number of downloads, by name: where each lies, or why it does not."""

    paths: dict[str, Path]
    failed: dict[str, WeightsError]

    @property
    def reasons(self) -> dict[str, str]:
        """Why, without what to do about it and without the name."""
        return {name: reason_of(name, error) for name, error in self.failed.items()}


def reason_of(name: str, error: WeightsError) -> str:
    """Return why the weight of this name could not be fetched."""
    text = error.reason if isinstance(error, FetchError) else str(error)
    return text.removeprefix(f"{name}: ")


def fetch_with_bar(store: WeightStore, name: str, console: Console, *, network: Network | None = None) -> Path:
    """`fetch`, with a progress bar on `console`. Raises as `fetch` does."""
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as bars:
            task = bars.add_task(name, total=None)

            def progress(done: int, total: int | None) -> None:
                bars.update(task, completed=done, total=total)

            return fetch(store, name, progress, network=network)
    except KeyboardInterrupt:
        console.print(f"Stopped. What has come of {name} is kept, and the next fetch goes on from there.", markup=False)
        raise


def fetch_each(
    store: WeightStore, names: Iterable[str], console: Console, *, network: Network | None = None
) -> Fetched:
    """Fetch all of them, and go on after a failure. A host that cannot be reached is asked once."""
    network = network or Network()
    fetched = Fetched({}, {})
    for name in names:
        try:
            fetched.paths[name] = fetch_with_bar(store, name, console, network=network)
        except WeightsError as error:
            fetched.failed[name] = error
    return fetched


def ready_weights(
    settings: Settings,
    console: Console,
    say: Say,
    *,
    store: WeightStore | None = None,
    network: Network | None = None,
    install: Install | None = None,
) -> None:
    """Fetch what the settings want and this machine lacks, then say of each feature whether it is on.

    `install` gets what could not be fetched from the system's packages. Never raises for what is missing.
    """
    store, gpu = store or WeightStore(settings.weights), gpus(settings.inference) > 0
    reasons: dict[str, str] = {}
    if names := needed(store, settings, gpu=gpu):
        say(f"Fetching weights: {', '.join(names)}")
        reasons = fetch_each(store, names, console, network=network).reasons
    if install is not None:
        for name in install(store, list(reasons), say):
            del reasons[name]
    say("What the weights on this machine turn on:")
    found = features(store, settings, gpu=gpu, failed=reasons)
    for state in found:
        say(f"  {state.line}")
    if note := licence_note(dict.fromkeys(name for state in found for name in state.non_commercial)):
        say(note)
