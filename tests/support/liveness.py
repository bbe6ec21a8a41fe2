"""The liveness samples beside the checkout, and a way to ask a liveness worker about many pictures."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from shared import contracts
from shared.contracts import Dialect, Kind
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

SAMPLES = Path(__file__).parents[2].parent / "shared" / "testdata" / "liveness"
PEOPLE = SAMPLES.parent / "people"
AT_ONCE = 4
# The deadline is the gateway's; what is asked here is what the worker says, however busy the machine.
PATIENCE_S = 60.0


def spoofs() -> list[Path]:
    """Prints and screens."""
    return sorted((SAMPLES / "photo").glob("image_F*"))


def forged() -> list[Path]:
    return sorted((SAMPLES / "deepfake").glob("df*"))


def masked() -> list[Path]:
    return sorted((SAMPLES / "mask" / "with").iterdir())


def bare() -> list[Path]:
    return sorted((SAMPLES / "mask" / "without").iterdir())


def portraits() -> list[Path]:
    """Real photos of one person that were made for something else."""
    return sorted(path for folder in PEOPLE.iterdir() if not folder.name.startswith("_") for path in folder.iterdir())


def genuine() -> list[Path]:
    """Every real, unmasked photo at hand, those with several faces too."""
    real = [*(SAMPLES / "photo").glob("image_T*"), *(SAMPLES / "deepfake").glob("real*")]
    return sorted(real) + bare() + portraits() + sorted((PEOPLE / "_groups").iterdir())


def check_all(redis_url: str, images: Iterable[bytes], *checks: contracts.Check) -> list[contracts.AnyOutcome]:
    """What the worker says of each picture, in their order."""

    async def run() -> list[contracts.AnyOutcome]:
        gate = asyncio.Semaphore(AT_ONCE)
        async with open_queue(QueueSettings(url=redis_url, deadline_s=PATIENCE_S)) as queue:

            async def one(image: bytes) -> contracts.AnyOutcome:
                async with gate:
                    answer = await queue.submit(
                        contracts.CheckLiveness(checks=checks),
                        [image],
                        tx_id=f"tx_{secrets.token_hex(6)}",
                        tenant_id=1,
                        dialect=Dialect.V1,
                        kind=Kind.LIVENESS,
                    )
                    return answer.outcome

            return await asyncio.gather(*(one(image) for image in images))

    return asyncio.run(run())


def attacks(outcomes: Iterable[contracts.AnyOutcome], check: contracts.Check) -> list[bool]:
    """Of those answered: did this check find an attack?"""
    return [
        result.attack
        for outcome in outcomes
        if isinstance(outcome, contracts.LivenessChecked)
        for result in outcome.checks
        if result.check is check
    ]
