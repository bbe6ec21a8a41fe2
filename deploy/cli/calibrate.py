"""`fidox calibrate`: how well an engine tells people apart on your own pictures, and a score map that fits them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import common

if TYPE_CHECKING:
    from deploy.faces.calibrate import AtThreshold, Distribution, PersonRate, Report

SHOWN = ("0", "1", "50", "99", "99.9", "100")


def calibrate(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Groups of people: a folder with one sub-folder of pictures a person, or a folder of such folders."
            " Those beginning with _ are ignored.",
            metavar="FOLDER...",
            show_default=False,
        ),
    ],
    engine: Annotated[str, typer.Option(help="Which engine; without it, the first of FIDOX_ENGINES.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the fitted map to this TOML file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the distributions into this SVG file.")] = None,
    as_json: common.Json = False,
) -> None:
    """Measure false matches and false non-matches by group of people, and fit the map from cosine to score.

    On the fitted map 0.7 is a false match rate of one in a thousand in the worst group, and 0.6 one in a hundred.

    Nothing is changed: to use the fitted map, put it in the place of the model's own in workers/face/calibration.toml,
    or, for a recogniser of FIDOX_WEIGHTS_MANIFEST, where its entry names it; then restart the workers. Scores mean
    something else then, so keep one map for as long as you keep thresholds.
    """
    from deploy.faces import calibrate as work
    from deploy.faces import pictures
    from workers.face import fit

    try:
        groups = {name: (group, work.files_of(group)) for name, group in work.groups_of(folders).items()}
    except work.FolderError as error:
        raise common.CommandError(str(error)) from None
    settings = common.settings()
    loaded = pictures.engines(settings, engine, needs_calibration=False)
    if not loaded:
        name = engine or " and ".join(settings.faces.engines)
        raise common.CommandError(f"engine {name} cannot be loaded; `fidox weights list` shows what is missing")
    with common.progress() as bar:
        task = bar.add_task("embedding", total=sum(len(files) for _, files in groups.values()))
        embedded = {
            name: work.embed(loaded[0], files, group, settings, lambda: bar.advance(task))
            for name, (group, files) in groups.items()
        }
    faces = settings.faces
    thresholds = {faces.threshold_login, faces.threshold_general, faces.threshold_monitoring}
    try:
        report = work.report(loaded[0], embedded, sorted(thresholds, reverse=True))
    except fit.FitError as error:
        skipped = [one for found in embedded.values() for one in found.skipped]
        because = f" ({len(skipped)} skipped, the first: {skipped[0].reason})" if skipped else ""
        raise common.CommandError(f"{', '.join(map(str, folders))}: {error}{because}") from None
    try:
        if out is not None:
            out.write_text(work.as_toml(report), "utf-8")
        if plot is not None:
            from deploy.faces.plot import draw

            draw(plot, report, fit.together({n: fit.Group(one.embeddings, one.persons) for n, one in embedded.items()}))
    except OSError as error:
        raise common.CommandError(f"{error.filename}: {error.strerror}") from None
    if as_json:
        common.show(report, "", as_json=True)
    else:
        _print(report, [path for path in (out, plot) if path is not None])


def _print(found: Report, written: list[Path]) -> None:
    print(f"engine {found.engine}, model {found.model_id}: {found.pictures} pictures of {found.persons} persons\n")
    kinds = (("genuine", found.genuine), ("impostor", found.impostor))
    columns = ("cosine", "pairs", "min", *(f"{at} %" for at in SHOWN[1:-1]), "max", "mean")
    common.show_table(kinds, columns, [_row(name, kind) for name, kind in kinds], as_json=False)
    for group in found.groups:
        print(f"\n{group.name}: {group.pictures} pictures of {group.persons} persons")
        for one in group.skipped:
            print(f"skipped {one.file}: {one.reason}")
        for title, rows in (("as it is", group.current), ("fitted", group.fitted)):
            _print_rates(title, rows)
        if group.worst:
            print()
            columns = ("worst at 0.7, fitted", "pictures", "false matches", "false non-matches")
            common.show_table(group.worst, columns, [_person(one) for one in group.worst], as_json=False)
    print(f"\nfitted: score 0.7 is {found.placed}")
    print(f"knots = {[list(knot) for knot in found.calibration.knots]}")
    for warning in found.warnings:
        print(f"warning: {warning}")
    for path in written:
        print(f"wrote {path}")


def _person(one: PersonRate) -> tuple[str, ...]:
    shares = ("" if share is None else f"{share:.2%}" for share in (one.false_match, one.false_non_match))
    return (one.person, str(one.pictures), *shares)


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
