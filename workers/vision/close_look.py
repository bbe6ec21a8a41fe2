"""Small faces: a picture looked at again at a finer scale, in tiles as large as the detector's input.

A detector's first look sees the whole picture in 640 pixels: of a photo with 4,000 in a row it sees a face of 150
pixels, and misses one of 100. So the picture is looked at in levels, from coarse to fine, each a grid of tiles:

    first look ─> up to SIGHT of what is needed to see a face of SMALLEST pixels, each level at most REACH times finer
             └──> where there are faces below CROWD in the input: GROW times finer around them, up to FINEST

A level adds only faces that the one before sees too small to be sure of (SMALL, in its input), so a pattern of the size
of a face in the first look stays what the first look took it for. Tiles overlap by as much as the largest such face,
and what the border between two tiles cuts is left to the other one. What overlaps a face that is known is that face.

Measured with SCRFD 500m on three crowds of 1,024 pixels: 63 of 87 faces of 16 to 32 pixels (36 in the first look alone)
and 17 of 25 of 8 to 16 (none). Three of 140 boxes are not labelled, heads half hidden behind others. docs/accuracy.md
has the rest. The price is bounded: MOST_TILES looks, and as many seconds as the caller grants.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from workers.vision.decode import Image
from workers.vision.detection import Detection, Detections, DetectionTimes, Stopwatch
from workers.vision.grid import SIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from workers.inference.network import FloatArray
    from workers.vision.detection import DetectOptions
    from workers.vision.upright import Finder

# Pixels of the file's picture: the height of a face that is looked for in a picture of any size.
SMALLEST = 40.0
# Pixels of the detector's input: the height from which SCRFD 500m finds 93 % of faces and YuNet 88 %; at 20 they find
# 85 and 71 %, at 32 they find 98 and 95 %.
SEEN = 24.0
SIGHT = SEEN / SMALLEST
# Below this height in a level's input a face may have been missed, and the next level is asked.
SMALL = 40.0
# A face below this, and there are likely to be smaller ones: a crowd.
CROWD = 32.0
REACH = 4.0
GROW = 1.6
# Pixels of the input for one of the file: enlarged more, faces are found no better, and more non-faces are.
FINEST = 2.0
LEAST_OVERLAP = 64
# 48 megapixels take 72 at SIGHT; 12 take 20. A tile takes 8 to 25 ms.
MOST_TILES = 72
# What overlaps a known face by so much of the union, or of the smaller box, is the same face.
SAME_UNION, SAME_SMALLER = 0.4, 0.7
# Detectors that see a picture in SIDE pixels.
_LOOKS_COARSELY = ("scrfd_", "yunet_")


@dataclass(frozen=True, slots=True, eq=False)
class Closer:
    """All faces, in pixels of the first look's image, and how small a face was looked for.

    `smallest_px` is in pixels of the file: the height from which nine of ten faces are found.
    """

    detections: Detections
    smallest_px: float


def with_more(first: Detections, other: Detections) -> Detections:
    """Return the faces of `first` and those of `other`, a look at the same pixels, that `first` does not have."""
    more = [face for face in other.faces if not any(_is_same(face.box, known.box) for known in first.faces)]
    faces = sorted((*first.faces, *more), key=lambda face: -face.area)
    return replace(first, faces=tuple(faces), times=first.times + other.times)


class Search:
    """One picture's closer looks, which may be taken a few at a time; coordinates are the file's until the end.

    `full` gives the same picture with at least SIGHT of the file's pixels, in a row as in a column. Unless `always`, a
    picture in which the first look found faces, and no small one, is taken for a portrait and not looked at again.
    """

    def __init__(
        self,
        finder: Finder,
        image: Image,
        first: Detections,
        options: DetectOptions,
        full: Callable[[], Image],
        *,
        always: bool,
    ) -> None:
        self._finder = finder
        self._image = image
        self._first = first
        self._open = full
        self._options = replace(options, max_faces=0)
        self._most = options.max_faces
        self._faces = [_scaled(face, 1 / image.scale) for face in first.faces]
        self._times = first.times
        self._left = MOST_TILES
        # Of the look without a margin, whichever the detector answered with; dlib's sees as little as that.
        self._scale = SIDE / max(image.width, image.height)
        self._sight = self._scale
        self._work = self._run() if self._is_worth_it(always=always) else iter(())

    def advance(self, seconds: float) -> bool:
        """Look for so many seconds, or until the search is done; tell whether it is. Raises what the finder raises."""
        until = time.perf_counter() + seconds
        return not any(time.perf_counter() > until for _ in self._work)

    def closer(self) -> Closer:
        """Return what was found until now."""
        faces = sorted((_scaled(face, self._image.scale) for face in self._faces), key=lambda face: -face.area)
        detections = replace(self._first, faces=tuple(faces[: self._most or None]), times=self._times)
        return Closer(detections, SEEN / self._sight)

    def _is_worth_it(self, *, always: bool) -> bool:
        # In a picture as narrow as that no face is a whole one.
        if min(self._image.width, self._image.height) < SEEN or not self._first.detector.startswith(_LOOKS_COARSELY):
            return False
        if 0 < self._most <= len(self._faces):
            return False
        smallest = min((face.height * self._scale for face in self._faces), default=0.0)
        if smallest >= SMALL and not always:
            return False
        return self._scale < SIGHT or 0 < smallest < CROWD

    def _run(self) -> Iterator[None]:
        """Yields after every look."""
        full = self._open()
        for finer in self._steps():
            yield from self._level(full, finer, self._tiles(self._scale, finer))
            self._sight = self._scale
        while (finer := min(self._scale * GROW, FINEST)) > self._scale:
            corners = [corner for corner in self._tiles(self._scale, finer) if self._is_crowd(corner, finer)]
            if not 0 < len(corners) <= self._left:
                return
            yield from self._level(full, finer, corners)

    def _is_crowd(self, corner: tuple[int, int], finer: float) -> bool:
        """Does a tile of a finer level have a face in it that is small in the last one, and may have neighbours?"""
        left, top = (place / finer for place in corner)
        reach = SIDE / finer
        return any(
            face.height * self._scale < CROWD
            and left <= (face.box[0] + face.box[2]) / 2 <= left + reach
            and top <= (face.box[1] + face.box[3]) / 2 <= top + reach
            for face in self._faces
        )

    def _steps(self) -> Iterator[float]:
        """The scales, input pixels for one of the file, up to SIGHT or as near to it as MOST_TILES allows."""
        target, scale = SIGHT, self._scale
        while target > scale:
            count = math.ceil(math.log(target / scale, REACH))
            steps = [scale * (target / scale) ** (step / count) for step in range(1, count + 1)]
            if sum(len(self._tiles(coarse, fine)) for coarse, fine in pairwise([scale, *steps])) <= MOST_TILES:
                yield from steps
                return
            target *= 0.95

    def _tiles(self, coarse: float, fine: float) -> list[tuple[int, int]]:
        """The corners of a level's tiles, x and y in pixels of the level."""
        overlap = max(LEAST_OVERLAP, math.ceil(SMALL * fine / coarse) + 16)
        width, height = round(self._image.width * fine), round(self._image.height * fine)
        return [(x, y) for y in _starts(height, overlap) for x in _starts(width, overlap)]

    def _level(self, full: Image, fine: float, corners: Sequence[tuple[int, int]]) -> Iterator[None]:
        watch, coarse = Stopwatch(), self._scale
        size = max(1, round(full.width * fine)), max(1, round(full.height * fine))
        pixels = _resized(full.pixels, size)
        self._times += DetectionTimes(preprocess_ms=watch.lap())
        found: list[Detection] = []
        for x, y in corners:
            self._left -= 1
            tile = np.ascontiguousarray(pixels[y : y + SIDE, x : x + SIDE])
            seen = self._finder.detect(Image.of(tile), self._options)
            self._times += seen.times
            whole = (face for face in seen.faces if not _is_cut(face.box, (x, y), tile.shape[1::-1], size))
            placed = (_scaled(face, 1 / fine, (x, y)) for face in whole)
            found += (face for face in placed if face.height * coarse < SMALL)
            yield
        for face in sorted(found, key=lambda face: -face.confidence):
            if not any(_is_same(face.box, known.box) for known in self._faces):
                self._faces.append(face)
        self._scale = fine


def _starts(length: int, overlap: int) -> list[int]:
    """Where the tiles along one side of `length` pixels begin."""
    if length <= SIDE:
        return [0]
    count = math.ceil((length - overlap) / (SIDE - overlap))
    return [round(place * (length - SIDE) / (count - 1)) for place in range(count)]


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if pixels.shape[1::-1] == size:
        return pixels
    way = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_LINEAR
    return cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=way))


def _is_cut(box: FloatArray, corner: tuple[int, int], tile: Sequence[int], size: tuple[int, int]) -> bool:
    """Does the box touch an edge of its tile that is not the picture's edge?"""
    x1, y1, x2, y2 = (float(edge) for edge in box)
    right, bottom = corner[0] + tile[0] < size[0], corner[1] + tile[1] < size[1]
    return (
        (corner[0] > 0 and x1 < 2)
        or (corner[1] > 0 and y1 < 2)
        or (right and x2 > tile[0] - 2)
        or (bottom and y2 > tile[1] - 2)
    )


def _scaled(face: Detection, factor: float, shift: tuple[int, int] = (0, 0)) -> Detection:
    """A face moved by `shift`, then scaled."""
    by = np.array(shift, np.float32)
    box = ((face.box.reshape(2, 2) + by) * np.float32(factor)).reshape(4)
    landmarks = None if face.landmarks is None else (face.landmarks + by) * np.float32(factor)
    return Detection(box, face.confidence, landmarks)


def _is_same(one: FloatArray, other: FloatArray) -> bool:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = float(np.clip(sides, 0, None).prod())
    areas = [float((box[2:] - box[:2]).prod()) for box in (one, other)]
    return both > SAME_UNION * (sum(areas) - both) or both > SAME_SMALLER * min(areas)
