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
from workers.ocr.cards.parsers import CARD_LIKE, count_documents, forget, recognise
from workers.ocr.cards.titles import other_document, promises_a_document
from workers.ocr.colour import is_greyscale
from workers.ocr.masking import masked
from workers.ocr.portrait import is_printed
from workers.ocr.quad import transformed
from workers.ocr.reader import LEAST_LINES, upright
from workers.ocr.redaction import redacted
from workers.vision.decode import Image, ImageError, decode
from workers.vision.detection import DetectOptions, Stopwatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.inference.circuit import Parts
    from workers.inference.network import FloatArray
    from workers.ocr.cards import Parsed
    from workers.ocr.lines import Reading
    from workers.ocr.quad import Straightened
    from workers.ocr.reader import CardReader, CardReading
    from workers.runtime.tasks import Call, Handlers
    from workers.vision.detectors import Detector

# A card over a third of a 12-megapixel photo has the 1,280 pixels that it is straightened to; at half of the photo's
# size its MRZ would have 12 pixels a character.
KEEP_SIDE = 2600

# Of a card of which a part was cut out; a page has more.
FEW_LINES = 12
# The portrait, its ghost, and whoever else is in the picture.
MOST_FACES = 5
HANGUL = "hangul"

NOT_READ = "the OCR engine does not answer; an operator can see why in the OCR worker's log and with `fidox doctor`"
ABSENT = "the OCR engine is not installed here; an operator can see what it needs with `fidox doctor`"
NO_CARD = "send a picture in which one whole identity document can be seen well, its front side and nothing over it"
SEVERAL = "there is more than one identity document in the picture; send a picture of each"
OTHER_DOCUMENT = (
    "the document is another one ({}); send a resident card, a driver's licence, a passport or an alien card"
)
UNREADABLE = "the document is seen, and its text cannot be read; send a sharper picture with even light"


class Read(NamedTuple):
    """A picture, what the reader made of it, the likeliest document first, and by which models.

    `around` is what it made of the whole picture, where the card is a part of that and the caller wants a copy.
    """

    image: Image
    found: CardReading
    parsed: Sequence[Parsed]
    model: str
    detector: str
    around: CardReading | None = None


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
        read = await first_answer(self._readers.in_order(), call.compute, _read, image, operation.redact)
        if read is None:
            if all(slot.part_state is PartState.ABSENT for slot in self._readers.all()):
                return failed(Failure.ENGINE_UNAVAILABLE, ABSENT)
            return failed(Failure.OCR_FAILED, NOT_READ, retry_after_s=1)
        try:
            outcome = await call.compute(self._answer, operation, read)
        finally:
            forget()
        profile = msgspec.structs.replace(outcome.profile, decode_ms=decode_ms, input_bytes=len(call.images[0]))
        return msgspec.structs.replace(outcome, profile=profile)

    def _decode(self, data: bytes) -> Image:
        return decode(data, max_pixels=self._max_pixels, keep_side=KEEP_SIDE)

    def _answer(self, operation: contracts.ReadCard, read: Read) -> contracts.CardRead | contracts.Failed:
        watch = Stopwatch()
        parsed = _type_of(read.parsed, read.found.reading, operation.id_type)
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
        printed = card.in_picture(np.concatenate([line.polygon for line in read.found.reading.lines]))
        portrait = self._portrait(card, printed, scale)
        portrait = portrait or self._portrait(upright(read.image.pixels, card), printed, scale)
        postprocess_ms = watch.lap()
        around = (read.around.card, read.around.reading) if read.around else None
        copy = redacted(read.image.pixels, card, read.found.reading, parsed, around) if operation.redact else None
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

    def _portrait(self, card: Straightened, printed: FloatArray, scale: float) -> contracts.Face | None:
        """The largest face of those that are printed beside the text, float32[n, 2] x y in the picture.

        Its ghost on the card is smaller, and whoever holds the card up is larger or farther away. None where there is
        none, or no detector.
        """
        if self._portraits is None:
            return None
        text = transformed(printed, np.linalg.inv(card.to_picture).astype(np.float64))
        faces = self._portraits.detect(Image.of(card.pixels), DetectOptions(max_faces=MOST_FACES)).faces
        face = next((each for each in faces if is_printed(each.box, text)), None)
        if face is None:
            return None
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


def _read(reader: CardReader, image: Image, redact: bool) -> Read:
    found, around = reader.read(image.pixels), None
    parsed = recognise(found.reading)
    if _is_worth_a_second_look(found, parsed):
        around = reader.read_whole(image.pixels)
        again = recognise(around.reading)
        if again[0].likelihood > parsed[0].likelihood:
            found, parsed = around, again
    if redact and around is None and parsed[0].likelihood >= CARD_LIKE:
        around = reader.read_whole(image.pixels)
    return Read(image, found, parsed, reader.model_id, reader.detector, around)


def _is_worth_a_second_look(found: CardReading, parsed: Sequence[Parsed]) -> bool:
    """Is it no document as it was cut out, and yet something of one?"""
    lines = found.reading.lines
    return (
        not found.is_given_up
        and parsed[0].likelihood < CARD_LIKE
        and other_document(lines) is None
        and (promises_a_document(lines) or (not found.card.is_whole and LEAST_LINES <= len(lines) <= FEW_LINES))
    )


def _type_of(
    all_parsed: Sequence[Parsed], reading: Reading, asked: contracts.IdType | None
) -> Parsed | contracts.Failed:
    """The document that it is, or what is wrong with it. `all_parsed` are the likeliest first."""
    if (name := other_document(reading.lines)) is not None:
        return failed(Failure.NO_DOCUMENT, OTHER_DOCUMENT.format(name), image=0)
    parsed = all_parsed[0]
    if parsed.likelihood < CARD_LIKE:
        return failed(Failure.NO_DOCUMENT, NO_CARD, image=0)
    if count_documents(reading) > 1:
        return failed(Failure.NO_DOCUMENT, SEVERAL, image=0)
    if asked is not None and parsed.id_type != asked:
        detail = f"the document is a {parsed.id_type}, not a {asked}; say so in idType, or leave it out"
        return failed(Failure.WRONG_DOCUMENT, detail, image=0)
    # An MRZ that is no more than seen is no reading.
    if not parsed.fields.keys() - {CardField.MRZ}:
        return failed(Failure.LOW_QUALITY, UNREADABLE, image=0)
    return parsed
