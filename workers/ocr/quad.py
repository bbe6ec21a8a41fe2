"""Where the card is in the photo, and the card straightened.

    photo ─ small ─┬─ edges ────────────┐
                   ├─ unlike the border ├─ outlines ─ four sides each ─ the best of them ─ perspective ─ card
                   └─ light or dark ────┘

An outline is believed when its four sides fit a card's shape, are long enough, and have an edge under nearly all of
their length. A photo in which no outline is believed is taken whole: a scan has no edges, and a wrong quad loses text
that the whole picture still has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workers.inference.network import FloatArray

# The sides are looked for at this size; a card's edge is 1 to 2 pixels wide there.
SEARCH_SIDE = 640
# Width over height. ISO/IEC 7810: ID-1, which is the three cards, 85.60 x 53.98 mm; ID-3, a passport's page, 125 x 88.
ASPECTS = (85.60 / 53.98, 125 / 88)
# How far perspective and a rough quad may take an outline from them. A portrait, 45 x 35 mm, has 1.29.
LEAST_ASPECT, MOST_ASPECT = 1.32, 1.85
# Of the picture: a printed frame or a portrait on a scanned card has up to 0.13. A card as small as that is found by
# its text.
LEAST_AREA = 0.13
# The share of the outline that has an edge under it. A card's own outline has 0.9 and more.
LEAST_SUPPORT = 0.6
# A quad over all of the picture is the picture.
MOST_AREA = 0.985
# Around text that stands for a card whose edges are not seen: the margin, of the text's longer side; the share of the
# picture, and the tilt in degrees, from which on the picture will do as it is.
TEXT_MARGIN = 0.06
TEXT_AREA, LEAST_TILT = 0.6, 4.0
# Of a card with fewer pixels on its longer side the letters are 8 to 15 high, and the detector misses lines of them; a
# picture with fewer than SMALLEST on the shorter one gains nothing: of ICAO's specimen of 184 pixels, which is read
# without an error as it is, an O of the MRZ became a D.
SMALL, SMALLEST = 1000, 200
# Its text is 25 to 45 pixels high then; the recognisers take 32 or 48.
CARD_WIDTH = 1280


@dataclass(frozen=True, slots=True, eq=False)
class Straightened:
    """A card, or the whole picture where there is none to be seen (`is_whole`).

    `pixels` is BGR uint8[height, width, 3]; `to_picture` is float64[3, 3], the homography from its pixels to the
    pixels that it was cut from.
    """

    pixels: NDArray[np.uint8]
    to_picture: NDArray[np.float64]
    is_whole: bool

    @property
    def width(self) -> int:
        """Of `pixels`."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Of `pixels`."""
        return self.pixels.shape[0]

    def turned(self, quarters: int) -> Straightened:
        """The same, turned clockwise by `quarters` of a turn."""
        quarters %= 4
        if not quarters:
            return self
        code = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)[quarters - 1]
        back = _turned_back(quarters, self.width, self.height)
        return Straightened(
            cast("NDArray[np.uint8]", cv2.rotate(self.pixels, code)), self.to_picture @ back, self.is_whole
        )

    @property
    def quarters(self) -> int:
        """By how many quarters clockwise its picture is turned to stand as the card does."""
        ends = self.in_picture(np.array([[0, 0], [self.width, 0]], np.float32))
        right, down = ends[1] - ends[0]
        return round(np.arctan2(-down, right) / (np.pi / 2)) % 4

    def in_picture(self, points: FloatArray) -> FloatArray:
        """Points x y of the card, float32[n, 2], in pixels of the picture that it was cut from."""
        return transformed(points, self.to_picture)


def transformed(points: FloatArray, matrix: NDArray[np.float64]) -> FloatArray:
    """Points x y, float32[n, 2], through a homography float64[3, 3]."""
    moved = cv2.perspectiveTransform(points.reshape(-1, 1, 2).astype(np.float64), matrix)
    return moved.reshape(-1, 2).astype(np.float32)


def find_quad(pixels: NDArray[np.uint8]) -> FloatArray | None:
    """The card's corners in `pixels` (BGR uint8[height, width, 3]), float32[4, 2], clockwise; None where none is seen.

    The first two are the ends of one of the long sides; which of the two is the upper one is not known.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, SEARCH_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    small = cast("NDArray[np.uint8]", cv2.GaussianBlur(small, (5, 5), 0))
    edges = _edges(small)
    # A side that is a pixel beside its edge, or bent by the lens, still lies on it.
    near = cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0
    best, best_value = None, 0.0
    for mask in _masks(small, edges):
        for quad in _quads(mask):
            value = _value(quad, near)
            if value > best_value:
                best, best_value = quad, value
    if best is None:
        return None
    return _long_side_first(best) * np.array([width / size[0], height / size[1]], np.float32)


def straighten(pixels: NDArray[np.uint8], quad: FloatArray) -> Straightened:
    """What `quad` encloses, CARD_WIDTH wide, in the shape of the kind of card that it is nearest to."""
    height = round(CARD_WIDTH / _nearest_aspect(quad))
    corners = np.array([[0, 0], [CARD_WIDTH, 0], [CARD_WIDTH, height], [0, height]], np.float32)
    to_picture = cast("NDArray[np.float64]", cv2.getPerspectiveTransform(corners, quad.astype(np.float32)))
    source, shrunk = _shrunk(pixels, quad)
    card = cv2.warpPerspective(
        source,
        np.diag([shrunk, shrunk, 1.0]) @ to_picture,
        (CARD_WIDTH, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Straightened(cast("NDArray[np.uint8]", card), to_picture, is_whole=False)


def around(boxes: FloatArray, card: Straightened) -> FloatArray | None:
    """The corners, as `find_quad` gives them, of what the lines `boxes` (float32[n, 4, 2]) on a whole picture span.

    None where that is about the picture itself, so that nothing would be gained.
    """
    # Level with the lines: the smallest rectangle around a title, a column and a seal lies across them now and then.
    tilt = tilt_of(boxes)
    turn = np.radians(tilt)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], np.float32)
    along = boxes.reshape(-1, 2) @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    margin = TEXT_MARGIN * float((high - low).max())
    low, high = low - margin, high + margin
    width, height = (float(side) for side in high - low)
    if width * height > TEXT_AREA * card.width * card.height and abs(tilt) < LEAST_TILT:
        return None
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]], np.float32) @ axes
    return _long_side_first(card.in_picture(corners))


def tilt_of(boxes: FloatArray) -> float:
    """By how many degrees the lines, float32[n, 4, 2], are off the level or the plumb, -45 to 45; the median."""
    along = boxes[:, 1] - boxes[:, 0]
    angles = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    return float(np.median((angles + 45) % 90 - 45))


def whole(pixels: NDArray[np.uint8], most_side: int, margin: float = 0.0) -> Straightened:
    """The whole picture, with `most_side` pixels at most on its longer side; a small one enlarged to CARD_WIDTH.

    `margin` is a share of the longer side, which is added all around in the colour of the edges: what stands at an edge
    is found better with paper around it.
    """
    rim = round(margin * max(pixels.shape[:2]))
    if rim:
        edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        colour = [float(value) for value in np.median(edges, axis=0)]
        pixels = cast(
            "NDArray[np.uint8]",
            cv2.copyMakeBorder(pixels, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=colour),
        )
    height, width = pixels.shape[:2]
    scale = min(1.0, most_side / max(height, width))
    if max(height, width) < SMALL and min(height, width) >= SMALLEST:
        scale = CARD_WIDTH / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    resized = pixels if scale == 1.0 else cv2.resize(pixels, size, interpolation=how)
    to_picture = np.diag([width / size[0], height / size[1], 1.0])
    to_picture[:2, 2] = -rim
    return Straightened(cast("NDArray[np.uint8]", resized), to_picture, is_whole=True)


def _turned_back(quarters: int, width: int, height: int) -> NDArray[np.float64]:
    """From a picture turned clockwise to the one of `width` x `height` pixels that it was."""
    if quarters == 1:
        return np.array([[0, 1, 0], [-1, 0, height], [0, 0, 1]], np.float64)
    if quarters == 2:
        return np.array([[-1, 0, width], [0, -1, height], [0, 0, 1]], np.float64)
    return np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], np.float64)


def _edges(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Canny's edges of lightness and of both colours: a white card on a beige table differs in one of them only."""
    channels = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2LAB))
    found = [cv2.Canny(channel, low, 3 * low) for channel, low in zip(channels, (25, 12, 12), strict=True)]
    return cast("NDArray[np.uint8]", cv2.bitwise_or(cv2.bitwise_or(found[0], found[1]), found[2]))


def _masks(small: NDArray[np.uint8], edges: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Pictures in black and white that may have the card as one white or outlined part."""
    for side in (3, 7):
        yield cast("NDArray[np.uint8]", cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)))
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    border = np.concatenate([lab[:4].reshape(-1, 3), lab[-4:].reshape(-1, 3), lab[:, :4].reshape(-1, 3)])
    unlike = np.linalg.norm(lab - np.median(border, axis=0), axis=2)
    saturation = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)[:, :, 1]
    for plane in (unlike, lab[:, :, 0], saturation):
        grey = np.clip(plane, 0, 255).astype(np.uint8)
        threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        for mask in (grey > threshold, grey <= threshold):
            # Text and a portrait are holes in a card, glare a bay in its side.
            white = mask.astype(np.uint8) * np.uint8(255)
            closed = cv2.morphologyEx(white, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
            yield cast("NDArray[np.uint8]", cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)))


def _quads(mask: NDArray[np.uint8]) -> Iterator[FloatArray]:
    """The four-sided outlines of a mask, float32[4, 2]."""
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    least = LEAST_AREA * mask.size
    for contour in contours:
        hull = cv2.convexHull(contour)
        if cv2.contourArea(hull) < least:
            continue
        length = cv2.arcLength(hull, closed=True)
        for share in (0.02, 0.04, 0.06, 0.09):
            corners = cv2.approxPolyDP(hull, share * length, closed=True)
            if len(corners) <= 4:
                break
        if len(corners) == 4:
            quad = _clockwise(corners.reshape(4, 2).astype(np.float32))
            yield quad
            refined = _refined(quad, contour.reshape(-1, 2).astype(np.float32))
            if refined is not None:
                yield refined


def _refined(quad: FloatArray, outline: FloatArray) -> FloatArray | None:
    """Each side laid anew through the outline's points along its middle: a card's corners are round."""
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for first, last in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        along = last - first
        length = float(np.linalg.norm(along))
        along = along / max(length, 1e-6)
        offset = outline - first
        place, distance = offset @ along, np.abs(offset @ np.array([-along[1], along[0]]))
        chosen = outline[(place > 0.12 * length) & (place < 0.88 * length) & (distance < max(3.0, 0.02 * length))]
        if len(chosen) < 8:
            return None
        vx, vy, x, y = cv2.fitLine(chosen, cv2.DIST_HUBER, 0, 0.01, 0.01).reshape(4)
        lines.append((np.array([x, y], np.float64), np.array([vx, vy], np.float64)))
    corners = [_crossing(*lines[side - 1], *lines[side]) for side in range(4)]
    if any(corner is None for corner in corners):
        return None
    return np.array(corners, np.float32)


def _crossing(
    point: NDArray[np.float64], along: NDArray[np.float64], other: NDArray[np.float64], other_along: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Where two lines cross; None for lines that hardly do."""
    matrix = np.stack((along, -other_along), axis=1)
    if abs(float(np.linalg.det(matrix))) < 0.2:
        return None
    return point + along * np.linalg.solve(matrix, other - point)[0]


def _value(quad: FloatArray, near: NDArray[np.bool_]) -> float:
    """How much an outline looks like a card's; 0 for one that is not believed."""
    height, width = near.shape
    area = float(cv2.contourArea(quad)) / (height * width)
    if not LEAST_AREA <= area <= MOST_AREA or not cv2.isContourConvex(quad.astype(np.int32)):
        return 0.0
    if _farthest_angle(quad) > 35 or not LEAST_ASPECT <= _aspect(quad) <= MOST_ASPECT:
        return 0.0
    support = [_support(first, last, near) for first, last in zip(quad, np.roll(quad, -1, axis=0), strict=True)]
    if min(support) < LEAST_SUPPORT / 2 or float(np.mean(support)) < LEAST_SUPPORT:
        return 0.0
    # A card's printed frame and its photo are outlines inside its own.
    return float(np.mean(support)) * area**0.25


def _support(first: FloatArray, last: FloatArray, near: NDArray[np.bool_]) -> float:
    """The share of a side, without its rounded ends, that lies on an edge. What is outside the picture does not."""
    points = first + np.linspace(0.06, 0.94, 64, dtype=np.float32)[:, None] * (last - first)
    places = np.rint(points).astype(int)
    height, width = near.shape
    inside = (places >= 0).all(axis=1) & (places[:, 0] < width) & (places[:, 1] < height)
    return float(near[places[inside, 1], places[inside, 0]].sum()) / len(places)


def _sides(quad: FloatArray) -> FloatArray:
    """The lengths of the four sides, float32[4], the first from the first corner to the second."""
    return np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1).astype(np.float32)


def _aspect(quad: FloatArray) -> float:
    """The longer pair of sides over the shorter one."""
    sides = _sides(quad)
    one, other = float(sides[0] + sides[2]), float(sides[1] + sides[3])
    return max(one, other) / max(min(one, other), 1e-6)


def _nearest_aspect(quad: FloatArray) -> float:
    return min(ASPECTS, key=lambda known: abs(_aspect(quad) / known - 1))


def _farthest_angle(quad: FloatArray) -> float:
    """How far the corner that is farthest from a right angle is from it, in degrees."""
    along = np.roll(quad, -1, axis=0) - quad
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    cosines = (along * np.roll(along, -1, axis=0)).sum(axis=1)
    return float(np.degrees(np.abs(np.arcsin(np.clip(cosines, -1, 1))).max()))


def _clockwise(quad: FloatArray) -> FloatArray:
    """The corners clockwise as one looks at the picture, whose y grows downwards."""
    centre = quad.mean(axis=0)
    return quad[np.argsort(np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0]))]


def _long_side_first(quad: FloatArray) -> FloatArray:
    """Clockwise, from the end of a long side on: of the two, the one that is higher up in the picture."""
    quad = _clockwise(quad)
    sides = _sides(quad)
    if sides[0] + sides[2] < sides[1] + sides[3]:
        quad = np.roll(quad, -1, axis=0)
    return quad if quad[:2, 1].mean() <= quad[2:, 1].mean() else np.roll(quad, 2, axis=0)


def _shrunk(pixels: NDArray[np.uint8], quad: FloatArray) -> tuple[NDArray[np.uint8], float]:
    """The picture at a size at which the card has about CARD_WIDTH pixels, and that size over the picture's.

    Warping a card of 3,000 pixels to 1,280 in one step would skip pixels, and thin strokes with them.
    """
    scale = CARD_WIDTH / max(float(_sides(quad).max()), 1.0)
    if scale > 0.7:
        return pixels, 1.0
    return cast("NDArray[np.uint8]", cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)), scale
