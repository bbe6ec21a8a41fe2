"""From a photo's pixels to lines of text on the straightened, upright card.

    pixels ─ quad ─┬─ card ────┬─ outlines of lines ─ which way up ─ crops ─┬─ Latin ──┬─ by line ─ Reading
                   └─ whole ───┘                                            └─ Korean ─┘

Every line is read by the Latin recogniser; those that it does not take for plain Latin are read by Tesseract's Korean
network, where it is on this machine, and by the Korean recogniser where that is not or is not sure. The small Korean
dictionary has no `.` `,` `(` `)`, and the Latin one no Hangul: parsers get both readings.

None of these is safe to share between threads: PaddleOCR has reports of one thread's text in another's result, which
here would be another person's number. So a reader has one thread, in which every call of them is made, but for those
of its lanes: lines are shared out between them, and each has a thread and recognisers of its own. A card is done before
the next one begins.
"""

from __future__ import annotations

import logging
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np

from workers.ocr.cards.titles import promises_a_document
from workers.ocr.hangul import HangulReader
from workers.ocr.lines import Line, Reading
from workers.ocr.networks import LineDetector, LineRecogniser
from workers.ocr.orientation import LineOrientation, lies_on_its_side, sizes, voters
from workers.ocr.quad import around, find_quad, straighten, tilt_of, whole
from workers.vision.detection import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shared.settings import Inference
    from shared.weights import Located
    from shared.weights.ocr import ReaderWeights
    from workers.inference.network import FloatArray
    from workers.ocr.lines import Text
    from workers.ocr.quad import Straightened

log = logging.getLogger(__name__)

# A card has 12 to 40; of a page full of text the largest are read, and the rest is left.
MOST_LINES = 64
# Of more lines than most documents have so many of the largest are read first. Unless they have something of a document
# on them that is all, and of a page of more than MOST_LINES it is where they took longer than this: 64 lines as wide as
# a page would take as long as twenty cards.
MANY_LINES, TRIAL, TRIAL_MS = 30, 20, 4000.0
# Of these the longest are some, for a zone has smaller letters than a title.
TRIAL_LONGEST = 4
# A card with fewer is none, or a quad around something else.
LEAST_LINES = 4
# How near to the edge a line is cut, in pixels; text keeps 20 and more from a card's. One may be a stain.
EDGE, LEAST_CUT = 3, 2
# From here on a card's quad was laid across it.
MOST_TILT = 12.0
# The longer side of a picture that is taken whole.
WHOLE_SIDE = 1600
# Around a whole picture that is looked at for the second time, of its longer side.
WHOLE_MARGIN = 0.05
# Lines of which the Latin recogniser is this sure, and that it gives no other script, have no Hangul.
SURELY_LATIN = 0.9
# And no wider a character than this, as a share of the height. Of `테헤란로 248, 103동` the Latin recogniser is sure of
# the digits and says nothing of the rest: 1.0 to 1.8. Latin print is 0.4 to 0.8; a letter alone, with its margin, 1.2.
WIDEST_LATIN = 0.9
# Digits are 0.4 to 0.57. Of `412-3번지` it gives the number, 0.64.
WIDEST_DIGITS = 0.6
# Where Tesseract is less sure than this, the Korean recogniser is asked. Chosen, not fitted.
SURELY_HANGUL = 0.6
# Around a line of an MRZ, of its height. Its names, which no check digit proves, are read better with it; other lines
# are not. It is told by its length: nothing else on a card is as long as this many times its height.
MARGIN, ZONE_LENGTH = 0.1, 16
# Lines that only the first lane reads, of their height: an MRZ and the longest lines of an address. A shorter line is
# filled up to LEAST_WORK times its height before it is read.
WIDE, LEAST_WORK = 10.5, 320 / 48
# How sure the orientation has to be before the recognisers are not asked.
SURELY_TURNED = 0.2
# Lines that are read both ways up where it is not.
TRIED = 4

_LATIN = re.compile(r"[\x20-\x7e·]*")
_HANGUL = re.compile(r"[가-힣]")
# A licence's number of before 2014, `서울 08-123456-78`, without its region: of that the Latin recogniser says nothing.
_CUT = re.compile(r"\D{0,2}\d{2}-\d{6}-\d{2}")


class CardReading(NamedTuple):
    """What was read, the card that it was read from, and where the time went in milliseconds.

    With `is_given_up` it has too many lines for a card, and those that were read have nothing of one.
    """

    reading: Reading
    card: Straightened
    straighten_ms: float
    detect_ms: float
    recognise_ms: float
    is_given_up: bool = False


class _Read(NamedTuple):
    """A line as the Latin recogniser reads it, whether that may miss some of it, and Tesseract's reading if sure."""

    latin: Text
    is_doubtful: bool
    hangul: Text | None


class CardReader:
    """One set of PaddleOCR's networks, and the one thread that they run in. See `Breakable`."""

    def __init__(self, weights: ReaderWeights, settings: Inference, *, threads: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="paddleocr")
        self._networks = self._thread.submit(_Networks, weights, settings, threads).result()
        self.model_id = self._networks.model_id
        self.detector = self._networks.lines.name
        self.networks = self._networks.loaded
        # The name of what gives a second opinion of Hangul; None where that is missing.
        self.second_opinion = self._networks.second_opinion

    def read(self, pixels: NDArray[np.uint8]) -> CardReading:
        """Read the card in `pixels` (BGR uint8[height, width, 3]). Blocks; safe to call from several threads."""
        return self._thread.submit(_read, self._networks, pixels).result()

    def read_whole(self, pixels: NDArray[np.uint8]) -> CardReading:
        """Read the whole picture, whatever card is seen in it, with a margin around it. As `read` otherwise."""
        return self._thread.submit(_read_whole, self._networks, pixels).result()

    def warm_up(self) -> None:
        """Find and read a line of stripes, so that every network has run."""
        stripes = np.full((400, 640, 3), 255, np.uint8)
        stripes[180:220, 100:540:8] = 0
        self._thread.submit(_warm_up, self._networks, stripes).result()


class _Lane:
    """What reads lines in one thread of its own: the Latin recogniser, and Tesseract for what that is not sure of."""

    def __init__(self, weights: ReaderWeights, settings: Inference) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lines")
        self.latin, self.hangul = self._thread.submit(_recognisers, weights, settings).result()

    def read_latin(self, lines: Sequence[NDArray[np.uint8]]) -> Future[list[Text]]:
        """Begin to read these lines as Latin."""
        return self._thread.submit(self.latin.read, lines)

    def read(self, lines: dict[int, NDArray[np.uint8]]) -> Future[dict[int, _Read]]:
        """Begin to read these lines, by their places."""
        return self._thread.submit(self._read, lines)

    def _read(self, lines: dict[int, NDArray[np.uint8]]) -> dict[int, _Read]:
        latin = dict(zip(lines, self.latin.read(list(lines.values())), strict=True))
        found: dict[int, _Read] = {}
        for place, line in lines.items():
            doubtful = not _is_plain(latin[place], line)
            hangul = self.hangul.read(line) if doubtful and self.hangul is not None else None
            if hangul is not None and not (hangul.confidence >= SURELY_HANGUL and _HANGUL.search(hangul.text)):
                hangul = None
            found[place] = _Read(latin[place], doubtful, hangul)
        return found


def _recognisers(weights: ReaderWeights, settings: Inference) -> tuple[LineRecogniser, HangulReader | None]:
    # One thread: lines are too small to be shared between cores, two lanes read twice as many.
    latin = LineRecogniser(weights.latin, settings, threads=1)
    return latin, _hangul_reader(weights.hangul) if weights.hangul else None


class _Networks:
    def __init__(self, weights: ReaderWeights, settings: Inference, threads: int) -> None:
        self.lines = LineDetector(weights.lines, settings, threads=threads)
        self.lanes = [_Lane(weights, settings) for _ in range(threads)]
        self.korean = LineRecogniser(weights.korean, settings, threads=1)
        self.orientation = LineOrientation(weights.orientation, settings) if weights.orientation else None
        latin, hangul = self.lanes[0].latin, self.lanes[0].hangul
        self.second_opinion = hangul.name if hangul else None
        names = [self.lines.name, self.korean.name, latin.name, *([hangul.name] if hangul else [])]
        self.model_id = "+".join(names)
        used = (self.lines, self.korean, latin, *([self.orientation] if self.orientation else []))
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
    for begun in [lane.read_latin([line]) for lane in networks.lanes]:
        begun.result()
    networks.korean.read([line])
    if networks.orientation is not None:
        networks.orientation.warm_up()


def _read(networks: _Networks, pixels: NDArray[np.uint8]) -> CardReading:
    watch = Stopwatch()
    quad = find_quad(pixels)
    card = whole(pixels, WHOLE_SIDE) if quad is None else straighten(pixels, quad)
    straighten_ms = watch.lap()
    boxes = networks.lines.find(card.pixels)
    if not card.is_whole and (len(boxes) < LEAST_LINES or _cuts_lines(boxes, card) or abs(tilt_of(boxes)) > MOST_TILT):
        card = whole(pixels, WHOLE_SIDE)
        boxes = networks.lines.find(card.pixels)
    if card.is_whole and len(boxes) >= LEAST_LINES and (quad := around(boxes, card)) is not None:
        card = straighten(pixels, quad)
        boxes = networks.lines.find(card.pixels)
    return _read_lines(networks, pixels, card, boxes, straighten_ms, watch)


def _read_whole(networks: _Networks, pixels: NDArray[np.uint8]) -> CardReading:
    watch = Stopwatch()
    card = whole(pixels, WHOLE_SIDE, WHOLE_MARGIN)
    straighten_ms = watch.lap()
    return _read_lines(networks, pixels, card, networks.lines.find(card.pixels), straighten_ms, watch)


def _read_lines(
    networks: _Networks,
    pixels: NDArray[np.uint8],
    card: Straightened,
    boxes: FloatArray,
    straighten_ms: float,
    watch: Stopwatch,
) -> CardReading:
    """Read what is in these outlines. Of many the largest are read first, and the rest if they promise a document."""
    count = len(boxes)
    boxes = _largest(boxes)
    detect_ms = watch.lap()
    card, boxes = _upright(networks, card, boxes)
    first, rest = (boxes[:TRIAL], boxes[TRIAL:]) if count > MANY_LINES else (boxes, boxes[:0])
    lines = _recognised(networks, card, first)
    began_ms = watch.lap()
    is_late = count > MOST_LINES and began_ms > TRIAL_MS
    is_given_up = len(rest) > 0 and (is_late or not promises_a_document(lines))
    if len(rest) and not is_given_up:
        lines += _recognised(networks, card, rest)
    recognise_ms = began_ms + watch.lap()
    lines = [replace(line, is_cut=_cut_ends(line.polygon, card, pixels.shape)) for line in lines]
    reading = Reading(_in_reading_order(lines), card.width, card.height)
    return CardReading(reading, card, straighten_ms, detect_ms, recognise_ms, is_given_up)


def _cut_ends(polygon: FloatArray, card: Straightened, shape: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether a line's left and right end reach an edge of the card, or of the picture of `shape` height, width."""
    in_picture = card.in_picture(polygon)
    bounds = ((polygon, card.width, card.height), (in_picture, shape[1], shape[0]))
    near = [
        (points < EDGE).any(axis=1) | (points[:, 0] > width - EDGE) | (points[:, 1] > height - EDGE)
        for points, width, height in bounds
    ]
    at_edge = near[0] | near[1]
    return bool(at_edge[0] or at_edge[3]), bool(at_edge[1] or at_edge[2])


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
    """The MOST_LINES of them with the largest letters; of many, those first that are read on trial."""
    if len(boxes) <= MANY_LINES:
        return boxes
    across, down = sizes(boxes)
    by_letters = np.argsort(-np.minimum(across, down))[:MOST_LINES]
    longest = np.argsort(-(np.maximum(across, down) / np.maximum(1, np.minimum(across, down)))[by_letters])
    longest = by_letters[longest[:TRIAL_LONGEST]]
    return boxes[[*longest, *(place for place in by_letters if place not in longest)]]


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
        sum(max(latin.confidence, korean.confidence) for latin, korean in zip(*_both(networks, lines), strict=True))
        for lines in both
    )
    return upside_down > upright


def _both(networks: _Networks, lines: Sequence[NDArray[np.uint8]]) -> tuple[list[Text], list[Text]]:
    return networks.lanes[0].read_latin(lines).result(), networks.korean.read(lines)


def _turned(boxes: FloatArray, quarters: int, before: Straightened) -> FloatArray:
    """Outlines on `before` as they are on it turned clockwise by `quarters`, from the top left corner on again."""
    width, height = before.width, before.height
    x, y = boxes[..., 0], boxes[..., 1]
    moved = np.stack((height - y, x), axis=-1) if quarters == 1 else np.stack((width - x, height - y), axis=-1)
    return np.roll(moved, quarters, axis=1).astype(np.float32)


def _recognised(networks: _Networks, card: Straightened, boxes: FloatArray) -> list[Line]:
    """The lines that have text, in the order of `boxes`; the lanes share them out, the widest first."""
    crops = [crop(card.pixels, box) for box in boxes]
    shares = _shares([line.shape[1] / line.shape[0] for line in crops], len(networks.lanes))
    begun = [
        lane.read({place: crops[place] for place in share}) for lane, share in zip(networks.lanes, shares, strict=True)
    ]
    read = {place: one for lane in begun for place, one in lane.result().items()}
    rest = [place for place, one in sorted(read.items()) if one.is_doubtful and one.hangul is None]
    korean = dict(zip(rest, networks.korean.read([crops[place] for place in rest]), strict=True))
    lines: list[Line] = []
    for place, one in sorted(read.items()):
        chosen = one.latin
        other = one.hangul or korean.get(place)
        if other is not None and _HANGUL.search(other.text):
            chosen = other
        if chosen.text.strip():
            latin = one.latin
            read = chosen.text, chosen.confidence, latin.text, latin.confidence
            lines.append(Line(*read, boxes[place], chosen.sure, latin.sure))
    return lines


def _shares(ratios: Sequence[float], lanes: int) -> list[list[int]]:
    """The places of the lines, by width over height, that each lane reads: the widest first, to whom has least to do.

    A network keeps memory for the widest line that it has seen, so that only the first lane reads those wider than
    WIDE: on 400 lines both networks together then grew by 160 MB in place of 190.
    """
    shares: list[list[int]] = [[] for _ in range(lanes)]
    work = [0.0] * lanes
    for place in sorted(range(len(ratios)), key=lambda one: -ratios[one]):
        lane = 0 if ratios[place] > WIDE else work.index(min(work))
        shares[lane].append(place)
        work[lane] += max(ratios[place], LEAST_WORK)
    return shares


def _is_plain(read: Text, line: NDArray[np.uint8]) -> bool:
    text = read.text
    height, width = line.shape[:2]
    letters, digits = len(re.findall("[A-Za-z]", text)), len(re.findall("[0-9]", text))
    widest = WIDEST_LATIN if letters > digits else WIDEST_DIGITS
    is_whole = width <= widest * height * (len(text) + 1)
    says_all = _LATIN.fullmatch(text) is not None and _CUT.fullmatch(text.strip()) is None and "()" not in text
    return read.confidence >= SURELY_LATIN and is_whole and says_all


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
