"""`fidox calibrate`: how well an engine tells people apart on your own pictures, and a score map that fits them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import common

if TYPE_CHECKING:
    from deploy.faces.calibrate import AtThreshold, Distribution, Report

SHOWN = ("0", "1", "50", "99", "99.9", "100")


def calibrate(
    folder: Annotated[
        Path,
        typer.Argument(
            help="One sub-folder of pictures a person; those beginning with _ are ignored.", show_default=False
        ),
    ],
    engine: Annotated[str, typer.Option(help="Which engine; without it, the first of FIDOX_ENGINES.")] = "",
    strangers: Annotated[
        list[Path] | None,
        typer.Option(
            help="A further folder of the same kind, of a group of people that is harder to tell apart: the fitted map"
            " holds a false match rate of 0.1% in it, too. May be given several times."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the fitted map to this TOML file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the distributions into this SVG file.")] = None,
    as_json: common.Json = False,
) -> None:
    """Measure false matches and false non-matches on labelled pictures, and fit the map from cosine to score.

    Nothing is changed: to use the fitted map, put it in the place of the model's own in workers/face/calibration.toml
    and restart the workers. Scores mean something else then, so keep one map for as long as you keep thresholds.
    """
    from deploy.faces import calibrate as work
    from deploy.faces import pictures
    from workers.face.fit import FitError, pair_up

    groups = {one: _pictures(one) for one in (folder, *(strangers or []))}
    settings = common.settings()
    loaded = pictures.engines(settings, engine, needs_calibration=False)
    if not loaded:
        name = engine or " and ".join(settings.faces.engines)
        raise common.CommandError(f"engine {name} cannot be loaded; `fidox weights list` shows what is missing")
    with common.progress() as bar:
        task = bar.add_task("embedding", total=sum(map(len, groups.values())))
        embedded = {
            one: work.embed(loaded[0], files, one, settings, lambda: bar.advance(task)) for one, files in groups.items()
        }
    found = embedded.pop(folder)
    try:
        pairs = pair_up(found.embeddings, found.persons)
    except FitError as error:
        skipped = f" ({len(found.skipped)} skipped, the first: {found.skipped[0].reason})" if found.skipped else ""
        raise common.CommandError(f"{folder}: {error}{skipped}") from None
    faces = settings.faces
    thresholds = {faces.threshold_login, faces.threshold_general, faces.threshold_monitoring}
    others = {one.name: group for one, group in embedded.items()}
    if len(others) < len(embedded):
        raise common.CommandError("--strangers: two folders have the same name; rename one")
    report = work.report(loaded[0], found, pairs, sorted(thresholds, reverse=True), others)
    try:
        if out is not None:
            out.write_text(work.as_toml(report), "utf-8")
        if plot is not None:
            from deploy.faces.plot import draw

            draw(plot, report, pairs)
    except OSError as error:
        raise common.CommandError(f"{error.filename}: {error.strerror}") from None
    if as_json:
        common.show(report, "", as_json=True)
    else:
        _print(report, [path for path in (out, plot) if path is not None])


def _pictures(folder: Path) -> list[tuple[str, Path]]:
    from deploy.faces import calibrate as work

    if not folder.is_dir():
        raise common.CommandError(f"{folder} is no folder")
    files = work.files_of(folder)
    if not files:
        raise common.CommandError(f"{folder} has no sub-folders with pictures; one sub-folder is one person")
    return files


def _print(found: Report, written: list[Path]) -> None:
    print(f"engine {found.engine}, model {found.model_id}: {found.pictures} pictures of {found.persons} persons")
    for one in found.skipped:
        print(f"skipped {one.file}: {one.reason}")
    print()
    kinds = (("genuine", found.genuine), ("impostor", found.impostor))
    columns = ("cosine", "pairs", "min", *(f"{at} %" for at in SHOWN[1:-1]), "max", "mean")
    common.show_table(kinds, columns, [_row(name, kind) for name, kind in kinds], as_json=False)
    for title, rows in (("as it is", found.current), ("fitted", found.fitted)):
        _print_rates(title, rows)
    for group in found.strangers:
        print(f"\n{group.name}: {group.pictures} pictures of {group.persons} persons")
        for one in group.skipped:
            print(f"skipped {one.file}: {one.reason}")
        for title, rows in (("as it is", group.current), ("fitted", group.fitted)):
            _print_rates(title, rows)
    print(f"\nfitted: score 0.7 is {found.placed}")
    print(f"knots = {[list(knot) for knot in found.calibration.knots]}")
    for warning in found.warnings:
        print(f"warning: {warning}")
    for path in written:
        print(f"wrote {path}")


def _print_rates(title: str, rows: list[AtThreshold]) -> None:
    print()
    columns = (title, "cosine", "false match rate (95 %)", "false non-match rate (95 %)")
    common.show_table(rows, columns, [_rates(row) for row in rows], as_json=False)


def _row(name: str, kind: Distribution) -> tuple[str, ...]:
    return (name, str(kind.pairs), *(f"{kind.percentiles[at]:.3f}" for at in SHOWN), f"{kind.mean:.3f}")


def _rates(row: AtThreshold) -> tuple[str, ...]:
    rates = (
        f"{rate.value:.2%} ({rate.errors} of {rate.trials}; {rate.low:.2%} to {rate.high:.2%})"
        for rate in (row.false_match, row.false_non_match)
    )
    return (f"{row.threshold:g}", f"{row.cosine:.3f}", *rates)
