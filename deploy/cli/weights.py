"""`fidox weights`: the model files on this machine, their places and licences, and what they turn on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from deploy.cli import common
from shared.weights import LicenceError, MissingWeightError, Weight, WeightStore, WrongHashError
from shared.weights.features import FeatureState, features, licence_note, needed

if TYPE_CHECKING:
    from deploy.local.downloads import Fetched
    from shared.settings import Settings

app = typer.Typer(help="List, fetch, verify and carry model files.", no_args_is_help=True)


class Row(msgspec.Struct):
    """One weight of the manifest, and what this machine has of it."""

    name: str
    role: str
    state: str
    licence: str
    commercial_use: bool
    place: str | None = None
    path: str | None = None
    problem: str | None = None


@app.command("list")
def list_weights(as_json: common.Json = False) -> None:
    """List every model file the product knows: whether and where it is, and its licence."""
    store = _store(common.settings())
    found = [_row(store, weight, fresh=False) for weight in store.manifest.weight]
    _show(found, as_json=as_json)


@app.command("features")
def list_features(as_json: common.Json = False) -> None:
    """Say of each feature whether it is on, or why it is off and what turns it on."""
    settings = common.settings()
    _show_features(features(_store(settings), settings, gpu=_gpu(settings)), as_json=as_json)


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which; without a name, all that are not here and have an address.")
    ] = None,
    only_needed: Annotated[
        bool, typer.Option("--needed", help="Only those that turn on what the settings want, and any that are named.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """Download model files to the cache folder, and keep only what has the right hash.

    It goes on after a failure, and says in the end what each feature has and needs. Exit status 1 where a file that is
    named or needed could not be had.
    """
    from rich.console import Console

    from deploy.local.downloads import fetch_each

    settings = common.settings()
    store = _store(settings)
    named = [store.manifest.named(name).name for name in names or ()]
    wanted = needed(store, settings, gpu=_gpu(settings))
    skipped: dict[str, str] = {}
    chosen = named
    if only_needed:
        chosen = [*dict.fromkeys([*named, *wanted])]
    elif not named:
        chosen, skipped = _missing(store)
    fetched = fetch_each(store, chosen, Console(stderr=True))
    states = features(store, settings, gpu=_gpu(settings), failed=fetched.reasons)
    if as_json:
        common.show(_as_data(store, fetched, skipped, states), "", as_json=True)
    else:
        _report(store, fetched, skipped, states)
    if fetched.failed:
        sys.stderr.write("".join(f"fidox: {line}\n" for line in dict.fromkeys(map(str, fetched.failed.values()))))
    if set(fetched.failed) & {*named, *wanted}:
        raise typer.Exit(1)


@app.command()
def bundle(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as weights.tar.", dir_okay=False)],
    as_json: common.Json = False,
) -> None:
    """Write every model file that is here into one archive, for a machine that has no way to the internet."""
    from shared.weights.bundle import write_bundle

    with common.progress() as bar:
        task = bar.add_task("writing", total=None)
        written = write_bundle(_store(common.settings()), file, lambda name: bar.update(task, description=name))
    data = {"file": str(file), "bytes": file.stat().st_size, "weights": written}
    common.show(data, f"wrote {len(written)} weights to {file}, {file.stat().st_size} bytes", as_json=as_json)


@app.command("import")
def import_archive(
    file: Annotated[Path, typer.Argument(help="An archive of `fidox weights bundle`.", exists=True, dir_okay=False)],
    as_json: common.Json = False,
) -> None:
    """Take model files out of an archive into the cache folder: only those whose hash is right.

    Exit status 1 where one was damaged.
    """
    from shared.weights.bundle import import_bundle

    settings = common.settings()
    store = _store(settings)
    with common.progress() as bar:
        task = bar.add_task("reading", total=None)
        done = import_bundle(store, file, lambda name: bar.update(task, description=name))
    states = features(store, settings, gpu=_gpu(settings))
    if as_json:
        common.show({**done._asdict(), "features": states}, "", as_json=True)
    else:
        rows = [
            *((name, "taken", "") for name in done.taken),
            *((name, "here already", "") for name in done.present),
            *((name, "skipped", why) for name, why in done.skipped.items()),
            *((name, "refused", why) for name, why in done.refused.items()),
        ]
        common.show_table(rows, ("weight", "", ""), rows, as_json=False)
        _show_features(states, as_json=False)
    if done.refused:
        raise typer.Exit(1)


@app.command()
def verify(as_json: common.Json = False) -> None:
    """Read every model file that is here and compare its hash with the manifest's. Exit status 1 where one is wrong."""
    store = _store(common.settings())
    rows = [_row(store, weight, fresh=True) for weight in store.manifest.weight if store.allows(weight)]
    found = [row for row in rows if row.state != "missing"]
    _show(found, as_json=as_json)
    if wrong := [row for row in found if row.state == "wrong"]:
        for row in wrong:
            sys.stderr.write(f"fidox: {row.problem}\n")
        raise typer.Exit(1)


def _store(settings: Settings) -> WeightStore:
    return WeightStore(settings.weights)


def _gpu(settings: Settings) -> bool:
    from workers.runtime.supervisor import gpus

    return gpus(settings.inference) > 0


def _missing(store: WeightStore) -> tuple[list[str], dict[str, str]]:
    """Return what is not here and can be downloaded, and why the rest of what is not here cannot."""
    missing = [weight for weight in store.manifest.weight if store.find(weight.name) is None]
    chosen = [weight.name for weight in missing if weight.is_published and store.allows(weight)]
    skipped: dict[str, str] = {}
    for weight in missing:
        if not store.allows(weight):
            skipped[weight.name] = f"FIDOX_WEIGHTS_LICENCE=commercial, and its licence is {weight.licence}"
        elif not weight.is_published:
            skipped[weight.name] = f"no public address; {store.way_to_get(weight)}"
    return chosen, skipped


def _as_data(
    store: WeightStore, fetched: Fetched, skipped: dict[str, str], states: list[FeatureState]
) -> dict[str, object]:
    paths = [
        {"name": name, "path": str(path), "licence": store.manifest.named(name).licence}
        for name, path in fetched.paths.items()
    ]
    failed = {name: str(error) for name, error in fetched.failed.items()}
    return {"fetched": paths, "failed": failed, "skipped": skipped, "features": states}


def _report(store: WeightStore, fetched: Fetched, skipped: dict[str, str], states: list[FeatureState]) -> None:
    lines = [f"fetched {name} to {path} ({store.manifest.named(name).licence})" for name, path in fetched.paths.items()]
    lines += [f"skipped {name}: {why}" for name, why in skipped.items()]
    if not (fetched.paths or fetched.failed):
        lines.append("nothing to fetch")
    common.show(None, "\n".join([*lines, ""]), as_json=False)
    _show_features(states, as_json=False)


def _show_features(states: list[FeatureState], *, as_json: bool) -> None:
    rows = [
        (state.title, "on" if state.on else "off", ", ".join(state.weights) or state.because, state.get)
        for state in states
    ]
    common.show_table(states, ("feature", "", "with, or because", "get it by"), rows, as_json=as_json)
    note = licence_note(dict.fromkeys(name for state in states for name in state.non_commercial))
    if note and not as_json:
        common.show(None, f"\n{note}", as_json=False)


def _row(store: WeightStore, weight: Weight, *, fresh: bool) -> Row:
    row = Row(weight.name, weight.role, "present", weight.licence, weight.commercial_use)
    try:
        located = store.locate(weight.name, fresh=fresh)
    except MissingWeightError as error:
        row.state, row.problem = "missing", str(error)
    except LicenceError as error:
        row.state, row.problem = "not allowed", str(error)
    except WrongHashError as error:
        row.state, row.problem = "wrong", str(error)
    else:
        row.place, row.path = located.place, str(located.path)
    return row


def _show(found: list[Row], *, as_json: bool) -> None:
    rows = [
        (row.name, row.role, row.state, row.place or "", row.licence, "yes" if row.commercial_use else "no")
        for row in found
    ]
    columns = ("name", "role", "state", "from", "licence", "commercial use")
    common.show_table(found, columns, rows, as_json=as_json)
