"""Every engine on labelled photos: who is taken for another, and who is not known again, by group of people.

`make bench ONLY=accuracy` writes the tables into docs/accuracy.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from deploy.faces import calibrate
from shared.settings import Settings
from tests.bench.faces import PEOPLE
from tests.bench.report import Section, rewrite, table
from workers.face import fit
from workers.face.load import load_engines

if TYPE_CHECKING:
    from workers.face.calibration import Calibration

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
RECOGNITION = PEOPLE.parent / "recognition"
GROUPS = {"people": PEOPLE, **{name: RECOGNITION / name for name in ("georgia_tech", "chinese", "korean")}}
ENGINES = ("ezway", "applemango", "dlib")
# Where login matches and where monitoring does, and the false match rate that stands for.
SCORES = {0.7: 0.001, 0.6: 0.01}
SPLITS = 100


class Measured(NamedTuple):
    """An engine and its embeddings of each group."""

    name: str
    networks: str
    calibration: Calibration
    groups: dict[str, fit.Group]
    skipped: int


def accuracy(_stack) -> Section:
    """The error rates of every engine at both scores, and of a map that is fitted without half of the persons."""
    section = Section(
        "Recognition: who is taken for whom",
        "Labelled photos, each paired with each of its group, at the scores that login (0.7) and monitoring (0.6) match"
        " from. In brackets the 95% interval, the wider of Wilson's and that of drawing persons. `people` are 12 photos"
        " of 5 persons, `georgia_tech` students in one room, `chinese` and `korean` celebrities over many years. The"
        " maps were fitted on these very photos: docs/accuracy.md says what they do among persons left out.",
    )
    engines = measured()
    pages: list[str] = []
    for score, most in SCORES.items():
        lines = [("", *(f"{engine.name} at {engine.calibration.cosine(score):.3f}" for engine in engines))]
        missed = [("", *(engine.name for engine in engines))]
        for group in GROUPS:
            errors = [engine.groups[group].errors(engine.calibration.cosine(score)) for engine in engines]
            matches, misses = [fit.false_match(one) for one in errors], [fit.false_non_match(one) for one in errors]
            for engine, match, miss in zip(engines, matches, misses, strict=True):
                name = f"{engine.name}: {group}"
                promised = f"≤ {most:.1%}", match.value <= most
                section.add(f"{name}, strangers that match at {score}", cell(match), *promised)
                section.add(f"{name}, the same person missed at {score}", cell(miss))
            lines.append((group, *map(cell, matches)))
            missed.append((group, *map(cell, misses)))
        pages += [f"Strangers that match at {score}:", table(lines), f"The same person missed at {score}:"]
        pages.append(table(missed))
    halves = [("", "its 0.7", "highest rate in a group", "halves with a group over 0.1 %"), *map(_split, engines)]
    for line in halves[1:]:
        section.add(f"{line[0]}: fitted to half of the persons, at 0.7 among the others", f"{line[2]}; {line[3]}")
    pages += [f"Fitted to half of the persons of every group, tried on the other half, {SPLITS} times:", table(halves)]
    rewrite(PAGE, "accuracy", "\n\n".join(pages))
    return section


def measured() -> list[Measured]:
    """Embed all groups with each engine that can be loaded."""
    settings = Settings.from_env()
    faces = msgspec.structs.replace(settings.faces, engines=ENGINES)
    found: list[Measured] = []
    for engine in load_engines(msgspec.structs.replace(settings, faces=faces)):
        groups: dict[str, fit.Group] = {}
        skipped = 0
        for name, folder in GROUPS.items():
            one = calibrate.embed(engine, calibrate.files_of(folder), folder, settings, lambda: None)
            groups[name] = fit.Group(one.embeddings, one.persons)
            skipped += len(one.skipped)
        networks = f"{engine.detector} + {engine.model_id}"
        found.append(Measured(engine.name, networks, engine.calibration, groups, skipped))
    return found


def _split(engine: Measured) -> tuple[str, str, str, str]:
    """How the map of half of the persons does among those that it was not made from."""
    random = np.random.default_rng(5)
    targets: list[float] = []
    highest: list[float] = []
    for _ in range(SPLITS):
        seen: dict[str, fit.Group] = {}
        unseen: dict[str, fit.Group] = {}
        for name, group in engine.groups.items():
            persons = np.array(group.persons)
            everybody = np.unique(persons)
            random.shuffle(everybody)
            chosen = np.isin(persons, everybody[: len(everybody) // 2])
            seen[name] = fit.Group(group.embeddings[chosen], persons[chosen].tolist())
            unseen[name] = fit.Group(group.embeddings[~chosen], persons[~chosen].tolist())
        targets.append(fit.fit(seen).target)
        pairs = [group.pairs.impostor for group in unseen.values()]
        highest.append(max(float((one >= targets[-1]).mean()) for one in pairs if one.size))
    over = sum(rate > SCORES[0.7] for rate in highest)
    spread = f"{np.mean(targets):.3f} ± {np.std(targets):.3f}"
    return engine.name, spread, f"{max(highest):.2%}", f"{over} of {SPLITS}"


def cell(rate: fit.Rate) -> str:
    """A rate for a table."""
    return f"{rate.errors} of {rate.trials}: {rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})"
