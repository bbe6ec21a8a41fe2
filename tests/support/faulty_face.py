"""The face worker with an `ezway` that breaks on order: `python -m tests.support.faulty_face`.

FAULT names a file; its content says how: "raise", "memory", "slow", "lost", or nothing. A session that raises, memory
that runs out and a card that hangs or is lost cannot be caused from outside at will; a weights file of garbage can, and
is (the worker looks for weights in FIDOX_WEIGHTS_DIR alone here).
"""

import os
import time
from functools import partial
from pathlib import Path

from shared.settings import Settings
from shared.telemetry import set_up_logging
from shared.weights import WeightStore
from workers.face import __main__ as worker
from workers.face import load
from workers.face.engines.pair import Pair

FAULT = Path(os.environ["FAULT"])


def suffer() -> None:
    """Do what the file says."""
    match FAULT.read_text().strip():
        case "raise":
            raise RuntimeError("CUDNN_STATUS_EXECUTION_FAILED")
        case "memory":
            raise MemoryError("bad allocation")
        case "lost":
            raise RuntimeError("CUDA failure 700: an illegal memory access was encountered ; GPU=0")
        case "slow":
            time.sleep(15)


class Faulty(Pair):
    def detect(self, image, options):
        suffer()
        return super().detect(image, options)

    def warm_up(self):
        suffer()
        super().warm_up()


if __name__ == "__main__":
    load.WeightStore = partial(WeightStore, mirror=None)
    load.Pair = Faulty
    settings = Settings.from_env()
    set_up_logging(settings.log)
    worker._be_one(settings)
