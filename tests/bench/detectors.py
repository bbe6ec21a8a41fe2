"""Which faces each detector finds, by their size, what else it takes for a face, and what a photo costs.

python -m tests.bench detectors

crowds     every face of three group pictures, with its box
ladder     photos of one person each, shrunk until the face has so many pixels of the detector's 640
tight      the same faces cut out with little around them, as from an ID card
no people  pictures in which some detector sees a face: figures are to be compared, they are no rate
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from shared.settings import Inference
from tests.bench.networks import F32, find, runtimes
from tests.bench.report import Section
from workers.vision.decode import Image, ImageError, decode
from workers.vision.detection import Detection, DetectOptions
from workers.vision.detectors import load_detector
from workers.vision.grid import SIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from workers.inference.network import FloatArray
    from workers.vision.detectors import Detector

TESTDATA = Path(__file__).parents[3] / "shared" / "testdata"
MAX_PIXELS = 100_000_000
CONFIDENCES = (0.3, 0.5, 0.7)
# Pixels of the picture; the crowds are 1,024 wide, so that 16 are 10 of the detector's input.
HEIGHTS = ((8, 16), (16, 32), (32, 64), (64, 4096))
LADDER = (10, 12, 16, 20, 24, 32, 64, 256)
MARGINS = (-0.05, 0.0, 0.1, 0.25)
LEAST_CROP = 40
EVERY = 3  # of the photos of one person, which are 249
SAME = 0.3  # IoU of a face and what was found


class Face(NamedTuple):
    """A picture, and where in it the face is: x1 y1 x2 y2."""

    pixels: NDArray[np.uint8]
    box: FloatArray


def detectors(_stack) -> Section:
    """Each detector at hand, in each precision, at the product's confidence and around it."""
    section = Section(
        "Detectors",
        f"Confidence and faces found: in {len(_crowds())} crowds by height in pixels (wrong: boxes where no face is"
        " labelled), in a ladder of sizes in the detector's 640 pixels, in tight crops by their margin; boxes in"
        " pictures without people. CPU milliseconds of finding, median of the ladder's photos.",
        header=(
            "detector",
            "confidence",
            *(f"{low} to {high}" if high < 4096 else f"{low} and more" for low, high in HEIGHTS),
            "wrong",
            *(f"{size} px" for size in LADDER),
            *(f"crop {margin:+.0%}" for margin in MARGINS),
            "no people",
            "ms",
        ),
    )
    opened = dict(_open())
    faces = list(_faces(list(opened.values())))
    rungs = {size: [_at_height(face, size) for face in faces] for size in LADDER}
    crops = {margin: [crop for face in faces if (crop := _cropped(face, margin)) is not None] for margin in MARGINS}
    empty = [pixels for _, pixels in _pictures((TESTDATA / "no_people").glob("*.jpg"))]
    for name, detector in opened.items():
        for confidence in CONFIDENCES:
            options = DetectOptions(confidence=confidence)
            found, wrong = _in_crowds(detector, options)
            false = sum(len(detector.detect(Image.of(pixels), options).faces) for pixels in empty)
            section.line(
                name,
                str(confidence),
                *(f"{hit} of {total}" for hit, total in found),
                str(wrong),
                *(_share(detector, options, rung) for rung in rungs.values()),
                *(_share(detector, options, group) for group in crops.values()),
                str(false),
                f"{_ms(detector, options, faces):.1f}",
            )
    return section


def _open() -> Iterator[tuple[str, Detector]]:
    """Each detector at hand, in each precision of this machine."""
    for name in ("scrfd_500m", "scrfd_2.5g", "scrfd_10g", "yunet_2023mar"):
        located = find(name)
        for kind in runtimes()[1:] if located is not None else ():
            precision = "f32" if kind == F32 else "bf16"
            yield f"{name}, {kind}", load_detector(located, Inference(precision=precision, gpu="off"))


def _crowds() -> dict[str, list[list[float]]]:
    return json.loads((TESTDATA / "crowds" / "boxes.json").read_text())


def _in_crowds(detector: Detector, options: DetectOptions) -> tuple[list[tuple[int, int]], int]:
    def find(data: bytes) -> Iterator[Detection]:
        image = decode(data, max_pixels=MAX_PIXELS)
        for face in detector.detect(image, options).faces:
            yield Detection(face.box / image.scale, face.confidence, None)

    return in_crowds(find)


def in_crowds(find: Callable[[bytes], Iterable[Detection]]) -> tuple[list[tuple[int, int]], int]:
    """Of each of HEIGHTS the faces found and all; then the boxes that are no face's. Each box is one face's only.

    `find` gives the faces of a file in its pixels.
    """
    counts = {bounds: [0, 0] for bounds in HEIGHTS}
    wrong = 0
    for name, boxes in _crowds().items():
        left = [face.box for face in find((TESTDATA / "crowds" / name).read_bytes())]
        for box in sorted(boxes, key=lambda box: box[1] - box[3]):
            best = max(range(len(left)), key=lambda place: _iou(left[place], box), default=None)
            is_found = best is not None and _iou(left[best], box) >= SAME
            if best is not None and is_found:
                left.pop(best)
            for (low, high), count in counts.items():
                if low <= box[3] - box[1] < high:
                    count[0] += is_found
                    count[1] += 1
        wrong += len(left)
    return [(hit, total) for hit, total in counts.values()], wrong


def _faces(opened: list[Detector]) -> Iterator[Face]:
    """Photos of one person with the face's box: the mean of at least two detectors' boxes that agree."""
    folders = [path for path in (TESTDATA / "people").iterdir() if not path.name.startswith("_")]
    folders += (TESTDATA / "recognition").glob("*/*")
    paths = sorted(path for folder in folders for path in folder.iterdir())
    for _, pixels in _pictures(paths[::EVERY]):
        firsts = [found[0].box for one in opened if (found := one.detect(Image.of(pixels), DetectOptions()).faces)]
        for first in firsts:
            agreed = [box for box in firsts if _iou(first, box) > SAME]
            if 2 * len(agreed) > len(opened):
                yield Face(pixels, np.mean(agreed, axis=0))
                break


def _pictures(paths: Iterable[Path]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for path in sorted(paths):
        try:
            yield path.name, decode(path.read_bytes(), max_pixels=MAX_PIXELS).pixels
        except ImageError:  # two of the collected files are web pages
            continue


def _at_height(face: Face, height: int) -> Face:
    """The photo shrunk until its face has `height` pixels, in the middle of a grey square as large as the input."""
    scale = height / float(face.box[3] - face.box[1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(face.pixels, None, fx=scale, fy=scale, interpolation=way)
    canvas = np.full((SIDE, SIDE, 3), 128, np.uint8)
    box = face.box * scale
    left, top = (round(SIDE / 2 - float(box[axis] + box[axis + 2]) / 2) for axis in (0, 1))
    into = slice(max(0, top), top + small.shape[0]), slice(max(0, left), left + small.shape[1])
    part = small[max(0, -top) :, max(0, -left) :]
    room = canvas[into]
    room[:] = part[: room.shape[0], : room.shape[1]]
    return Face(canvas, box + np.array([left, top, left, top], np.float32))


def _cropped(face: Face, margin: float) -> Face | None:
    """The face with `margin` of its size on every side; None where few pixels are left."""
    around = (face.box[2:] - face.box[:2]) * margin
    x1, y1 = (int(value) for value in np.maximum(face.box[:2] - around, 0))
    x2, y2 = (int(value) for value in face.box[2:] + around)
    pixels = np.ascontiguousarray(face.pixels[y1:y2, x1:x2])
    if min(pixels.shape[:2]) < LEAST_CROP:
        return None
    return Face(pixels, face.box - np.array([x1, y1, x1, y1], np.float32))


def _share(detector: Detector, options: DetectOptions, faces: list[Face]) -> str:
    found = sum(_has(detector.detect(Image.of(face.pixels), options).faces, face.box) for face in faces)
    return f"{100 * found / len(faces):.0f}%"


def _has(found: Iterable[Detection], box: FloatArray) -> bool:
    return any(_iou(one.box, box) >= SAME for one in found)


def _ms(detector: Detector, options: DetectOptions, faces: list[Face]) -> float:
    times: list[float] = []
    for face in faces:
        started = time.process_time()
        detector.detect(Image.of(face.pixels), options)
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def _iou(a: Sequence[float] | FloatArray, b: Sequence[float] | FloatArray) -> float:
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0.0, float(across)) * max(0.0, float(down))
    areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b)]
    return both / (sum(areas) - both) if both else 0.0
