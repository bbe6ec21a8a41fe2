"""What the product makes of pictures as people send them: turned, small, dark, unsharp, crowded, and without people.

python -m tests.bench sight
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import cv2
import msgspec
import numpy as np

from shared.contracts import DetectFaces
from shared.settings import Settings
from tests.bench.detectors import HEIGHTS, TESTDATA, in_crowds
from tests.bench.report import Section
from workers.face.analysis import Analysis, Want, analyse
from workers.face.anonymous import detect_once
from workers.face.load import load_engines, load_judges
from workers.vision.decode import ImageError, decode
from workers.vision.detection import Detection, DetectOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workers.face.engines import Engine
    from workers.face.judges import Judges

    Pixels = NDArray[np.uint8]

MAX_PIXELS = 100_000_000
OPTIONS = DetectOptions()
LICENCES = ("any", "commercial")
# A probe and a photo that it is compared with, of each person.
PERSONS = ("people/[a-z]*", "recognition/georgia_tech/*", "recognition/chinese/*", "recognition/korean/*")
LONGER = 1000
SIZES = (100, 64, 48, 32, 24, 16)
MOST_FALSE, LEAST_SMALL, LEAST_TINY = 0.01, 0.70, 0.55
LEAST_TURNED = 0.95
MOST_NOBODIES = 2


class Pair(NamedTuple):
    """Two photos of a person; the probe's face is `height` pixels high."""

    probe: Pixels
    height: float
    other: Analysis


def sight(_stack) -> Section:
    """Everything, by both profiles of weights."""
    section = Section(
        "Sight: pictures as people send them",
        "Of each person at hand one photo, spoilt, against another as it is: how many of those that match unspoilt are"
        " known again at 0.7, refused as too bad to compare (FR005), missed without a word, or without a face. Then"
        " crowds, pictures without people, and what the ways around it cost an ordinary portrait.",
        header=("weights", "probe", "pairs", "known again", "refused", "missed", "no face"),
    )
    for licence in LICENCES:
        engine, judges = _opened(licence)
        pairs = [pair for pair in _pairs(engine, judges) if _says(engine, judges, pair.probe, pair.other) == "known"]
        for name, spoil in _spoilt():
            said = [_says(engine, judges, spoil(pair), pair.other) for pair in pairs]
            counts = [said.count(word) for word in ("known", "refused", "missed", "no face")]
            section.line(licence, name, str(len(pairs)), *map(str, counts))
            if name.startswith("turned") and licence == LICENCES[0]:
                share = counts[0] / len(pairs)
                section.add(f"{name}, of what upright gives", f"{share:.0%}", "≥ 95%", share >= LEAST_TURNED)
        _crowds(section, licence, engine)
        _nobodies(section, licence, engine, judges)
        _price(section, licence, engine, judges)
    return section


def _opened(licence: str) -> tuple[Engine, Judges]:
    settings = Settings.from_env()
    weights = msgspec.structs.replace(settings.weights, licence=licence)
    (engine,) = load_engines(msgspec.structs.replace(settings, weights=weights), only=["ezway"])
    return engine, load_judges(settings)


def _analysed(engine: Engine, judges: Judges, data: bytes, want: Want = Want.EMBEDDING) -> Analysis | None:
    try:
        return analyse(engine, data, OPTIONS, want, max_pixels=MAX_PIXELS, judges=judges)
    except ImageError:
        return None


def _files() -> Iterator[list[Path]]:
    """The photos of each person."""
    for pattern in PERSONS:
        for folder in sorted(TESTDATA.glob(pattern)):
            yield sorted(folder.iterdir())


def _pairs(engine: Engine, judges: Judges) -> Iterator[Pair]:
    for files in _files():
        usable = ((path, _analysed(engine, judges, path.read_bytes())) for path in files)
        first = list(itertools.islice(((path, found) for path, found in usable if found is not None), 2))
        if len(first) < 2:
            continue
        (path, found), (_, other) = first
        pixels = decode(path.read_bytes(), max_pixels=MAX_PIXELS, keep_side=LONGER).pixels
        height = found.chosen.height * pixels.shape[0] / found.profile.image_size[1]
        yield Pair(pixels, height, other)


def _says(engine: Engine, judges: Judges, pixels: Pixels, other: Analysis) -> str:
    """What compare makes of it."""
    found = _analysed(engine, judges, cv2.imencode(".png", pixels)[1].tobytes())
    if found is None:
        return "no face"
    if engine.calibration.score(float(found.embedding @ other.embedding)) >= 0.7:
        return "known"
    return "refused" if found.unfit else "missed"


def _spoilt() -> Iterator[tuple[str, Callable[[Pair], Pixels]]]:
    for degrees, code in ((90, cv2.ROTATE_90_CLOCKWISE), (180, cv2.ROTATE_180), (270, cv2.ROTATE_90_COUNTERCLOCKWISE)):
        yield f"turned {degrees}°", lambda pair, code=code: cv2.rotate(pair.probe, code)
    for size in SIZES:
        yield f"face {size} px", lambda pair, size=size: _shrunk(pair, size)
    for share in (0.25, 0.1, 0.05, 0.03):
        yield f"{share:.0%} of the light", lambda pair, share=share: _darkened(pair.probe, share)
    for share in (0.03, 0.06):
        yield (
            f"blurred by {share:.0%} of the face",
            lambda pair, share=share: cv2.GaussianBlur(pair.probe, (0, 0), share * pair.height),
        )
    for share in (0.1, 0.2):
        yield f"moved by {share:.0%} of the face", lambda pair, share=share: _moved(pair, share)
    for quality in (10, 5):
        yield (
            f"JPEG {quality}",
            lambda pair, quality=quality: cv2.imdecode(
                cv2.imencode(".jpg", pair.probe, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
            ),
        )


def _shrunk(pair: Pair, size: int) -> Pixels:
    scale = min(1.0, size / pair.height)
    return cv2.resize(pair.probe, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _darkened(pixels: Pixels, share: float) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 1, pixels.shape)
    return np.clip(pixels * share + noise, 0, 255).astype(np.uint8)


def _moved(pair: Pair, share: float) -> Pixels:
    length = max(3, int(share * pair.height) | 1)
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    return cv2.filter2D(pair.probe, -1, kernel)


def _crowds(section: Section, licence: str, engine: Engine) -> None:
    boxes = 0

    def find(data: bytes) -> Iterable[Detection]:
        nonlocal boxes
        found = detect_once(engine, data, DetectFaces(), max_pixels=MAX_PIXELS)
        boxes += len(found.faces)
        for face in found.faces:
            box = np.array([face.x, face.y, face.x + face.width, face.y + face.height], np.float32)
            yield Detection(box, face.confidence, None)

    counts, wrong = in_crowds(find)
    targets = {16: LEAST_SMALL, 8: LEAST_TINY}
    for (low, high), (hit, total) in zip(HEIGHTS, counts, strict=True):
        least = targets.get(low)
        met = None if least is None else hit / total >= least
        what = f"{licence}: crowds, faces of {low} to {high} px" if high < 4096 else f"{licence}: crowds, {low} px on"
        section.add(what, f"{hit} of {total}: {hit / total:.0%}", f"≥ {least:.0%}" if least else "", met)
    section.add(
        f"{licence}: crowds, boxes without a labelled face",
        f"{wrong} of {boxes}: {wrong / boxes:.1%}",
        "≤ 1%",
        wrong / boxes <= MOST_FALSE,
    )


def _nobodies(section: Section, licence: str, engine: Engine, judges: Judges) -> None:
    pictures = sorted((TESTDATA / "no_people").glob("*.jpg"))
    taken = _taken(engine, judges, pictures)
    section.add(
        f"{licence}: pictures without people that register takes",
        f"{taken} of {len(pictures)}",
        f"≤ {MOST_NOBODIES}",
        taken <= MOST_NOBODIES,
    )
    photos = [path for files in _files() for path in files]
    section.add(f"{licence}: photos of people that it takes", f"{_taken(engine, judges, photos)} of {len(photos)}")


def _taken(engine: Engine, judges: Judges, paths: Iterable[Path]) -> int:
    found = (_analysed(engine, judges, path.read_bytes(), Want.TEMPLATE) for path in paths)
    return sum(one is not None and not one.faults for one in found)


def _price(section: Section, licence: str, engine: Engine, judges: Judges) -> None:
    """CPU time of one portrait as it is done, over that of its parts alone; each photo in turns, the median."""
    ratios: list[float] = []
    for files in _files():
        data = files[0].read_bytes()
        try:
            decode(data, max_pixels=MAX_PIXELS)
        except ImageError:
            continue
        bare = whole = 0.0
        for _ in range(5):
            started = time.process_time()
            image = decode(data, max_pixels=MAX_PIXELS)
            faces = engine.detect(image, OPTIONS).faces
            if faces:
                engine.embed(image, faces[0])
            middle = time.process_time()
            _analysed(engine, judges, data)
            bare, whole = bare + middle - started, whole + time.process_time() - middle
        ratios.append(whole / bare)
    median, mean = statistics.median(ratios), statistics.mean(ratios)
    section.add(
        f"{licence}: an ordinary portrait, over decode, detect and embed alone",
        f"{median:.2f} x (mean {mean:.2f})",
        "≤ 1.1 x",
        median <= 1.1,
    )
