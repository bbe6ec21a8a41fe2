"""The liveness worker with a check `mask` that breaks on order: `python -m tests.support.faulty_liveness`.

The file FAULT says how: "raise", "slow", or nothing for a check that works. A session that runs out of memory cannot be
caused from outside at will; files of garbage can, and are (the worker looks for weights in FIDOX_WEIGHTS_DIR alone).
"""

import os
import time
from functools import partial
from pathlib import Path

from shared.contracts import Check
from shared.settings import Settings
from shared.telemetry import set_up_logging
from shared.weights import WeightStore
from workers.liveness import __main__ as worker
from workers.liveness import load
from workers.liveness.mask import MaskCheck
from workers.vision import detectors

FAULT = Path(os.environ["FAULT"])


def suffer() -> None:
    """Do what the file says."""
    match FAULT.read_text().strip():
        case "raise":
            raise RuntimeError("bad allocation")
        case "slow":
            time.sleep(15)


class Faulty(MaskCheck):
    def score(self, pixels, box):
        suffer()
        return super().score(pixels, box)

    def warm_up(self):
        suffer()
        super().warm_up()


if __name__ == "__main__":
    load.WeightStore = detectors.WeightStore = partial(WeightStore, mirror=None)
    load._CHECKS[Check.MASK] = Faulty
    settings = Settings.from_env()
    set_up_logging(settings.log)
    worker._be_one(settings)
