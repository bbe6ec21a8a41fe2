"""Both profiles of weights side by side: who is taken for another, and who is not known again, by group of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from deploy.faces import calibrate
from shared.settings import Settings
from tests.bench.faces import PEOPLE
from tests.bench.report import Section
from workers.face import fit
from workers.face.load import load_engines

if TYPE_CHECKING:
    from pathlib import Path

    from workers.face.engines import Engine

RECOGNITION = PEOPLE.parent / "recognition"
GROUPS = {"people": PEOPLE, **{name: RECOGNITION / name for name in ("georgia_tech", "chinese", "korean")}}
LICENCES = ("any", "commercial")
SCORES = (0.7, 0.6)  # where login matches, and where monitoring does
MOST_FALSE = 0.001  # of a group's impostor pairs, at 0.7


def accuracy(_stack) -> Section:
    """Every engine of both profiles on the labelled photos."""
    section = Section(
        "Recognition: who is taken for whom",
        "Labelled photos, each paired with each, at the scores that login (0.7) and monitoring (0.6) match from; in"
        " brackets the 95% Wilson interval, which takes the pairs as independent. `people` are 12 photos of 5 persons,"
        " `georgia_tech` students in one room, `chinese` and `korean` celebrities over many years. `all` has the pairs"
        " across groups as well. The commercial profile's map was fitted on these very photos.",
    )
    for licence in LICENCES:
        for engine in _engines(licence):
            # dlib's engine is the same in both profiles.
            if licence == LICENCES[0] or engine.name == "ezway":
                _measure(section, f"{engine.name}, {engine.detector} + {engine.model_id}", engine)
    return section


def _engines(licence: str) -> list[Engine]:
    settings = Settings.from_env()
    weights = msgspec.structs.replace(settings.weights, licence=licence)
    faces = msgspec.structs.replace(settings.faces, engines=("ezway", "applemango"))
    return load_engines(msgspec.structs.replace(settings, weights=weights, faces=faces))


def _measure(section: Section, name: str, engine: Engine) -> None:
    found = {group: _embedded(engine, folder) for group, folder in GROUPS.items()}
    skipped = sum(len(one.skipped) for one in found.values())
    section.add(f"{name}: photos without one face, or that cannot be read", f"{skipped}")
    everyone = calibrate.Embedded(
        np.concatenate([one.embeddings for one in found.values()]),
        [f"{group}/{person}" for group, one in found.items() for person in one.persons],
        [],
    )
    for group, one in (*found.items(), ("all", everyone)):
        pairs = fit.every_pair(one.embeddings, one.persons)
        for score in SCORES:
            cosine = engine.calibration.cosine(score)
            false, missed = fit.false_match(pairs, cosine), fit.false_non_match(pairs, cosine)
            target = (
                ("≤ 0.1%", false.low <= MOST_FALSE) if score == SCORES[0] and engine.name == "ezway" else ("", None)
            )
            section.add(f"{name}: {group}, strangers that match at {score}", _cell(false), *target)
            section.add(f"{name}: {group}, the same person missed at {score}", _cell(missed))


def _embedded(engine: Engine, folder: Path) -> calibrate.Embedded:
    return calibrate.embed(engine, calibrate.files_of(folder), folder, Settings.from_env(), lambda: None)


def _cell(rate: fit.Rate) -> str:
    return f"{rate.errors} of {rate.trials}: {rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})"
