"""`python -m workers.ocr`: the OCR worker of this machine, see workers/runtime/entry.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shared.contracts import Kind
from workers.runtime.entry import main
from workers.runtime.supervisor import cores, gpus

if TYPE_CHECKING:
    from shared.db.pool import Pool
    from shared.settings import Settings
    from workers.runtime.tasks import Handlers

# A card is read in two threads.
CORES_A_PROCESS = 2
# The networks that find and read text fill and free arrays of tens of megabytes, of another size for every picture:
# kept, the pieces added up to 940 MB after 24 cards, given back to 780.
KEPT_BYTES = 4 << 20


def _processes(settings: Settings) -> int:
    return settings.ocr.processes or gpus(settings.inference) or max(1, cores() // CORES_A_PROCESS)


def _be_one(settings: Settings) -> None:
    # Imported here, where models are needed: the supervisor stays at a few megabytes.
    from shared.weights.requirements import Feature  # noqa: PLC0415
    from workers.inference.circuit import Parts  # noqa: PLC0415
    from workers.inference.explained import Explained  # noqa: PLC0415
    from workers.inference.gpu import require_gpu  # noqa: PLC0415
    from workers.ocr.load import READER, portrait_detector, readers  # noqa: PLC0415
    from workers.ocr.tasks import HANGUL, CardTasks  # noqa: PLC0415
    from workers.runtime.process import run_process  # noqa: PLC0415

    require_gpu(settings.inference)
    # A reader that needs longer than a call may take is of no use to anybody.
    limit_s, retry_s = settings.queue.deadline_s, settings.faces.engine_retry_s
    tasks = CardTasks(
        Parts(readers(settings), limit_s=limit_s, retry_s=retry_s, what="reader"),
        portrait_detector(settings),
        max_pixels=settings.faces.max_pixels,
    )

    async def load(_pool: Pool) -> Handlers:
        await tasks.load()
        return tasks.handlers()

    describe = Explained(tasks.describe, settings, {READER: Feature.ID_CARDS, HANGUL: Feature.HANGUL}, again_s=retry_s)
    run_process(Kind.OCR, settings, load, chore=tasks.mend, describe=describe)


if __name__ == "__main__":
    sys.exit(main(Kind.OCR, _processes, _be_one, kept_bytes=KEPT_BYTES))
