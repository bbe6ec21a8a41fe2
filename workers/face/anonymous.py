"""The operations that know nobody: where the faces of a picture are, and the picture without them.

    detect   decode, reduced ─> detect ─> look closer          one piece of work
    mask     decode, whole ─> a reduced view ─> detect         one
             ─> look closer at the whole
             ─> paint on the whole ─> encode                   another

`count` of the face operations looks as detect does. Where storage is on, what came of the other two is kept before the
answer goes out (keeping.py).

No face is an answer here, not a failure. Decoding and detecting are one piece of work, as in every operation: each
more costs two changes of thread. Painting and encoding stand outside the engine's circuit, because a picture of 50
megapixels that takes seconds to become a PNG is no engine's fault.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from shared import contracts
from shared.contracts import Failure, failed
from workers.face.engines import NO_ENGINE
from workers.face.mask import mask_faces
from workers.inference.circuit import PartFailedError
from workers.vision.close_look import Search, with_more
from workers.vision.decode import EVERY_PIXEL, Image, ImageError, Whole, decode, decode_whole, read_header, reduced
from workers.vision.detection import DetectOptions, Stopwatch
from workers.vision.encode import check_size, encode, has_alpha
from workers.vision.light import lit
from workers.vision.profile import faces_of, profile_of
from workers.vision.upright import Turn, turned

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.face.engines import Engine, Engines
    from workers.face.keeping import Keeper
    from workers.runtime.tasks import Call, Handlers
    from workers.vision.detection import Detections

# Of closer looks: one part of them at a time, under an engine's limit (3 s); and all of them, under a call's (10 s).
STEP_S = 0.5
PATIENCE_S = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A decoded picture and what that took; `whole` where it is to be masked.

    `image` is reduced and made bright, for a first look; `full` gives every pixel.
    """

    image: Image
    whole: Whole | None
    full: Callable[[], Image]
    input_bytes: int
    decode_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an engine saw, and which; see `Closer.smallest_px`."""

    engine: str
    detections: Detections
    smallest_px: float

    @classmethod
    def by(cls, engine: str, search: Search) -> Seen:
        """What a search has found until now."""
        closer = search.closer()
        return cls(engine, closer.detections, closer.smallest_px)


class AnonymousTasks:
    """The handlers of one worker process."""

    def __init__(self, engines: Engines, *, max_pixels: int, keeper: Keeper | None = None) -> None:
        self._engines = engines
        self._max_pixels = max_pixels
        self._keeper = keeper

    def handlers(self) -> Handlers:
        """The table that the worker runtime dispatches by."""
        return {contracts.DetectFaces: self.do, contracts.MaskFaces: self.do}

    async def do(
        self, operation: contracts.DetectFaces | contracts.MaskFaces, call: Call
    ) -> contracts.FacesDetected | contracts.Failed:
        """Detect, or detect and mask, the faces of image 0."""
        looked = await looked_at(self._engines, operation, call, self._max_pixels)
        if isinstance(looked, contracts.Failed):
            return looked
        opened, seen = looked
        try:
            if isinstance(operation, contracts.MaskFaces):
                found = await call.compute(masked, opened, seen, operation)
            else:
                found = detected(opened, seen)
        except ImageError as error:
            return failed(error.failure, error.detail, image=0)
        return await self._keeper.keep(found, operation, call) if self._keeper else found


async def looked_at(
    engines: Engines, operation: contracts.Detecting, call: Call, max_pixels: int
) -> tuple[Opened, Seen] | contracts.Failed:
    """Look at image 0 with the first engine that does not break over it, as `first_answer` does.

    A closer look takes seconds where the machine is busy. An engine fails that does not get on with it within its
    limit, so it is asked for a part of the looks at a time.
    """
    for slot in engines.in_order():
        try:
            looked = await slot.run(call.compute, open_and_look, call.images[0], operation, max_pixels)
            if isinstance(looked, contracts.Failed):
                return looked
            opened, name, search = looked
            until = time.monotonic() + PATIENCE_S
            while not await slot.run(call.compute, go_on, search) and time.monotonic() < until:
                pass
        except PartFailedError:
            continue
        return opened, Seen.by(name, search)
    return failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE, retry_after_s=1)


def go_on(_engine: Engine, search: Search) -> bool:
    """Look at a few tiles more; tell whether that was all."""
    return search.advance(STEP_S)


def detect_once(
    engine: Engine, data: bytes, operation: contracts.DetectFaces, *, max_pixels: int
) -> contracts.FacesDetected:
    """The whole of a detection without queue and circuits. Raises ImageError, and what the engine raises."""
    opened = open_picture(data, operation, max_pixels)
    return detected(opened, look_at_all(engine, opened, operation))


def mask_once(engine: Engine, data: bytes, operation: contracts.MaskFaces, *, max_pixels: int) -> contracts.FacesMasked:
    """The whole of a masking without queue and circuits. Raises ImageError, and what the engine raises."""
    opened = open_picture(data, operation, max_pixels)
    return masked(opened, look_at_all(engine, opened, operation), operation)


def open_picture(data: bytes, operation: contracts.Detecting, max_pixels: int) -> Opened:
    """Decode as far as the operation needs it. Raises ImageError."""
    watch = Stopwatch()
    if isinstance(operation, contracts.MaskFaces):
        header = read_header(data, max_pixels=max_pixels)
        check_size(header.width, header.height, operation.format)
        whole = decode_whole(data, header, keep_alpha=has_alpha(operation.format))
        return Opened(lit(whole.seen), whole, whole.opaque, len(data), watch.lap())
    image = decode(data, max_pixels=max_pixels)
    if image.scale == 1:
        # A large PNG or WebP: both operations look at the same pixels.
        full, image = image, reduced(image.pixels, image.channels)
        return Opened(lit(image), None, lambda: full, len(data), watch.lap())
    return Opened(
        lit(image), None, lambda: decode(data, max_pixels=max_pixels, keep_side=EVERY_PIXEL), len(data), watch.lap()
    )


def open_and_look(
    engine: Engine, data: bytes, operation: contracts.Detecting, max_pixels: int
) -> tuple[Opened, str, Search] | contracts.Failed:
    """Decode and take the first look. What is wrong with the picture is an answer, not the engine's failure."""
    try:
        opened = open_picture(data, operation, max_pixels)
    except ImageError as error:
        return failed(error.failure, error.detail, image=0)
    return opened, engine.name, look(engine, opened, operation)


def look(engine: Engine, opened: Opened, operation: contracts.Detecting) -> Search:
    """Take the first look; mask takes closer ones at every picture that is larger than the detector's input."""
    options, to_mask = DetectOptions.of(operation), opened.whole is not None
    first = engine.detect(opened.image, options)
    if opened.whole is not None and opened.whole.veiled is not None:
        first = with_more(first, engine.detect(opened.whole.veiled, options))
    if to_mask and not first.faces:
        first = turned_look(engine, opened.image, first, options)
    return Search(engine, opened.image, first, options, lambda: lit(opened.full()), always=to_mask)


def turned_look(engine: Engine, image: Image, first: Detections, options: DetectOptions) -> Detections:
    """Find the faces of a picture that lies on its side or stands on its head, where the picture as sent shows none."""
    height, width = image.pixels.shape[:2]
    for quarters in (1, 2, 3):
        found, turn = engine.detect(turned(image, quarters), options), Turn(quarters, width, height)
        first = with_more(first, replace(found, faces=tuple(turn.back(face) for face in found.faces)))
    return first


def look_at_all(engine: Engine, opened: Opened, operation: contracts.Detecting) -> Seen:
    """Take all looks, however long that takes."""
    search = look(engine, opened, operation)
    search.advance(math.inf)
    return Seen.by(engine.name, search)


def detected(opened: Opened, seen: Seen) -> contracts.FacesDetected:
    """What was found, and how."""
    profile = profile_of(opened.image, seen.detections, opened.input_bytes)
    return contracts.FacesDetected(
        faces=faces_of(opened.image, seen.detections.faces),
        channels=opened.image.channels,
        engine=seen.engine,
        profile=msgspec.structs.replace(profile, decode_ms=opened.decode_ms, smallest_face_px=seen.smallest_px),
    )


def masked(opened: Opened, seen: Seen, operation: contracts.MaskFaces) -> contracts.FacesMasked:
    """Paint over what was found, and write the file. Raises ImageError for a file that would be too large."""
    if opened.whole is None:
        raise ValueError("a picture is masked whole")
    found = detected(opened, seen)
    watch = Stopwatch()
    mask_faces(opened.whole.pixels, found.faces, operation)
    mask_ms = watch.lap()
    image = encode(opened.whole.pixels, operation.format, operation.quality)
    encode_ms = watch.lap()
    return contracts.FacesMasked(
        faces=found.faces,
        channels=found.channels,
        engine=found.engine,
        profile=msgspec.structs.replace(found.profile, mask_ms=mask_ms, encode_ms=encode_ms, output_bytes=len(image)),
        image=image,
        format=operation.format,
    )
