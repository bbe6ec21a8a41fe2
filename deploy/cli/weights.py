"""`fidox weights`: the model files on this machine, where they come from, and under which licence."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from deploy.cli import common
from shared.weights import MissingWeightError, Weight, WeightsError, WeightStore, WrongHashError

app = typer.Typer(help="List, fetch and verify model files.", no_args_is_help=True)


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
    store = _store()
    found = [_row(store, weight, fresh=False) for weight in store.manifest.weight]
    _show(found, as_json=as_json)


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which; without a name, one of each role that is missing.")
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Download model files to the cache folder, and keep only what has the right hash."""
    from rich.console import Console

    from deploy.local.downloads import fetch_with_bar

    store, console = _store(), Console(stderr=True)
    chosen = [store.manifest.named(name) for name in names] if names else _missing(store)
    fetched: list[dict[str, str]] = []
    failed: list[str] = []
    for weight in chosen:
        try:
            path = fetch_with_bar(store, weight.name, console)
        except WeightsError as error:
            failed.append(str(error))
            continue
        fetched.append({"name": weight.name, "path": str(path), "licence": weight.licence})
    text = "\n".join(f"fetched {one['name']} to {one['path']} ({one['licence']})" for one in fetched)
    if fetched or not failed:
        common.show({"fetched": fetched}, text or "nothing is missing", as_json=as_json)
    if failed:
        raise common.CommandError("\n".join(failed))


@app.command()
def verify(as_json: common.Json = False) -> None:
    """Read every model file that is here and compare its hash with the manifest's. Exit status 1 where one is wrong."""
    store = _store()
    found = [row for weight in store.manifest.weight if (row := _row(store, weight, fresh=True)).state != "missing"]
    _show(found, as_json=as_json)
    if wrong := [row for row in found if row.state == "wrong"]:
        for row in wrong:
            sys.stderr.write(f"fidox: {row.problem}\n")
        raise typer.Exit(1)


def _store() -> WeightStore:
    return WeightStore(common.settings().weights)


def _missing(store: WeightStore) -> list[Weight]:
    """For each role of which nothing is here: the first that has a public address."""
    chosen: list[Weight] = []
    for role in dict.fromkeys(weight.role for weight in store.manifest.weight):
        all_of_it = store.manifest.of_role(role)
        if all(store.find(weight.name) is None for weight in all_of_it):
            chosen += [weight for weight in _smallest_first(store, role, all_of_it) if weight.urls][:1]
    return chosen


def _smallest_first(store: WeightStore, role: str, weights: tuple[Weight, ...]) -> list[Weight]:
    """What `fidox up` would take, where it has an opinion."""
    from shared.weights import candidates
    from workers.runtime.supervisor import gpus

    try:
        return [store.manifest.named(name) for name in candidates(role, gpu=gpus() > 0)]
    except KeyError:
        return list(weights)


def _row(store: WeightStore, weight: Weight, *, fresh: bool) -> Row:
    row = Row(weight.name, weight.role, "present", weight.licence, weight.commercial_use)
    try:
        located = store.locate(weight.name, fresh=fresh)
    except MissingWeightError as error:
        row.state, row.problem = "missing", str(error)
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
