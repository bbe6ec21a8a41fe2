"""From a photo's pixels to lines of text on the straightened, upright card.

    pixels ─ quad ─┬─ card ────┬─ outlines of lines ─ which way up ─ crops ─┬─ Latin ──┬─ by line ─ Reading
                   └─ whole ───┘                                            └─ Korean ─┘

Every line is read by the Latin recogniser; those that it does not take for plain Latin are read by Tesseract's Korean
network, where it is on this machine, and by the Korean recogniser where that is not or is not sure. The small Korean
dictionary has no `.` `,` `(` `)`, and the Latin one no Hangul: parsers get both readings.

None of these is safe to share between threads: PaddleOCR has reports of one thread's text in another's
result, which here would be another person's number. So a reader has one thread, and every call of them is made there.
"""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np

from workers.ocr.hangul import HangulReader
from workers.ocr.lines import Line, Reading
from workers.ocr.networks import LineDetector, LineRecogniser
from workers.ocr.orientation import LineOrientation, lies_on_its_side, sizes, voters
from workers.ocr.quad import around, find_quad, straighten, whole
from workers.vision.detection import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from shared.weights.ocr import ReaderWeights
    from workers.inference.network import FloatArray
    from workers.ocr.quad import Straightened

log = logging.getLogger(__name__)

# A card has 12 to 40; of a page full of text the largest are read, and the rest is left.
MOST_LINES = 64
# A card with fewer is none, or a quad around something else.
LEAST_LINES = 4
# How near to the edge a line is cut, in pixels; text keeps 20 and more from a card's. One may be a stain.
EDGE, LEAST_CUT = 3, 2
# The longer side of a picture that is taken whole.
WHOLE_SIDE = 1600
# Lines of which the Latin recogniser is this sure, and that it gives no other script, have no Hangul.
SURELY_LATIN = 0.9
# And no wider a character than this, as a share of the height. Of `테헤란로 248, 103동` the Latin recogniser is sure of
# the digits and says nothing of the rest: 1.0 to 1.8. Latin print is 0.4 to 0.8; a letter alone, with its margin, 1.2.
WIDEST_LATIN = 0.9
# Where Tesseract is less sure than this, the Korean recogniser is asked. Chosen, not fitted.
SURELY_HANGUL = 0.6
# Around a line of an MRZ, of its height. Its names, which no check digit proves, are read better with it; other lines
# are not. It is told by its length: nothing else on a card is as long as this many times its height.
MARGIN, ZONE_LENGTH = 0.1, 16
# How sure the orientation has to be before the recognisers are not asked.
SURELY_TURNED = 0.2
# Lines that are read both ways up where it is not.
TRIED = 4

_LATIN = re.compile(r"[\x20-\x7e·]*")
_HANGUL = re.compile(r"[가-힣]")
# A licence's number of before 2014, `서울 08-123456-78`, without its region: of that the Latin recogniser says nothing.
_CUT = re.compile(r"\D{0,2}\d{2}-\d{6}-\d{2}")


class CardReading(NamedTuple):
    """What was read, the card that it was read from, and where the time went in milliseconds."""

    reading: Reading
    card: Straightened
    straighten_ms: float
    detect_ms: float
    recognise_ms: float


class CardReader:
    """One set of PaddleOCR's networks, and the one thread that they run in. See `Breakable`."""

    def __init__(self, weights: ReaderWeights, settings: Inference, *, threads: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="paddleocr")
        self._networks = self._thread.submit(_Networks, weights, settings, threads).result()
        self.model_id = self._networks.model_id
        self.detector = self._networks.lines.name
        self.networks = self._networks.loaded

    def read(self, pixels: NDArray[np.uint8]) -> CardReading:
        """Read the card in `pixels` (BGR uint8[height, width, 3]). Blocks; safe to call from several threads."""
        return self._thread.submit(_read, self._networks, pixels).result()

    def warm_up(self) -> None:
        """Find and read a line of stripes, so that every network has run."""
        stripes = np.full((400, 640, 3), 255, np.uint8)
        stripes[180:220, 100:540:8] = 0
        self._thread.submit(_warm_up, self._networks, stripes).result()


class _Networks:
    def __init__(self, weights: ReaderWeights, settings: Inference, threads: int) -> None:
        self.lines = LineDetector(weights.lines, settings, threads=threads)
        self.latin = LineRecogniser(weights.latin, settings, threads=threads)
        # Its layers are too small to be shared between cores.
        self.korean = LineRecogniser(weights.korean, settings, threads=1)
        self.hangul = _hangul_reader(weights.hangul) if weights.hangul else None
        self.orientation = LineOrientation(weights.orientation, settings) if weights.orientation else None
        names = [self.lines.name, self.korean.name, self.latin.name, *([self.hangul.name] if self.hangul else [])]
        self.model_id = "+".join(names)
        used = (self.lines, self.korean, self.latin, *([self.orientation] if self.orientation else []))
        self.loaded = tuple(each.network for each in used)


def _hangul_reader(located: Located) -> HangulReader | None:
    """It only helps: without it cards are read worse, and not at all with a reader that raises."""
    try:
        return HangulReader(located)
    except (ImportError, RuntimeError) as error:
        log.warning("no second opinion of Hangul: %s", error)
        return None


def _warm_up(networks: _Networks, stripes: NDArray[np.uint8]) -> None:
    networks.lines.find(stripes)
    line = stripes[180:220, 100:540]
    networks.latin.read([line])
    networks.korean.read([line])
    if networks.orientation is not None:
        networks.orientation.warm_up()


def _read(networks: _Networks, pixels: NDArray[np.uint8]) -> CardReading:
    watch = Stopwatch()
    quad = find_quad(pixels)
    card = whole(pixels, WHOLE_SIDE) if quad is None else straighten(pixels, quad)
    straighten_ms = watch.lap()
    boxes = networks.lines.find(card.pixels)
    if not card.is_whole and (len(boxes) < LEAST_LINES or _cuts_lines(boxes, card)):
        card = whole(pixels, WHOLE_SIDE)
        boxes = networks.lines.find(card.pixels)
    if card.is_whole and len(boxes) >= LEAST_LINES and (quad := around(boxes, card)) is not None:
        card = straighten(pixels, quad)
        boxes = networks.lines.find(card.pixels)
    boxes = _largest(boxes)
    detect_ms = watch.lap()
    card, boxes = _upright(networks, card, boxes)
    lines = _recognised(networks, [crop(card.pixels, box) for box in boxes], boxes)
    reading = Reading(_in_reading_order(lines), card.width, card.height)
    return CardReading(reading, card, straighten_ms, detect_ms, watch.lap())


def upright(pixels: NDArray[np.uint8], card: Straightened) -> Straightened:
    """The whole picture as the card stands: one that was cut out by its text may have lost its portrait."""
    return whole(pixels, WHOLE_SIDE).turned(card.quarters)


def crop(pixels: NDArray[np.uint8], box: FloatArray) -> NDArray[np.uint8]:
    """What a line's outline, float32[4, 2], encloses, laid level."""
    across, down = (float(size[0]) for size in sizes(box[None]))
    margin = MARGIN * down if across > ZONE_LENGTH * down else 0.0
    box = box + np.sign(box - box.mean(axis=0)) * np.float32(margin)
    across, down = max(2, round(across + 2 * margin)), max(2, round(down + 2 * margin))
    corners = np.array([[0, 0], [across, 0], [across, down], [0, down]], np.float32)
    matrix = cv2.getPerspectiveTransform(box.astype(np.float32), corners)
    level = cv2.warpPerspective(pixels, matrix, (across, down), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cast("NDArray[np.uint8]", level)


def _cuts_lines(boxes: FloatArray, card: Straightened) -> bool:
    """Does the card end within lines? Then its quad was one of a frame that is printed on it."""
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    limit = np.array([card.width, card.height], np.float32) - EDGE
    return int(((low < EDGE) | (high > limit)).any(axis=1).sum()) >= LEAST_CUT


def _largest(boxes: FloatArray) -> FloatArray:
    if len(boxes) <= MOST_LINES:
        return boxes
    across, down = sizes(boxes)
    return boxes[np.argsort(-np.minimum(across, down))[:MOST_LINES]]


def _upright(networks: _Networks, card: Straightened, boxes: FloatArray) -> tuple[Straightened, FloatArray]:
    """The card the right way up, and the outlines on it."""
    if lies_on_its_side(boxes):
        card, boxes = card.turned(1), _turned(boxes, 1, card)
    if _is_upside_down(networks, card, boxes):
        card, boxes = card.turned(2), _turned(boxes, 2, card)
    return card, boxes


def _is_upside_down(networks: _Networks, card: Straightened, boxes: FloatArray) -> bool:
    asked = [crop(card.pixels, boxes[place]) for place in voters(boxes)]
    turned = networks.orientation.upside_down(asked) if networks.orientation is not None else 0.0
    if abs(turned) >= SURELY_TURNED or not asked:
        return turned > 0
    tried = asked[:TRIED]
    both = [tried, [cast("NDArray[np.uint8]", cv2.rotate(line, cv2.ROTATE_180)) for line in tried]]
    upright, upside_down = (
        sum(max(latin[1], korean[1]) for latin, korean in zip(*_both(networks, lines), strict=True)) for lines in both
    )
    return upside_down > upright


def _both(
    networks: _Networks, lines: Sequence[NDArray[np.uint8]]
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    return networks.latin.read(lines), networks.korean.read(lines)


def _turned(boxes: FloatArray, quarters: int, before: Straightened) -> FloatArray:
    """Outlines on `before` as they are on it turned clockwise by `quarters`, from the top left corner on again."""
    width, height = before.width, before.height
    x, y = boxes[..., 0], boxes[..., 1]
    moved = np.stack((height - y, x), axis=-1) if quarters == 1 else np.stack((width - x, height - y), axis=-1)
    return np.roll(moved, quarters, axis=1).astype(np.float32)


def _recognised(networks: _Networks, crops: list[NDArray[np.uint8]], boxes: FloatArray) -> list[Line]:
    latin = networks.latin.read(crops)
    doubtful = [place for place, one in enumerate(latin) if not _is_plain(*one, crops[place])]
    korean = _hangul(networks, {place: crops[place] for place in doubtful})
    lines: list[Line] = []
    for place, (text, confidence) in enumerate(latin):
        chosen = (text, confidence)
        other = korean.get(place)
        if other is not None and _HANGUL.search(other[0]):
            chosen = other
        if chosen[0].strip():
            lines.append(Line(chosen[0], chosen[1], text, confidence, boxes[place]))
    return lines


def _hangul(networks: _Networks, crops: dict[int, NDArray[np.uint8]]) -> dict[int, tuple[str, float]]:
    """What each of the lines says, by the first of the two Korean networks that is sure of it."""
    found: dict[int, tuple[str, float]] = {}
    if networks.hangul is not None:
        for place, line in crops.items():
            text, confidence = networks.hangul.read(line)
            if confidence >= SURELY_HANGUL and _HANGUL.search(text):
                found[place] = text, confidence
    rest = [place for place in crops if place not in found]
    return found | dict(zip(rest, networks.korean.read([crops[place] for place in rest]), strict=True))


def _is_plain(text: str, confidence: float, line: NDArray[np.uint8]) -> bool:
    height, width = line.shape[:2]
    is_whole = width <= WIDEST_LATIN * height * (len(text) + 1)
    says_all = _LATIN.fullmatch(text) is not None and _CUT.fullmatch(text.strip()) is None
    return confidence >= SURELY_LATIN and is_whole and says_all


def _in_reading_order(lines: list[Line]) -> tuple[Line, ...]:
    """From top to bottom, and along a row from left to right: one is in another's row if their middles are."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        first = rows[-1][0] if rows else line
        if rows and _middle(line) - _middle(first) < 0.5 * min(first.height, line.height):
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=lambda one: one.left))


def _middle(line: Line) -> float:
    return (line.top + line.bottom) / 2
