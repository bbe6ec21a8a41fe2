"""`fidox faces`: a tenant's users and templates, counted, moved between servers, and enrolled by the thousand."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from deploy.cli import common
from shared.db.pool import StoreUnavailableError
from shared.db.tenants import Tenant, Tenants

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from deploy.faces.enrol import Line, Tally
    from deploy.faces.sources import Candidate, Unusable
    from shared.db.bulk import Bulk, ModelCount
    from workers.face.engines import Engine

app = typer.Typer(help="Count, export, import and enrol a tenant's faces.", no_args_is_help=True)

TenantName = Annotated[str, typer.Option("--tenant", help="Whose faces.", show_default=False)]
MOST_SHOWN = 20  # refusals on the screen; --json and --report have more
MOST_LISTED = 1000  # refusals in --json; --report has all


@app.command()
def count(tenant: TenantName, as_json: common.Json = False) -> None:
    """Count users, and templates by engine and model; say who must be enrolled again after a change of models.

    A template of a model that is gone is compared with nothing. A user who has one of a current model, too, loses
    nothing, and a verify that is good enough adds those of the other engines; a renewal removes what is gone.

    The current models are those that this machine's settings and weights choose: ask where the workers run.
    """

    async def work(engines: list[Engine]) -> dict[str, Any]:
        async with _bulk(tenant) as (bulk, owner):
            current = _current(engines)
            models = await bulk.models(owner.id)
            return {
                "tenant": tenant,
                "users": await bulk.users(owner.id),
                "models": [
                    {**msgspec.to_builtins(one), "current": (one.engine, one.model_id) in current} for one in models
                ],
                "current_models": [{"engine": engine.name, "model_id": engine.model_id} for engine in engines],
                # Without an engine here nobody can say which models are current.
                "need_enrolment": await bulk.without(owner.id, current) if current else None,
                "gone": {"users": await bulk.on_others(owner.id, current), "templates": _gone(models, current)}
                if current
                else None,
            }

    found = asyncio.run(work(_engines()))
    if as_json:
        common.show(found, "", as_json=True)
        return
    print(f"tenant {tenant}: {found['users']} users\n")
    rows = [
        (one["engine"], one["model_id"], str(one["version"]), str(one["templates"]), "yes" if one["current"] else "no")
        for one in found["models"]
    ]
    common.show_table(rows, ("engine", "model", "version", "templates", "current"), rows, as_json=False)
    if gone := found["gone"]:
        print(f"\n{gone['templates']} templates of {gone['users']} users are of models that are gone")
    if found["need_enrolment"] is None:
        print("\nno engine can be loaded here, so nothing tells which models are current; see `fidox doctor`")
    else:
        print(f"{found['need_enrolment']} users have no template of a current model and must be enrolled again")


@app.command()
def export(
    tenant: TenantName,
    out: Annotated[Path, typer.Option(help="The file to write; .gz at its end compresses it.", show_default=False)],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    as_json: common.Json = False,
) -> None:
    """Write all users and templates into a file, so that a tenant can move to another server.

    The file holds names and face templates, which are biometric data: only you may read it, and it is yours to encrypt
    and to delete.
    """
    from deploy.faces import export as work

    async def run() -> tuple[int, int]:
        async with _bulk(tenant) as (bulk, owner):
            with common.progress() as bar:
                task = bar.add_task("users", total=await bulk.users(owner.id))
                return await work.export(bulk, owner, out, resume=resume, advance=lambda n: bar.advance(task, n))

    try:
        users, earlier = asyncio.run(run())
    except work.ExportError as error:
        raise common.CommandError(str(error)) from None
    except OSError as error:
        raise common.CommandError(f"{error.filename or out}: {error.strerror}") from None
    except (KeyboardInterrupt, StoreUnavailableError):
        sys.stderr.write(f"stopped; {work.part_of(out)} keeps what is done, and --resume goes on\n")
        raise
    data = {"tenant": tenant, "file": str(out), "users": users, "resumed_after": earlier, "bytes": out.stat().st_size}
    text = f"wrote {users} users to {out}\nIt holds biometric data (face templates, names): keep it closed, delete it."
    common.show(data, text, as_json=as_json)


@app.command("import")
def import_faces(
    file: Annotated[Path, typer.Argument(help="What `fidox faces export` wrote, plain or .gz.", show_default=False)],
    tenant: TenantName,
    as_json: common.Json = False,
) -> None:
    """Read users and templates from a file of `fidox faces export`.

    Who is there already is left as they are, so a run that was stopped is simply run again. A line that would spoil
    the table (a vector of another dimension, not finite, not normalised) is refused and named.
    """
    from deploy.faces import importing as work

    imported = work.Imported()
    engines = _engines()

    async def run() -> int | None:
        async with _bulk(tenant) as (bulk, owner):
            dimensions = {
                (one.engine, one.model_id): one.dimensions[0] for one in await bulk.models(owner.id) if one.dimensions
            }
            dimensions |= {(engine.name, engine.model_id): engine.dimension for engine in engines}
            with common.progress() as bar:
                task = bar.add_task("bytes", total=file.stat().st_size)
                await work.load(
                    bulk, owner, file, dimensions, imported, lambda place: bar.update(task, completed=place)
                )
            current = _current(engines)
            return await bulk.without(owner.id, current) if current else None

    def text() -> str:
        return f"{imported.new} new, {imported.already_there} already there, {imported.refused} refused"

    try:
        need_enrolment = asyncio.run(run())
    except work.ImportingError as error:
        counts = f" ({text()})" if imported.new + imported.already_there + imported.refused else ""
        raise common.CommandError(f"{error}{counts}") from None
    except OSError as error:
        raise common.CommandError(f"{error.filename or file}: {error.strerror}") from None
    except (KeyboardInterrupt, StoreUnavailableError):
        sys.stderr.write(f"stopped: {text()}; run it again to go on\n")
        raise
    if as_json:
        common.show(
            {"tenant": tenant, **msgspec.to_builtins(imported), "need_enrolment": need_enrolment}, "", as_json=True
        )
        return
    print(f"{text()} (exported from the tenant {imported.exported_from})")
    for one in imported.refused_lines[:MOST_SHOWN]:
        print(f"line {one.line}: {one.reason}")
    if imported.refused > MOST_SHOWN:
        print(f"… and {imported.refused - MOST_SHOWN} more; --json lists them")
    if need_enrolment:
        print(f"{need_enrolment} users of {tenant} have no template of a current model and must be enrolled again")


@app.command()
def enrol(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder (USER_CODE.jpg, or USER_CODE/any.jpg), or a CSV file: user_code,path[,name].",
            show_default=False,
        ),
    ],
    tenant: TenantName,
    report: Annotated[Path | None, typer.Option(help="Write a CSV line for every picture to this file.")] = None,
    as_json: common.Json = False,
) -> None:
    """Enrol many people from pictures on this machine, by the rules of register, with every engine.

    Ctrl-C keeps what is done. Who is enrolled already is skipped before any work, so a second run goes on.
    """
    from deploy.faces.enrol import REFUSED, Enrolment, Line
    from workers.face.load import load_judges

    candidates, unusable = _read_source(source)
    engines = _engines()
    if not engines:
        raise common.CommandError("no face engine can be loaded; `fidox doctor` shows what is missing")
    judges = load_judges(common.settings())
    refused: list[Line] = []
    made: list[Enrolment] = []

    async def run(write: Callable[[Line], None]) -> Enrolment:
        async with _bulk(tenant) as (bulk, owner):
            enrolment = Enrolment(bulk, owner, engines, common.settings(), write, judges)
            made.append(enrolment)
            with common.progress() as bar:
                task = bar.add_task("people", total=len(candidates))
                await enrolment.run(candidates, lambda n: bar.advance(task, n))
            return enrolment

    with _report(report) as rows:

        def write(line: Line) -> None:
            rows(line)
            if line.result == REFUSED and len(refused) < MOST_LISTED:
                refused.append(line)

        for one in unusable:
            write(Line("", one.where, REFUSED, one.reason))
        try:
            tally = asyncio.run(run(write)).tally
        except (KeyboardInterrupt, StoreUnavailableError):
            done = made[0].tally.enrolled if made else 0
            sys.stderr.write(f"stopped: {done} enrolled, which is kept; run it again to go on\n")
            raise
    tally.refused += len(unusable)
    if as_json:
        data = {"tenant": tenant, "engines": [engine.name for engine in engines], **msgspec.to_builtins(tally)}
        common.show({**data, "refused_files": [line._asdict() for line in refused]}, "", as_json=True)
    else:
        _print_enrolment(tally, refused)


def _read_source(source: Path) -> tuple[list[Candidate], list[Unusable]]:
    from deploy.faces import sources

    try:
        candidates, unusable = sources.read(source)
    except sources.SourceError as error:
        raise common.CommandError(str(error)) from None
    except OSError as error:
        raise common.CommandError(f"{error.filename}: {error.strerror}") from None
    if not candidates and not unusable:
        raise common.CommandError(f"{source} names nobody")
    return candidates, unusable


def _print_enrolment(tally: Tally, refused: list[Line]) -> None:
    text = f"{tally.enrolled} enrolled, {tally.already_there} already there, {tally.refused} refused"
    print(text + (f", {tally.unused} further pictures not needed" if tally.unused else ""))
    if tally.incomplete:
        print(f"{tally.incomplete} of the enrolled lack a template of one engine")
    for line in refused[:MOST_SHOWN]:
        print(f"{line.file}: {line.detail}")
    if tally.refused > MOST_SHOWN:
        print(f"… and {tally.refused - MOST_SHOWN} more; --report FILE.csv has them all")


def _current(engines: list[Engine]) -> list[tuple[str, str]]:
    """The engine names and model ids of templates that these engines compare with."""
    from shared.db.templates import names_of

    return [(name, engine.model_id) for engine in engines for name in names_of(engine.name, engine.model_id)]


def _gone(models: list[ModelCount], current: list[tuple[str, str]]) -> int:
    """How many templates nothing compares with."""
    from shared.db.templates import TEMPLATE_VERSION

    return sum(
        one.templates for one in models if one.version != TEMPLATE_VERSION or (one.engine, one.model_id) not in current
    )


def _engines() -> list[Engine]:
    from deploy.faces.pictures import engines

    return engines(common.settings())


@asynccontextmanager
async def _bulk(tenant: str) -> AsyncGenerator[tuple[Bulk, Tenant]]:
    """The repository, and the tenant of this name."""
    from shared.db.bulk import Bulk
    from shared.db.templates import register_vectors

    async with common.database(register_vectors) as pool:
        yield Bulk(pool), await common.tenant_named(Tenants(pool), tenant)


@contextmanager
def _report(path: Path | None) -> Generator[Callable[[Line], None]]:
    """Writes lines to a CSV file that only its owner may read: it names people and their pictures."""
    if path is None:
        yield lambda _: None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise common.CommandError(f"{path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("user_code", "file", "result", "detail"))
        yield writer.writerow
