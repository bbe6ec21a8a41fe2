"""The OCR worker with a reader that breaks on order: `python -m tests.support.faulty_ocr`.

The file FAULT says how: "raise", "slow", or nothing for a reader that works. A session that runs out of memory cannot
be caused from outside at will; files of garbage can, and are (the worker looks for weights in FIDOX_WEIGHTS_DIR and in
the Python package that carries some, and nowhere else).
"""

import os
import time
from functools import partial
from pathlib import Path

from shared.settings import Settings
from shared.telemetry import set_up_logging
from shared.weights import WeightStore
from workers.ocr import __main__ as worker
from workers.ocr import load
from workers.ocr.reader import CardReader
from workers.vision import detectors

FAULT = Path(os.environ["FAULT"])


def suffer() -> None:
    """Do what the file says."""
    match FAULT.read_text().strip():
        case "raise":
            raise RuntimeError("bad allocation")
        case "slow":
            time.sleep(30)


class Faulty(CardReader):
    def read(self, pixels):
        suffer()
        return super().read(pixels)

    def warm_up(self):
        suffer()
        super().warm_up()


if __name__ == "__main__":
    load.WeightStore = detectors.WeightStore = partial(WeightStore, mirror=None)
    load.CardReader = Faulty
    settings = Settings.from_env()
    set_up_logging(settings.log)
    worker._be_one(settings)
