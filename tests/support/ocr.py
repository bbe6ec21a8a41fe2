"""A way to ask an OCR worker about many pictures, and what its answers are measured with."""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from typing import TYPE_CHECKING

from shared import contracts
from shared.contracts import CardField, CardRead, Dialect, Kind
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.specimens import Truth
    from workers.ocr.cards import Value

AT_ONCE = 4
PATIENCE_S = 60.0


def read_all(redis_url: str, images: Iterable[bytes], **asked) -> list[contracts.AnyOutcome]:
    """What the worker says of each picture, in their order; `asked` are fields of ReadCard."""

    async def run() -> list[contracts.AnyOutcome]:
        gate = asyncio.Semaphore(AT_ONCE)
        # The deadline is the gateway's; what is asked here is what the worker says, however busy the machine.
        async with open_queue(QueueSettings(url=redis_url, deadline_s=PATIENCE_S)) as queue:

            async def one(image: bytes) -> contracts.AnyOutcome:
                async with gate:
                    answer = await queue.submit(
                        contracts.ReadCard(**asked),
                        [image],
                        tx_id=f"tx_{secrets.token_hex(6)}",
                        tenant_id=1,
                        dialect=Dialect.V1,
                        kind=Kind.OCR,
                    )
                    return answer.outcome

            return await asyncio.gather(*(one(image) for image in images))

    return asyncio.run(run())


def plain(text: str) -> str:
    """Letters and digits only: spaces and punctuation are aside when two texts are compared."""
    return "".join(letter for letter in unicodedata.normalize("NFC", text) if letter.isalnum())


def wrong_fields(outcome: contracts.AnyOutcome, truth: Truth) -> dict[CardField, tuple[str, str]]:
    """What was printed and what was read, of each field of the truth that was not read exactly."""
    fields = outcome.fields if isinstance(outcome, CardRead) else {}
    pairs = {name: (value, fields[name].value if name in fields else "") for name, value in truth.fields.items()}
    return {name: pair for name, pair in pairs.items() if plain(pair[0]) != plain(pair[1])}


def replaced(fields: dict[CardField, Value], truth: dict[CardField, str]) -> list[tuple[str, str]]:
    """Words of two letters and more that were read rightly and are not in the answer, with what it has instead.

    They are sought in what either recogniser made of the lines of the field, so that a word counts that something after
    the recognisers lost.
    """
    found: list[tuple[str, str]] = []
    for name, value in fields.items():
        given = plain(value.value)
        lines = [plain(text) for line in value.lines for text in (line.text, line.latin)]
        words = (plain(word) for word in re.split(r"[\s,()<]+", truth.get(name, "")))
        found += [
            (word, given)
            for word in words
            if len(word) > 1 and word not in given and any(word in line for line in lines)
        ]
    return found


def errors(printed: str, read: str) -> int:
    """The edit distance of two texts, spaces and punctuation aside; at most the length of what was printed."""
    printed, read = plain(printed), plain(read)
    row = list(range(len(read) + 1))
    for i, one in enumerate(printed, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(read, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return min(row[-1], len(printed))
