"""Presentation attacks: what the photo check finds and whom it refuses, and what other ways of asking would.

APCER, of attacks of one kind the share that is taken for genuine, and BPCER, of living faces the share that is taken
for an attack, are defined by ISO/IEC 30107-3. `make bench ONLY=attacks` writes the tables into docs/liveness.md.
"""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from shared.contracts import Check
from shared.settings import Settings
from shared.weights import WeightStore, of_check
from tests.bench.report import Section
from tests.support import attacks
from workers.face.fit import wilson
from workers.liveness.classifiers import LIMIT, Classifier
from workers.liveness.photo import photo_check
from workers.vision.decode import ImageError, decode
from workers.vision.detection import DetectOptions
from workers.vision.detectors import open_detector
from workers.vision.primary_face import primary_face

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.attacks import Picture

PAGE = Path(__file__).parents[2] / "docs" / "liveness.md"
BEGIN, END = "<!-- written by make bench ONLY=attacks -->", "<!-- end -->"
# What would be refused of the living, where ways of asking are compared.
AT_BPCER = 0.05
# The share of attacks at which a score reads as a probability: see docs/liveness.md.
SHARE = 0.15
# Of the log-odds where ways of asking are compared: the least of several must not be a tie of limits.
WIDE = 20.0
BINS = (0.0, 0.2, 0.5, 0.8, 1.0)
EDGES = ("repeat", "move", "black")


class Looked(NamedTuple):
    """A picture with the check's score, and the log-odds of each network in each way of asking."""

    picture: Picture
    score: float
    views: dict[str, float]


def attacks_found(_stack) -> Section:
    """The photo check on every attack and living face at hand."""
    settings = Settings.from_env()
    look = _looker(settings)
    looked = [one for picture in attacks.pictures() if (one := look(picture)) is not None]
    masked = [one for picture in attacks.masked() if (one := look(picture)) is not None]
    threshold = settings.liveness.threshold_photo
    section = Section(
        "Presentation attacks",
        f"The photo check in this process, at {threshold}, on the pictures beside the checkout that show one face; in"
        " brackets the 95% Wilson interval. docs/liveness.md has these tables, and what they do not prove.",
    )
    rates = _rates(looked, masked, threshold)
    for line in rates[1:]:
        section.add(f"{line[0]}: {line[1]}", line[2])
    section.add("area under the ROC curve", f"{_auc([one.score for one in looked], looked):.3f}")
    held_out = _held_out(looked)
    section.add("way of asking and threshold chosen without the source", held_out)
    _write(rates, _ways(looked), _reliability(looked), held_out)
    return section


def _looker(settings: Settings) -> Callable[[Picture], Looked | None]:
    found, missing = of_check(WeightStore(settings.weights), Check.PHOTO)
    assert not missing, missing
    detector = open_detector(settings)
    check = photo_check(settings.inference, *found)
    ways: dict[str, Classifier] = {}
    for located, edge in itertools.product(found, EDGES):
        form = msgspec.structs.replace(located.weight.form, edges=(edge,))
        changed = located._replace(weight=msgspec.structs.replace(located.weight, form=form))
        short = "V2" if "v2" in located.weight.name else "V1SE"
        ways[f"{short} {edge}"] = Classifier(settings.inference, changed, limit=WIDE)

    def look(picture: Picture) -> Looked | None:
        try:
            image = decode(picture.path.read_bytes(), max_pixels=settings.faces.max_pixels)
            box = primary_face(detector.detect(image, DetectOptions()).faces).box
        except ImageError:
            return None
        views = {name: way.log_odds(image.pixels, box)[0] for name, way in ways.items()}
        return Looked(picture, check.score(image.pixels, box), views)

    return look


def _rates(looked: Sequence[Looked], masked: Sequence[Looked], threshold: float) -> list[tuple[str, ...]]:
    lines = [("rate", "of", "wrong")]
    attacking = [one for one in looked if one.picture.kind]
    living = [one for one in looked if not one.picture.kind]
    kinds = dict.fromkeys(one.picture.kind for one in attacking)
    lines += [("APCER", str(kind), _missed(attacking, threshold, kind=kind)) for kind in kinds]
    lines.append(("APCER", "all attacks", _missed(attacking, threshold)))
    sources = dict.fromkeys(one.picture.source for one in living)
    lines += [("BPCER", source, _refused(living, threshold, source=source)) for source in sources]
    lines.append(("BPCER", "all living, bare faces", _refused(living, threshold)))
    lines.append(("BPCER", "masked faces, for comparison", _refused(masked, threshold)))
    return lines


def _missed(attacking: Sequence[Looked], threshold: float, *, kind: str | None = None) -> str:
    return _share([one.score >= threshold for one in attacking if kind in {None, one.picture.kind}])


def _refused(living: Sequence[Looked], threshold: float, *, source: str | None = None) -> str:
    return _share([one.score < threshold for one in living if source in {None, one.picture.source}])


def _combinations() -> dict[str, Callable[[dict[str, float]], float]]:
    """Every way of asking that was tried: each network alone, in each way, pairs and three by mean, pairs by least."""
    names = [f"{network} {edge}" for network in ("V2", "V1SE") for edge in EDGES]
    found: dict[str, Callable[[dict[str, float]], float]] = {}
    for size in (1, 2, 3):
        for chosen in itertools.combinations(names, size):
            found[f"mean of {', '.join(chosen)}" if size > 1 else chosen[0]] = partial(_mean, chosen)
            if size == 2:
                found[f"least of {', '.join(chosen)}"] = partial(_least, chosen)
    return found


def _mean(chosen: Sequence[str], views: dict[str, float]) -> float:
    return float(np.mean([max(-LIMIT, min(LIMIT, views[name])) for name in chosen]))


def _least(chosen: Sequence[str], views: dict[str, float]) -> float:
    return min(views[name] for name in chosen)


BEST = 5
SHIPPED = "mean of V2 repeat, V2 move, V1SE move"
BEFORE = "mean of V2 repeat, V1SE repeat"


def _ways(looked: Sequence[Looked]) -> list[tuple[str, ...]]:
    """Return each combination with the area under its curve, and its APCER where AT_BPCER of the living are refused."""
    found: list[tuple[tuple[float, float], tuple[str, ...]]] = []
    for name, combine in _combinations().items():
        good = _goodness([combine(one.views) for one in looked], looked)
        found.append((good, (name, f"{-good[1]:.3f}", f"{100 * good[0]:.0f}%")))
    found.sort()
    wanted = {SHIPPED, BEFORE, *(f"{network} {edge}" for network in ("V2", "V1SE") for edge in EDGES)}
    shown = [line for place, (_, line) in enumerate(found) if place < BEST or line[0] in wanted]
    return [("way of asking", "AUC", f"APCER at a BPCER of {AT_BPCER:.0%}"), *shown]


def _held_out(looked: Sequence[Looked]) -> str:
    """For each source of attacks: choose way and threshold on all others, then try them on it."""
    combinations = _combinations()
    values = {name: np.array([combine(one.views) for one in looked]) for name, combine in combinations.items()}
    missed: list[bool] = []
    for source in dict.fromkeys(one.picture.source for one in looked if one.picture.kind):
        inside = np.array([one.picture.source == source for one in looked])
        rest = [one for one, is_in in zip(looked, inside, strict=True) if not is_in]
        best = min(values, key=lambda name: _goodness(values[name][~inside], rest))
        at = _threshold(values[best][~inside], rest)
        missed += [
            bool(value >= at)
            for value, one, is_in in zip(values[best], looked, inside, strict=True)
            if is_in and one.picture.kind
        ]
    return _share(missed)


def _goodness(values: Sequence[float], looked: Sequence[Looked]) -> tuple[float, float]:
    """Less is better: the APCER at AT_BPCER, and where that is equal the area under the curve."""
    at = _threshold(values, looked)
    missed = [value >= at for value, one in zip(values, looked, strict=True) if one.picture.kind]
    return float(np.mean(missed)), -_auc(values, looked)


def _auc(values: Sequence[float], looked: Sequence[Looked]) -> float:
    """The mean over sources of living faces: of pairs of an attack and such a face, those in the right order."""
    every = np.asarray(values)
    attack = np.array([bool(one.picture.kind) for one in looked])
    areas: list[float] = []
    for source in dict.fromkeys(one.picture.source for one in looked if not one.picture.kind):
        living = every[[not one.picture.kind and one.picture.source == source for one in looked]]
        above = living[None] > every[attack][:, None]
        areas.append(float((above + 0.5 * (living[None] == every[attack][:, None])).mean()))
    return float(np.mean(areas))


def _threshold(values: Sequence[float], looked: Sequence[Looked]) -> float:
    living = np.sort([value for value, one in zip(values, looked, strict=True) if not one.picture.kind])
    return float(living[int(AT_BPCER * living.size)])


def _reliability(looked: Sequence[Looked]) -> list[tuple[str, ...]]:
    """Of the pictures whose score lies in a range, how many were genuine, were SHARE of all pictures attacks."""
    lines = [("score", "attacks", "living", f"genuine, were {SHARE:.0%} of all pictures attacks")]
    scores = np.array([one.score for one in looked])
    attack = np.array([bool(one.picture.kind) for one in looked])
    for low, high in itertools.pairwise(BINS):
        inside = (scores >= low) & ((scores < high) | (high == 1.0))
        wrong = (inside & attack).sum() / attack.sum() * SHARE
        right = (inside & ~attack).sum() / (~attack).sum() * (1 - SHARE)
        share = f"{100 * right / (right + wrong):.0f}%" if right + wrong else ""
        lines.append((f"{low:g} to {high:g}", str((inside & attack).sum()), str((inside & ~attack).sum()), share))
    return lines


def _share(wrong: Sequence[bool]) -> str:
    rate = wilson(sum(wrong), len(wrong))
    share = f"{100 * sum(wrong) / len(wrong):.0f}%, {sum(wrong)} of {len(wrong)}"
    return f"{share} ({100 * rate.low:.0f} to {100 * rate.high:.0f}%)"


def _write(
    rates: list[tuple[str, ...]], ways: list[tuple[str, ...]], bins: list[tuple[str, ...]], held_out: str
) -> None:
    table = "\n\n".join(_table(lines) for lines in (rates, ways, bins))
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    assert after, f"{PAGE} has no {BEGIN} … {END}"
    note = f"Chosen without the attacks' own source, the best way of asking and its threshold miss {held_out}."
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{note}\n\n{END}{after}", "utf-8")
    print(f"wrote {PAGE}")


def _table(lines: list[tuple[str, ...]]) -> str:
    head, *rest = lines
    cells = [head, ("---",) * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
