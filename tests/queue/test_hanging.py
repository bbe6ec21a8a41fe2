"""A worker process that hangs is ended and replaced, whichever way it hangs; one that does not is left alone."""

import asyncio
import os
import signal
import time

import psutil

from shared import contracts
from shared.contracts import Failure
from shared.queue import open_queue
from tests.queue.conftest import LEASE_S, pids
from tests.queue.test_queue import (
    failure,
    holders,
    in_hand,
    order,
    settings,
    submit,
    wait_until_nothing_is_left,
)
from tests.support.waiting import until
from workers.runtime.heartbeat import Pulse
from workers.runtime.process import EX_STUCK
from workers.runtime.supervisor import SILENT_LEASES


def test_a_process_that_stands_still_is_killed_and_replaced_and_its_job_goes_on_elsewhere(
    workers, redis_url, client, run, tmp_path
):
    supervisor = workers.supervise(2)
    before = pids(supervisor)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), deadline_s=60))
            await in_hand(client, 1)
            (hung,) = holders(client)
            os.kill(hung, signal.SIGSTOP)
            (tmp_path / "go").touch()
            return hung, await call

    hung, outcome = run(main())
    assert isinstance(outcome, contracts.Verified)
    until(lambda: pids(supervisor) - before and hung not in pids(supervisor), "it is replaced")
    assert len(pids(supervisor) & before) == 1, "the other one lives on"
    workers.wait_supervised(supervisor, 2)
    wait_until_nothing_is_left(client)


def test_work_that_never_comes_back_ends_its_process_and_goes_on_elsewhere(workers, redis_url, client, run, tmp_path):
    (impatient,) = workers.start(stuck_s=1)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), deadline_s=100))
            await in_hand(client, 1)
            await asyncio.to_thread(workers.start)
            status = await asyncio.to_thread(impatient.wait, 60)
            (tmp_path / "go").touch()
            return status, await call

    status, outcome = run(main())
    assert status == EX_STUCK
    assert isinstance(outcome, contracts.Verified)
    wait_until_nothing_is_left(client)


def test_a_process_whose_supervisor_was_killed_ends(workers):
    supervisor = workers.supervise(1)
    (child,) = psutil.Process(supervisor.pid).children()
    supervisor.kill()
    supervisor.wait()
    child.wait(60)


def test_a_process_that_is_busy_for_long_is_left_alone(workers, redis_url, run):
    supervisor = workers.supervise(1)
    before = pids(supervisor)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order(f"sleep {SILENT_LEASES * LEASE_S + 2}"), deadline_s=60)

    assert isinstance(run(main()), contracts.Verified)
    assert pids(supervisor) == before


def test_silence_counts_only_while_the_supervisor_itself_looks():
    pulse = Pulse(longest_look_s=0.1)
    time.sleep(0.15)
    assert pulse.look() == 0, "not ready yet"
    os.write(pulse.write_fd, b".")
    assert pulse.look() == 0
    time.sleep(0.3)
    assert pulse.look() == 0.1
    os.write(pulse.write_fd, b"..")
    assert pulse.look() == 0
    pulse.started()
    pulse.close()


def test_a_job_that_hangs_every_worker_is_answered_at_its_deadline(workers, redis_url, client, run):
    workers.supervise(1)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("hang"), deadline_s=2)

    assert failure(run(main())) is Failure.DEADLINE
    wait_until_nothing_is_left(client)
