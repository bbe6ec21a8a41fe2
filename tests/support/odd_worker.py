"""A real worker process whose operations do odd things, for tests of the queue: `python -m tests.support.odd_worker`.

The operation's user code says what to do: "sleep 0.5", "raise", "die", "blob" (answers with the images' sizes).
Dying is what a fault test needs and no real operation offers.
"""

import os
import sys
import time

from shared import contracts
from shared.contracts import Failure, Kind, failed
from shared.settings import Settings
from shared.telemetry import set_up_logging
from workers.runtime.process import run_process


def work(order: str, images: list[bytes]) -> contracts.AnyOutcome:
    what, _, much = order.partition(" ")
    if what == "sleep":
        time.sleep(float(much))
    elif what == "raise":
        raise RuntimeError("a secret that no caller may see")
    elif what == "die":
        os.kill(os.getpid(), 9)
    elif what == "blob":
        return contracts.Verified(score=len(images) / 10, matched=True, threshold=float(sum(map(len, images))))
    elif what == "pid":
        return failed(Failure.LOW_QUALITY, str(os.getpid()))
    return contracts.Verified(score=0.5, matched=True, threshold=0.5)


async def verify(operation: contracts.VerifyFace, call) -> contracts.AnyOutcome:
    return await call.compute(work, operation.user_code, call.images)


async def load(_pool):
    return {contracts.VerifyFace: verify}


if __name__ == "__main__":
    settings = Settings.from_env()
    set_up_logging(settings.log)
    run_process(Kind.FACE, settings, load, slots=int(sys.argv[1]) if len(sys.argv) > 1 else 1)
