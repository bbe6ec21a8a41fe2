"""`python -m workers.liveness`: the liveness worker of this machine, see workers/runtime/entry.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shared.contracts import Check, Kind
from workers.runtime.entry import main
from workers.runtime.supervisor import cores, gpus

if TYPE_CHECKING:
    from shared.db.pool import Pool
    from shared.settings import Settings
    from workers.runtime.tasks import Handlers

# A call computes in as many threads as it has checks, so a process keeps two cores busy.
CORES_A_PROCESS = 2


def _processes(settings: Settings) -> int:
    return settings.liveness.processes or gpus(settings.inference) or max(1, cores() // CORES_A_PROCESS)


def _be_one(settings: Settings) -> None:
    # Imported here, where models are needed: the supervisor stays at a few megabytes.
    from shared.weights import WeightStore  # noqa: PLC0415
    from shared.weights.requirements import Feature  # noqa: PLC0415
    from workers.inference.circuit import Parts  # noqa: PLC0415
    from workers.inference.explained import Explained  # noqa: PLC0415
    from workers.inference.gpu import require_gpu  # noqa: PLC0415
    from workers.liveness.load import checks  # noqa: PLC0415
    from workers.liveness.tasks import LivenessTasks  # noqa: PLC0415
    from workers.runtime.process import run_process  # noqa: PLC0415
    from workers.vision.clarity import open_clarity  # noqa: PLC0415
    from workers.vision.detectors import detector_loaders  # noqa: PLC0415

    require_gpu(settings.inference)
    faces = settings.faces
    limit_s, retry_s = faces.engine_timeout_s, faces.engine_retry_s
    tasks = LivenessTasks(
        Parts(detector_loaders(settings), limit_s=limit_s, retry_s=retry_s, what="detector", one_is_enough=True),
        Parts(checks(settings), limit_s=limit_s, retry_s=retry_s, what="check"),
        settings.liveness,
        open_clarity(WeightStore(settings.weights), settings.inference),
        max_pixels=faces.max_pixels,
    )

    async def load(_pool: Pool) -> Handlers:
        await tasks.load()
        return tasks.handlers()

    names: dict[str, Feature] = {Check.PHOTO: Feature.PHOTO, Check.DEEPFAKE: Feature.DEEPFAKE, Check.MASK: Feature.MASK}
    describe = Explained(tasks.describe, settings, names, again_s=retry_s)
    run_process(Kind.LIVENESS, settings, load, chore=tasks.mend, describe=describe)


if __name__ == "__main__":
    sys.exit(main(Kind.LIVENESS, _processes, _be_one))
