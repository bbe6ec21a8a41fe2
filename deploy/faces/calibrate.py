"""A folder of persons through one engine: embeddings, pairs, rates, and a new map. See `workers.face.fit`."""

from __future__ import annotations

import hashlib
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
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from shared.settings import Settings
    from workers.face.engines import Engine

PERCENTILES = (0, 0.1, 1, 5, 50, 95, 99, 99.9, 100)


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


class Strangers(msgspec.Struct, frozen=True):
    """A further folder: its pairs' error rates, and what was skipped in it."""

    name: str
    persons: int
    pictures: int
    skipped: list[Skipped]
    current: list[AtThreshold]
    fitted: list[AtThreshold]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `fidox calibrate` found; `current` is the shipped map, `fitted` the new one."""

    engine: str
    model_id: str
    persons: int
    pictures: int
    skipped: list[Skipped]
    genuine: Distribution
    impostor: Distribution
    current: list[AtThreshold]
    fitted: list[AtThreshold]
    strangers: list[Strangers]
    placed: str
    calibration: Calibration
    warnings: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What a folder gave: float32[n, dimension] and the person of each row."""

    embeddings: NDArray[np.float32]
    persons: list[str]
    skipped: list[Skipped]


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """Person and picture, for each sub-folder that does not begin with `_` or a dot."""
    return [
        (person.name, path)
        for person in sorted(folder.iterdir())
        if person.is_dir() and not person.name.startswith(("_", "."))
        for path in sorted(person.iterdir())
        if path.is_file() and not path.name.startswith(".")
    ]


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


def report(
    engine: Engine,
    found: Embedded,
    pairs: fit.Pairs,
    thresholds: list[float],
    strangers: Mapping[str, Embedded] | None = None,
) -> Report:
    """The numbers of `pairs` under the engine's map and under a fitted one, and those of `strangers` by their names."""
    others = {name: (one, fit.every_pair(one.embeddings, one.persons)) for name, one in (strangers or {}).items()}
    fitted = fit.fit(pairs, {name: group for name, (_, group) in others.items()})
    persons = len(set(found.persons))
    measured = [
        _measured("", found, pairs),
        *(_measured(f" ({name})", one, group) for name, (one, group) in others.items()),
    ]
    calibration = Calibration(
        models=(engine.model_id,),
        measured=f"{'; '.join(measured)}; {datetime.now(UTC):%Y-%m-%d}",
        knots=fitted.knots,
    )
    return Report(
        engine=engine.name,
        model_id=engine.model_id,
        persons=persons,
        pictures=len(found.persons),
        skipped=found.skipped,
        genuine=_distribution(pairs.genuine),
        impostor=_distribution(pairs.impostor),
        current=[_at(pairs, engine.calibration, threshold) for threshold in thresholds],
        fitted=[_at(pairs, calibration, threshold) for threshold in thresholds],
        strangers=[
            Strangers(
                name,
                len(set(one.persons)),
                len(one.persons),
                one.skipped,
                [_at(group, engine.calibration, threshold) for threshold in thresholds],
                [_at(group, calibration, threshold) for threshold in thresholds],
            )
            for name, (one, group) in others.items()
        ],
        placed=fitted.placed,
        calibration=calibration,
        warnings=fit.warnings(pairs, persons),
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


def _measured(where: str, found: Embedded, pairs: fit.Pairs) -> str:
    return (
        f"{pairs.genuine.size} genuine and {pairs.impostor.size} impostor pairs of {len(found.persons)} pictures of"
        f" {len(set(found.persons))} persons{where}"
    )


def _at(pairs: fit.Pairs, calibration: Calibration, threshold: float) -> AtThreshold:
    cosine = calibration.cosine(threshold)
    match, non_match = fit.false_match(pairs, cosine), fit.false_non_match(pairs, cosine)
    return AtThreshold(threshold, round(cosine, 4), _rate(match), _rate(non_match))


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
