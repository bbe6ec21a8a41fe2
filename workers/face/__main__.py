"""`python -m workers.face`: the face worker of this machine, see workers/runtime/entry.py."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from shared.contracts import Kind
from workers.runtime.entry import main
from workers.runtime.supervisor import cores, gpus

if TYPE_CHECKING:
    from shared.db.pool import Pool
    from shared.settings import Settings
    from workers.runtime.tasks import Handlers

# Enough calls in hand to fill a batch on a GPU while another one is being decoded.
GPU_SLOTS = 16


def _processes(settings: Settings) -> int:
    settings.storage.require_place()
    return settings.faces.processes or gpus(settings.inference) or cores()


def _be_one(settings: Settings) -> None:
    # Imported here, where models are needed: the supervisor stays at a few megabytes.
    from shared.db.keeping import Keeping  # noqa: PLC0415
    from shared.db.template_changes import TemplateChanges  # noqa: PLC0415
    from shared.db.templates import Templates  # noqa: PLC0415
    from shared.storage import open_storage  # noqa: PLC0415
    from shared.weights.requirements import Feature  # noqa: PLC0415
    from workers.face.anonymous import AnonymousTasks  # noqa: PLC0415
    from workers.face.cron import keep_pictures_in_order  # noqa: PLC0415
    from workers.face.engines import Engines  # noqa: PLC0415
    from workers.face.judges import PLAIN  # noqa: PLC0415
    from workers.face.keeping import Keeper  # noqa: PLC0415
    from workers.face.load import load_judges, loaders  # noqa: PLC0415
    from workers.face.search import Search  # noqa: PLC0415
    from workers.face.tasks import FaceTasks  # noqa: PLC0415
    from workers.inference.explained import Explained  # noqa: PLC0415
    from workers.inference.gpu import has_gpu, require_gpu  # noqa: PLC0415
    from workers.runtime.process import run_process  # noqa: PLC0415

    require_gpu(settings.inference)
    faces = settings.faces
    engines = Engines(loaders(settings), limit_s=faces.engine_timeout_s, retry_s=faces.engine_retry_s)

    slots = GPU_SLOTS if has_gpu(settings.inference) else 1
    storage = open_storage(settings.storage)

    judges = PLAIN

    async def load(pool: Pool) -> Handlers:
        nonlocal judges
        await engines.load()
        judges = await asyncio.to_thread(load_judges, settings)
        templates = Templates(pool)
        search = Search(templates, TemplateChanges(pool), budget_bytes=faces.index_mb << 20)
        keeper = Keeper(storage, Keeping(pool)) if storage else None
        anonymous = AnonymousTasks(engines, max_pixels=faces.max_pixels, keeper=keeper)
        return {**FaceTasks(engines, templates, search, faces, judges, slots=slots).handlers(), **anonymous.handlers()}

    async def cron(pool: Pool) -> None:
        if storage:
            await keep_pictures_in_order(pool, storage, settings.storage.retention_days)

    describe = Explained(
        lambda: [*engines.describe(), *judges.describe()],
        settings,
        {
            "ezway": Feature.EZWAY,
            "applemango": Feature.APPLEMANGO,
            "dlib": Feature.DLIB,
            "head_pose": Feature.HEAD_POSE,
            "face_quality": Feature.FACE_QUALITY,
        },
        again_s=faces.engine_retry_s,
    )
    run_process(Kind.FACE, settings, load, slots=slots, chore=engines.mend, cron=cron, describe=describe)


if __name__ == "__main__":
    sys.exit(main(Kind.FACE, _processes, _be_one))
