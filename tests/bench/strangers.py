"""1:N on labelled photos: how often a stranger is named, and how often a member is not.

`make bench ONLY=strangers` writes the tables into docs/identify.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shared.db.templates import Nearest
from shared.settings import Faces
from tests.bench.accuracy import GROUPS, Measured, measured
from tests.bench.report import Section, rewrite, table
from workers.face import fit
from workers.face.calibration import LOGIN
from workers.face.identification import ALIKE, false_match_rate, needed_score

PAGE = Path(__file__).parents[2] / "docs" / "identify.md"
EAST_ASIA = ("chinese", "korean")
SIZES = (1, 10, 100, 1000, 10_000, 100_000)
DRAWS = 200
LOGIN_SCORE = 0.7


def strangers(_stack) -> Section:
    """Galleries of half of the persons, drawn again and again, and what follows for larger ones from the tail."""
    fpir = Faces().identify_fpir
    section = Section(
        "Identify: strangers and members",
        f"`FIDOX_IDENTIFY_FPIR` at {fpir:g}. Half of the persons of a set are enrolled by one photo each, drawn"
        f" {DRAWS} times; all other photos are searched for. Larger galleries are calculated: strangers from the tail"
        " of the worst group, members from the genuine pairs that reach the score that is asked for.",
    )
    engines = [engine for engine in measured() if engine.name != "dlib"]  # it knows hardly anybody at any size
    lines = [("engine", "persons of", "users", "strangers named at 0.7", "named", "members found at 0.7", "found")]
    for engine in engines:
        for name, groups in (("chinese, korean", EAST_ASIA), ("all groups", tuple(GROUPS))):
            users, plain, ruled = _drawn(engine, groups, fpir)
            row = tuple(f"{share:.2%}" for share in (plain[0], ruled[0], plain[1], ruled[1]))
            lines.append((engine.name, name, str(users), *row))
            what = f"{engine.name}: {name}, {users} users"
            section.add(f"{what}, strangers named", row[1], f"≤ {fpir:.0%}", ruled[0] <= fpir)
            section.add(f"{what}, members found", row[3])
    pages = ["Measured:", table(lines)]
    for engine in engines:
        told = ("strangers named at 0.7", "named", "named, all alike")
        rows = [("users", "score asked for", "cosine", *told, *(f"{group} found" for group in GROUPS))]
        rows += [_calculated(engine, size, fpir) for size in SIZES]
        for row in rows[1:]:
            section.add(f"{engine.name}: {row[0]} users, calculated", f"asks for {row[1]}; {row[4]} named")
        pages += [f"Calculated, `{engine.name}`:", table(rows)]
    rewrite(PAGE, "strangers", "\n\n".join(pages))
    return section


def _drawn(
    engine: Measured, groups: tuple[str, ...], fpir: float
) -> tuple[int, tuple[float, float], tuple[float, float]]:
    """How many users, and the shares of strangers named and of members found, at 0.7 alone and by the rule."""
    rows = np.concatenate([engine.groups[name].embeddings for name in groups])
    persons = np.array([f"{name}/{one}" for name in groups for one in engine.groups[name].persons])
    random = np.random.default_rng(1)
    everybody = np.unique(persons)
    users = len(everybody) // 2
    counts = np.zeros((2, 2))
    trials = np.zeros(2)
    for _ in range(DRAWS):
        enrolled = random.permutation(everybody)[:users]
        chosen = np.array([random.choice(np.flatnonzero(persons == one)) for one in enrolled])
        gallery = rows[chosen]
        others = np.setdiff1d(np.arange(len(rows)), chosen)
        cosines = rows[others] @ gallery.T
        order = np.argsort(cosines, axis=1)
        for row, (probe, place) in enumerate(zip(others, order, strict=True)):
            first, second = int(place[-1]), int(place[-2])
            nearest = Nearest(
                str(enrolled[first]),
                None,
                float(cosines[row, first]),
                users,
                float(cosines[row, second]),
                float(gallery[first] @ gallery[second]),
            )
            score = engine.calibration.score(nearest.cosine)
            member = int(persons[probe] in enrolled)
            right = not member or nearest.user_code == persons[probe]
            trials[member] += 1
            counts[0, member] += right and score >= LOGIN_SCORE
            needed = needed_score(engine.calibration, nearest, threshold=LOGIN_SCORE, fpir=fpir)
            counts[1, member] += right and score >= needed
    plain, ruled = counts / trials
    return users, (float(plain[0]), float(plain[1])), (float(ruled[0]), float(ruled[1]))


def _calculated(engine: Measured, users: int, fpir: float) -> tuple[str, ...]:
    score = needed_score(engine.calibration, Nearest("u", None, 1.0, users), threshold=LOGIN_SCORE, fpir=fpir)
    cosine = engine.calibration.cosine(score)
    alike = max(users * ALIKE, 1)
    rate = min(LOGIN, false_match_rate(fpir, alike))
    found = (1 - fit.false_non_match(group.errors(cosine)).value for group in engine.groups.values())
    named = (1 - (1 - LOGIN) ** alike, 1 - (1 - rate) ** alike, 1 - (1 - rate) ** users)
    return (
        f"{users:,}",
        f"{score:.2f}",
        f"{cosine:.3f}",
        *(f"{share:.1%}" for share in named),
        *(f"{share:.1%}" for share in found),
    )
