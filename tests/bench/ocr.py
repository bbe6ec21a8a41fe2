"""Reading ID cards: what is right on specimens that nothing was fitted to, what it costs, and what memory it takes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from functools import cache

import psutil

from shared import contracts
from shared.contracts import CardRead, Dialect, IdType
from shared.contracts import Kind as Queued
from shared.queue import open_queue
from shared.settings import Inference, Weights
from shared.settings import Queue as QueueSettings
from shared.weights import WeightStore
from shared.weights.ocr import of_reader
from tests.bench.report import Section, percentile
from tests.specimens import KINDS, Kind, held_out, specimen
from tests.support import ocr
from workers.face.fit import wilson
from workers.ocr.cards.parsers import recognise
from workers.ocr.load import THREADS
from workers.ocr.reader import CardReader
from workers.ocr.tasks import KEEP_SIDE
from workers.vision.decode import decode

SEEDS = 50  # of each type and kind
CARDS = 500
SURE = 0.9
LEAST_EXACT = {"flat": 0.95, "photo": 0.93}
# Of each type and kind, whose words that were read rightly and replaced are counted: they are read again, in here.
COUNTED = 12
MOST_ERRORS = {"flat": 0.02, "photo": 0.05}
MOST_MS = 600
MOST_MB = 900


def accuracy(stack) -> Section:
    """Every held-out specimen, through queue and worker."""
    section = Section(
        "ID cards: what is read",
        f"{SEEDS} held-out specimens of each type and kind (`tests/specimens`, odd seeds), drawn and photographed by"
        " the project itself: real cards were not at hand. Half of the names, houses, districts and nations are in no"
        " list of the product. A field is exact with spaces and punctuation aside; in"
        " brackets the 95% Wilson interval. The character error rate is of all fields together, a missing one wholly"
        " wrong.",
    )
    types = [0, 0]
    sure_and_wrong = 0
    for kind in KINDS:
        exact, characters = [0, 0], [0, 0]
        for id_type in IdType:
            cards = [specimen(seed, id_type, kind) for seed in held_out(SEEDS)]
            outcomes = ocr.read_all(stack.redis_url, [card.jpeg for card in cards], reveal=True)
            right, total, wrong, length = 0, 0, 0, 0
            for card, outcome in zip(cards, outcomes, strict=True):
                fields = outcome.fields if isinstance(outcome, CardRead) else {}
                types[0] += isinstance(outcome, CardRead) and outcome.id_type is id_type
                types[1] += 1
                misread = ocr.wrong_fields(outcome, card.truth)
                total += len(card.truth.fields)
                right += len(card.truth.fields) - len(misread)
                for name, printed in card.truth.fields.items():
                    read = fields[name].value if name in fields else ""
                    wrong += ocr.errors(printed, read)
                    length += len(ocr.plain(printed))
                number = contracts.CardField.ID_NUMBER
                sure_and_wrong += number in misread and number in fields and fields[number].confidence >= SURE
            section.add(f"{id_type}, {kind}: exact fields", _share(right, total))
            section.add(f"{id_type}, {kind}: character error rate", f"{wrong / length:.3f}")
            for one, of_type in ((exact, (right, total)), (characters, (wrong, length))):
                one[0] += of_type[0]
                one[1] += of_type[1]
        least, most = LEAST_EXACT[kind], MOST_ERRORS[kind]
        rate = characters[0] / characters[1]
        section.add(f"all, {kind}: exact fields", _share(*exact), f"≥ {least:.0%}", exact[0] >= least * exact[1])
        section.add(f"all, {kind}: character error rate", f"{rate:.3f}", f"≤ {most}", rate <= most)
    section.add("type recognised", _share(*types), "≥ 99%", types[0] >= 0.99 * types[1])
    section.add(f"wrong numbers with a confidence ≥ {SURE}", f"{sure_and_wrong}", "none", sure_and_wrong == 0)
    lost = [word for kind in KINDS for id_type in IdType for word in _replaced(id_type, kind)]
    section.add(f"words read rightly and replaced, of {COUNTED} of each", f"{len(lost)}", "none", not lost)
    return section


def _replaced(id_type: IdType, kind: Kind) -> list[tuple[str, str]]:
    """Words of held-out specimens that a recogniser read rightly and the parsers replaced."""
    reader = _reader()
    found: list[tuple[str, str]] = []
    for seed in held_out(COUNTED):
        card = specimen(seed, id_type, kind)
        image = decode(card.jpeg, max_pixels=10**8, keep_side=KEEP_SIDE)
        best = recognise(reader.read(image.pixels).reading)[0]
        found += ocr.replaced(best.fields, card.truth.fields)
    return found


@cache
def _reader() -> CardReader:
    found = of_reader(WeightStore(Weights()))
    if isinstance(found, list):
        raise SystemExit(f"no weights: {', '.join(found)}")
    return CardReader(found, Inference(), threads=THREADS)


def speed(stack) -> Section:
    """One client, card after card."""
    section = Section(
        "ID cards: what it costs",
        f"One client, {CARDS} photographed specimens of 0.5 to 12 MP, one after the other, through the queue without"
        " HTTP: decode, straighten, find and read the lines, parse.",
    )
    images = [specimen(seed, id_type, "photo").jpeg for id_type in IdType for seed in held_out(10)]
    worker = psutil.Process(stack.children["ocr"].pid).children()[0]
    times: list[float] = []
    parts: dict[str, list[float]] = defaultdict(list)
    sizes: list[float] = []

    async def run() -> None:
        async with open_queue(QueueSettings(url=stack.redis_url)) as queue:
            for place in range(CARDS):
                started = time.perf_counter()
                answer = await queue.submit(
                    contracts.ReadCard(),
                    [images[place % len(images)]],
                    tx_id=f"tx_{secrets.token_hex(6)}",
                    tenant_id=1,
                    dialect=Dialect.V1,
                    kind=Queued.OCR,
                )
                times.append((time.perf_counter() - started) * 1000)
                for name in ("decode_ms", "preprocess_ms", "inference_ms", "postprocess_ms"):
                    parts[name].append(getattr(answer.outcome.profile, name))
                sizes.append(worker.memory_info().rss / 2**20)

    asyncio.run(run())
    p50 = percentile(times, 0.5)
    section.add("a card, p50", f"{p50:.0f} ms", f"≤ {MOST_MS} ms", p50 <= MOST_MS)
    section.add("a card, p99", f"{percentile(times, 0.99):.0f} ms")
    for name, values in parts.items():
        section.add(f"of it {name.removesuffix('_ms')}, p50", f"{percentile(values, 0.5):.0f} ms")
    section.add("memory of the process, largest", f"{max(sizes):.0f} MB", f"≤ {MOST_MB} MB", max(sizes) <= MOST_MB)
    first, last = (sorted(part)[len(part) // 2] for part in (sizes[50:150], sizes[-100:]))
    grown = last - first
    section.add("memory, cards 400 to 500 over 50 to 150", f"{grown:+.0f} MB", "flat", grown <= 0.05 * first)
    return section


def _share(count: int, total: int) -> str:
    rate = wilson(count, total)
    return f"{100 * count / total:.1f}% ({100 * rate.low:.0f} to {100 * rate.high:.0f}) of {total}"
