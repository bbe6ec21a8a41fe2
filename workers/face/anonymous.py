"""The operations that know nobody: where the faces of a picture are, and the picture without them.

    detect   decode, reduced ─> detect                         one piece of work
    mask     decode, whole ─> a reduced view ─> detect         one
             ─> paint on the whole ─> encode                   another

Where storage is on, what came of either is kept before the answer goes out (keeping.py).

No face is an answer here, not a failure. Decoding and detecting are one piece of work, as in every operation: each
more costs two changes of thread. Painting and encoding stand outside the engine's circuit, because a picture of 50
megapixels that takes seconds to become a PNG is no engine's fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from shared import contracts
from shared.contracts import Failure, failed
from workers.face.engines import NO_ENGINE
from workers.face.mask import mask_faces
from workers.inference.circuit import first_answer
from workers.vision.decode import Image, ImageError, Whole, decode, decode_whole, read_header, reduced
from workers.vision.detection import DetectOptions, Stopwatch
from workers.vision.encode import check_size, encode, has_alpha
from workers.vision.profile import faces_of, profile_of

if TYPE_CHECKING:
    from workers.face.engines import Engine, Engines
    from workers.face.keeping import Keeper
    from workers.runtime.tasks import Call, Handlers
    from workers.vision.detection import Detections


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A decoded picture and what that took; `whole` where it is to be masked."""

    image: Image
    whole: Whole | None
    input_bytes: int
    decode_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an engine saw, and which."""

    engine: str
    detections: Detections


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
        looked = await first_answer(
            self._engines.in_order(), call.compute, open_and_look, call.images[0], operation, self._max_pixels
        )
        if looked is None:
            return failed(Failure.ENGINE_UNAVAILABLE, NO_ENGINE, retry_after_s=1)
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


def detect_once(
    engine: Engine, data: bytes, operation: contracts.DetectFaces, *, max_pixels: int
) -> contracts.FacesDetected:
    """The whole of a detection without queue and circuits. Raises ImageError, and what the engine raises."""
    opened = open_picture(data, operation, max_pixels)
    return detected(opened, look(engine, opened.image, operation))


def mask_once(engine: Engine, data: bytes, operation: contracts.MaskFaces, *, max_pixels: int) -> contracts.FacesMasked:
    """The whole of a masking without queue and circuits. Raises ImageError, and what the engine raises."""
    opened = open_picture(data, operation, max_pixels)
    return masked(opened, look(engine, opened.image, operation), operation)


def open_picture(data: bytes, operation: contracts.DetectFaces | contracts.MaskFaces, max_pixels: int) -> Opened:
    """Decode as far as the operation needs it. Raises ImageError."""
    watch = Stopwatch()
    if isinstance(operation, contracts.MaskFaces):
        header = read_header(data, max_pixels=max_pixels)
        check_size(header.width, header.height, operation.format)
        whole = decode_whole(data, header, keep_alpha=has_alpha(operation.format))
        return Opened(whole.seen, whole, len(data), watch.lap())
    image = decode(data, max_pixels=max_pixels)
    if image.scale == 1:
        # A large PNG or WebP: both operations look at the same pixels.
        image = reduced(image.pixels, image.channels)
    return Opened(image, None, len(data), watch.lap())


def open_and_look(
    engine: Engine, data: bytes, operation: contracts.DetectFaces | contracts.MaskFaces, max_pixels: int
) -> tuple[Opened, Seen] | contracts.Failed:
    """Decode and find the faces. What is wrong with the picture is an answer, not the engine's failure."""
    try:
        opened = open_picture(data, operation, max_pixels)
    except ImageError as error:
        return failed(error.failure, error.detail, image=0)
    return opened, look(engine, opened.image, operation)


def look(engine: Engine, image: Image, operation: contracts.Detecting) -> Seen:
    """Have an engine find the faces."""
    return Seen(engine.name, engine.detect(image, DetectOptions.of(operation)))


def detected(opened: Opened, seen: Seen) -> contracts.FacesDetected:
    """What was found, and how."""
    profile = profile_of(opened.image, seen.detections, opened.input_bytes)
    return contracts.FacesDetected(
        faces=faces_of(opened.image, seen.detections.faces),
        channels=opened.image.channels,
        engine=seen.engine,
        profile=msgspec.structs.replace(profile, decode_ms=opened.decode_ms),
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
