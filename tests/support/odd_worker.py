"""A real worker process whose operations do odd things, for tests of the queue: `python -m tests.support.odd_worker`.

The operation's user code says what to do: "until PATH" (works until there is such a file), "sleep 0.5", "raise", "die",
"hang" (the whole process), "blob" (answers with the images' sizes), "ask" (asks PostgreSQL). Dying is what a fault test
needs and no real operation offers.

    odd_worker [SLOTS [STUCK_S]]    one process
    odd_worker --supervised COUNT   a supervisor with so many
"""

import os
import signal
import sys
import time
from pathlib import Path

from shared import contracts
from shared.contracts import Failure, Kind, failed
from shared.db.pool import connection
from shared.settings import Settings
from shared.telemetry import set_up_logging
from workers.runtime.process import run_process
from workers.runtime.supervisor import Supervisor


def work(order: str, images: list[bytes]) -> contracts.AnyOutcome:
    what, _, much = order.partition(" ")
    if what == "until":
        while not Path(much).exists():
            time.sleep(0.02)
    elif what == "sleep":
        time.sleep(float(much))
    elif what == "raise":
        raise RuntimeError("a secret that no caller may see")
    elif what == "die":
        os.kill(os.getpid(), 9)
    elif what == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif what == "blob":
        return contracts.Verified(score=len(images) / 10, matched=True, threshold=float(sum(map(len, images))))
    elif what == "pid":
        return failed(Failure.LOW_QUALITY, str(os.getpid()))
    return contracts.Verified(score=0.5, matched=True, threshold=0.5)


async def load(pool):
    async def verify(operation: contracts.VerifyFace, call) -> contracts.AnyOutcome:
        if operation.user_code == "ask":
            async with connection(pool) as conn:
                await conn.execute("SELECT 1")
        return await call.compute(work, operation.user_code, call.images)

    return {contracts.VerifyFace: verify}


if __name__ == "__main__":
    settings = Settings.from_env()
    set_up_logging(settings.log)
    match sys.argv[1:]:
        case ["--supervised", count]:
            lease_s, ready_file = settings.queue.lease_s, settings.telemetry.ready_file
            sys.exit(Supervisor("tests.support.odd_worker", int(count), lease_s=lease_s, ready_file=ready_file).run())
        case [] | ["--one"]:
            run_process(Kind.FACE, settings, load)
        case [slots, *stuck_s]:
            run_process(Kind.FACE, settings, load, slots=int(slots), stuck_s=float(*stuck_s) or None)
