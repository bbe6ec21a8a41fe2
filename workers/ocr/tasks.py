"""The OCR operation: one decode, one reading, then the parser of its type, and what the answer shows of it.

A reader that breaks is OCR_FAILED, never half an answer; what is wrong with a picture is answered as the face
operations do. Numbers are masked here, before anything leaves the process, and nothing that was read is ever logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from shared import contracts
from shared.contracts import CardField, Failure, FieldValue, PartState, failed
from workers.inference.circuit import first_answer
from workers.ocr import outlines
from workers.ocr.cards.parsers import CARD_LIKE, recognise
from workers.ocr.colour import is_greyscale
from workers.ocr.masking import masked
from workers.ocr.reader import upright
from workers.ocr.redaction import redacted
from workers.vision.decode import Image, ImageError, decode
from workers.vision.detection import DetectOptions, Stopwatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.inference.circuit import Parts
    from workers.ocr.cards import Parsed
    from workers.ocr.quad import Straightened
    from workers.ocr.reader import CardReader, CardReading
    from workers.runtime.tasks import Call, Handlers
    from workers.vision.detectors import Detector

# A card over a third of a 12-megapixel photo has the 1,280 pixels that it is straightened to; at half of the photo's
# size its MRZ would have 12 pixels a character.
KEEP_SIDE = 2600

HANGUL = "hangul"

NOT_READ = "the OCR engine does not answer; an operator can see why in the OCR worker's log and with `fidox doctor`"
ABSENT = "the OCR engine is not installed here; an operator can see what it needs with `fidox doctor`"
NO_CARD = "send a picture in which one whole identity document can be seen well, its front side and nothing over it"
UNREADABLE = "the document is seen, and its text cannot be read; send a sharper picture with even light"


class Read(NamedTuple):
    """A picture, what the reader made of it, and by which models."""

    image: Image
    found: CardReading
    model: str
    detector: str


class CardTasks:
    """The handler of one worker process, and what it says of itself."""

    def __init__(self, readers: Parts[CardReader], portraits: Detector | None, *, max_pixels: int) -> None:
        self._readers = readers
        self._portraits = portraits
        self._max_pixels = max_pixels

    def handlers(self) -> Handlers:
        """The table that the worker runtime dispatches by."""
        return {contracts.ReadCard: self.read}

    async def load(self) -> None:
        """Load what can be loaded."""
        await self._readers.load()

    async def mend(self) -> None:
        """Probe what is off, until cancelled."""
        await self._readers.mend()

    def describe(self) -> Sequence[contracts.Part]:
        """Return the reader's state, and whether it has a second opinion of Hangul.

        Its detectors are that of lines and, where there is one, that of portraits.
        """
        parts = list(self._readers.describe())
        if self._portraits is not None:
            portraits = self._portraits.model_id
            parts = [
                msgspec.structs.replace(part, detector=f"{part.detector}+{portraits}") if part.detector else part
                for part in parts
            ]
        readers = [slot.part for slot in self._readers.all() if slot.part is not None]
        opinion = next((reader.second_opinion for reader in readers), None)
        state = PartState.READY if opinion else PartState.ABSENT
        return [*parts, contracts.Part(name=HANGUL, state=state, model=opinion, helps=True)]

    async def read(self, operation: contracts.ReadCard, call: Call) -> contracts.AnyOutcome:
        """What stands on the document?"""
        watch = Stopwatch()
        try:
            image = await call.compute(self._decode, call.images[0])
        except ImageError as error:
            return failed(error.failure, error.detail, image=0)
        decode_ms = watch.lap()
        read = await first_answer(self._readers.in_order(), call.compute, _read, image)
        if read is None:
            if all(slot.part_state is PartState.ABSENT for slot in self._readers.all()):
                return failed(Failure.ENGINE_UNAVAILABLE, ABSENT)
            return failed(Failure.OCR_FAILED, NOT_READ, retry_after_s=1)
        outcome = await call.compute(self._answer, operation, read)
        profile = msgspec.structs.replace(outcome.profile, decode_ms=decode_ms, input_bytes=len(call.images[0]))
        return msgspec.structs.replace(outcome, profile=profile)

    def _decode(self, data: bytes) -> Image:
        return decode(data, max_pixels=self._max_pixels, keep_side=KEEP_SIDE)

    def _answer(self, operation: contracts.ReadCard, read: Read) -> contracts.CardRead | contracts.Failed:
        watch = Stopwatch()
        parsed = _type_of(recognise(read.found.reading), operation.id_type)
        if isinstance(parsed, contracts.Failed):
            return parsed
        card, scale = read.found.card, read.image.scale
        fields = {
            name: FieldValue(
                value=value.value if operation.reveal else masked(name, value.value),
                confidence=value.confidence,
                polygon=outlines.of_value(value, card, scale),
            )
            for name, value in parsed.fields.items()
        }
        portrait = self._portrait(card, scale) or self._portrait(upright(read.image.pixels, card), scale)
        postprocess_ms = watch.lap()
        copy = redacted(read.image.pixels, card, read.found.reading, parsed) if operation.redact else None
        return contracts.CardRead(
            engine="paddleocr",
            model=read.model,
            id_type=parsed.id_type,
            confidence=min(field.confidence for field in fields.values()),
            fields=fields,
            portrait=portrait,
            is_greyscale=is_greyscale(card.pixels),
            mrz_valid=parsed.mrz_valid,
            redacted=copy,
            profile=contracts.Profile(
                preprocess_ms=read.found.straighten_ms,
                inference_ms=read.found.detect_ms + read.found.recognise_ms,
                postprocess_ms=postprocess_ms,
                encode_ms=watch.lap() if operation.redact else None,
                detector=read.detector,
                image_size=(read.image.width, read.image.height),
                input_size=(card.width, card.height),
            ),
        )

    def _portrait(self, card: Straightened, scale: float) -> contracts.Face | None:
        """The largest face; its ghost on the card is smaller. None where there is none, or no detector."""
        if self._portraits is None:
            return None
        faces = self._portraits.detect(Image.of(card.pixels), DetectOptions(max_faces=1)).faces
        if not faces:
            return None
        face = faces[0]
        x1, y1, x2, y2 = face.box
        corners = outlines.in_upright_picture(
            np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32), card, scale
        )
        across, down = zip(*corners, strict=True)
        return contracts.Face(
            x=min(across),
            y=min(down),
            width=round(max(across) - min(across), 1),
            height=round(max(down) - min(down), 1),
            confidence=face.confidence,
            landmarks=() if face.landmarks is None else outlines.in_upright_picture(face.landmarks, card, scale),
        )


def _read(reader: CardReader, image: Image) -> Read:
    return Read(image, reader.read(image.pixels), reader.model_id, reader.detector)


def _type_of(all_parsed: Sequence[Parsed], asked: contracts.IdType | None) -> Parsed | contracts.Failed:
    """The document that it is, or what is wrong with it. `all_parsed` are the likeliest first."""
    parsed = all_parsed[0]
    if parsed.likelihood < CARD_LIKE:
        return failed(Failure.NO_DOCUMENT, NO_CARD, image=0)
    if asked is not None and parsed.id_type != asked:
        detail = f"the document is a {parsed.id_type}, not a {asked}; say so in idType, or leave it out"
        return failed(Failure.WRONG_DOCUMENT, detail, image=0)
    # An MRZ that is no more than seen is no reading.
    if not parsed.fields.keys() - {CardField.MRZ}:
        return failed(Failure.LOW_QUALITY, UNREADABLE, image=0)
    return parsed
