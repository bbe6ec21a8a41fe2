"""Folders of persons through one engine: embeddings, pairs, rates by group and person, and a new map.

    people/          one sub-folder of pictures a person: one group, named for the folder
    recognition/     folders of such folders: a group each, named for the first level
        chinese/
        korean/

Persons are compared within their group alone. See `workers.face.fit` for the arithmetic.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from deploy.faces import pictures
from workers.face import fit
from workers.face.analysis import Want, analyse
from workers.face.calibration import Calibration
from workers.vision.decode import ImageError
from workers.vision.detection import DetectOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from shared.settings import Settings
    from workers.face.engines import Engine

PERCENTILES = (0, 0.1, 1, 5, 50, 95, 99, 99.9, 100)
MOST_PERSONS = 5  # of a group, in a report


class Skipped(msgspec.Struct, frozen=True):
    """A picture that was left out, and why."""

    file: str
    reason: str


class Rate(msgspec.Struct, frozen=True):
    """`value` in 0..1, with the 95 % interval."""

    errors: int
    trials: int
    value: float
    low: float
    high: float


class AtThreshold(msgspec.Struct, frozen=True):
    """The error rates of one score, under one map."""

    threshold: float
    cosine: float
    false_match: Rate
    false_non_match: Rate


class Distribution(msgspec.Struct, frozen=True):
    """Of the cosines of one kind of pair; `percentiles` by their number, 0 and 100 being the extremes."""

    pairs: int
    mean: float
    deviation: float
    percentiles: dict[str, float]


class PersonRate(msgspec.Struct, frozen=True):
    """A person at 0.7 of the fitted map: the shares, 0..1, of their pairs with others and with themselves.

    A share is None without such a pair.
    """

    person: str
    pictures: int
    false_match: float | None
    false_non_match: float | None


class GroupReport(msgspec.Struct, frozen=True):
    """One group: its pairs' error rates, the persons with the highest ones, and what was skipped."""

    name: str
    persons: int
    pictures: int
    skipped: list[Skipped]
    current: list[AtThreshold]
    fitted: list[AtThreshold]
    worst: list[PersonRate]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `fidox calibrate` found; `current` is the shipped map, `fitted` the new one.

    `genuine` and `impostor` are the pairs within all groups together.
    """

    engine: str
    model_id: str
    persons: int
    pictures: int
    genuine: Distribution
    impostor: Distribution
    groups: list[GroupReport]
    placed: str
    calibration: Calibration
    warnings: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What a folder gave: float32[n, dimension] and the person of each row."""

    embeddings: NDArray[np.float32]
    persons: list[str]
    skipped: list[Skipped]


class FolderError(ValueError):
    """Why a folder is no collection of labelled pictures."""


def groups_of(folders: Sequence[Path]) -> dict[str, Path]:
    """The groups of some folders: name and folder, of which each sub-folder is a person. Raises FolderError."""
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise FolderError(f"{folder} is not a folder")
        # The folder's own name where it is given as `.` or ends with `..`.
        groups = [folder.resolve()] if files_of(folder) else [one for one in _folders(folder) if files_of(one)]
        if not groups:
            raise FolderError(f"{folder} has no sub-folders with pictures; one sub-folder is one person")
        for group in groups:
            if found.setdefault(group.name, group) != group:
                raise FolderError(f"{found[group.name]} and {group} have the same name; rename one")
    return found


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """Person and picture, for each sub-folder that does not begin with `_` or a dot."""
    return [
        (person.name, path)
        for person in _folders(folder)
        for path in sorted(person.iterdir())
        if path.is_file() and not path.name.startswith(".")
    ]


def _folders(folder: Path) -> list[Path]:
    return [one for one in sorted(folder.iterdir()) if one.is_dir() and not one.name.startswith(("_", "."))]


def embed(
    engine: Engine, files: list[tuple[str, Path]], root: Path, settings: Settings, advance: Callable[[], None]
) -> Embedded:
    """Every picture's one face; what has none, or is there twice, is skipped and named."""

    def look(item: tuple[str, Path]) -> tuple[str, NDArray[np.float32]] | str:
        try:
            data = pictures.read(item[1], max_bytes=settings.http.max_image_bytes)
            found = analyse(engine, data, DetectOptions(), Want.EMBEDDING, max_pixels=settings.faces.max_pixels)
        except ImageError as error:
            return f"{error.failure}: {error.detail}"
        return hashlib.sha256(data).hexdigest(), found.embedding

    rows: list[NDArray[np.float32]] = []
    persons: list[str] = []
    skipped: list[Skipped] = []
    seen: dict[str, Path] = {}
    with pictures.workforce() as pool:
        results = pictures.in_order(pool, look, files)
        for (person, path), result in zip(files, results, strict=True):
            advance()
            if isinstance(result, str):
                skipped.append(Skipped(str(path.relative_to(root)), result))
                continue
            digest, embedding = result
            # One file twice would be a genuine pair of cosine 1, or an impostor pair of it.
            if (first := seen.setdefault(digest, path)) is not path:
                skipped.append(Skipped(str(path.relative_to(root)), f"the same file as {first.relative_to(root)}"))
                continue
            rows.append(embedding)
            persons.append(person)
    return Embedded(np.array(rows, np.float32), persons, skipped)


def report(engine: Engine, found: Mapping[str, Embedded], thresholds: list[float]) -> Report:
    """The numbers of each group under the engine's map and under a fitted one. Raises fit.FitError."""
    groups = {name: fit.Group(one.embeddings, one.persons) for name, one in found.items() if one.persons}
    pairs = fit.together(groups)
    fitted = fit.fit(groups)
    calibration = Calibration(
        models=(engine.model_id,),
        measured=f"{'; '.join(_measured(name, group) for name, group in groups.items())}; {datetime.now(UTC):%Y-%m-%d}",
        knots=fitted.knots,
    )
    reports = [
        GroupReport(
            name,
            len(set(one.persons)),
            len(one.persons),
            one.skipped,
            [_at(groups.get(name), engine.calibration, threshold) for threshold in thresholds],
            [_at(groups.get(name), calibration, threshold) for threshold in thresholds],
            _worst(groups[name], fitted.target) if name in groups else [],
        )
        for name, one in found.items()
    ]
    missed = {
        name: fit.false_non_match(group.errors(fitted.target)).value
        for name, group in groups.items()
        if group.pairs.genuine.size
    }
    return Report(
        engine=engine.name,
        model_id=engine.model_id,
        persons=sum(one.persons for one in reports),
        pictures=sum(one.pictures for one in reports),
        genuine=_distribution(pairs.genuine),
        impostor=_distribution(pairs.impostor),
        groups=reports,
        placed=fitted.placed,
        calibration=calibration,
        warnings=fit.warnings(groups, missed),
    )


def as_toml(found: Report) -> str:
    """The fitted map in the form of `workers/face/calibration.toml`."""
    fields = {
        "models": list(found.calibration.models),
        "measured": found.calibration.measured,
        "knots": [list(knot) for knot in found.calibration.knots],
    }
    # JSON's strings, numbers and arrays of them are TOML's, too.
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in fields.items()]
    return "\n".join([f"# Score 0.7: {found.placed}.", "[[calibration]]", *lines, ""])


def _measured(name: str, group: fit.Group) -> str:
    return (
        f"{name}: {group.pairs.genuine.size} genuine and {group.pairs.impostor.size} impostor pairs of"
        f" {len(group.persons)} pictures of {len(set(group.persons))} persons"
    )


def _at(group: fit.Group | None, calibration: Calibration, threshold: float) -> AtThreshold:
    cosine = calibration.cosine(threshold)
    if group is None:
        return AtThreshold(threshold, round(cosine, 4), _rate(fit.wilson(0, 0)), _rate(fit.wilson(0, 0)))
    errors = group.errors(cosine)
    return AtThreshold(threshold, round(cosine, 4), _rate(fit.false_match(errors)), _rate(fit.false_non_match(errors)))


def _worst(group: fit.Group, cosine: float) -> list[PersonRate]:
    """The persons who are mistaken for others the most, then those who are missed the most."""
    errors = group.errors(cosine)
    shares = zip(errors.names, errors.false_matches.tolist(), errors.false_non_matches.tolist(), strict=True)
    rates = [
        PersonRate(name, list(group.persons).count(name), _known(match), _known(missed))
        for name, match, missed in shares
    ]
    rates.sort(key=lambda rate: (rate.false_match or 0, rate.false_non_match or 0), reverse=True)
    return [rate for rate in rates if rate.false_match or rate.false_non_match][:MOST_PERSONS]


def _known(share: float) -> float | None:
    return None if math.isnan(share) else share


def _rate(rate: fit.Rate) -> Rate:
    return Rate(rate.errors, rate.trials, rate.value, rate.low, rate.high)


def _distribution(cosines: fit.Cosines) -> Distribution:
    values = np.percentile(cosines, PERCENTILES)
    return Distribution(
        pairs=int(cosines.size),
        mean=round(float(cosines.mean()), 4),
        deviation=round(float(cosines.std()), 4),
        percentiles={f"{at:g}": round(float(value), 4) for at, value in zip(PERCENTILES, values, strict=True)},
    )
