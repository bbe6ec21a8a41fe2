"""A worker process that hangs is ended and replaced, whichever way it hangs; one that does not is left alone."""

import asyncio
import os
import signal
import time

import psutil

from shared import contracts
from shared.contracts import Failure
from shared.queue import open_queue
from tests.queue.conftest import LEASE_S
from tests.queue.test_queue import failure, order, settings, submit, wait_until_nothing_is_left
from workers.runtime.heartbeat import Pulse
from workers.runtime.process import EX_STUCK
from workers.runtime.supervisor import SILENT_LEASES


def pids(supervisor) -> set[int]:
    return {child.pid for child in psutil.Process(supervisor.pid).children()}


def test_a_process_that_stands_still_is_killed_and_replaced_and_its_job_goes_on_elsewhere(
    workers, redis_url, client, run
):
    supervisor = workers.supervise(2)
    before = pids(supervisor)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 1"), deadline_s=8))
            await asyncio.sleep(0.3)
            held = client.keys("arq:in-progress:*")
            hung = int(client.get(held[0]).split(b":")[1])
            os.kill(hung, signal.SIGSTOP)
            return hung, await call

    hung, outcome = run(main())
    assert isinstance(outcome, contracts.Verified)
    until = time.monotonic() + SILENT_LEASES * LEASE_S + 5
    while len(pids(supervisor) - before) < 1 or hung in pids(supervisor):
        assert time.monotonic() < until, "it was not replaced"
        time.sleep(0.1)
    assert len(pids(supervisor) & before) == 1, "the other one lives on"
    workers.wait_alive(2)
    wait_until_nothing_is_left(client)


def test_work_that_never_comes_back_ends_its_process_and_goes_on_elsewhere(workers, redis_url, client, run):
    (impatient,) = workers.start(stuck_s=1)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 2.5"), deadline_s=12))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(workers.start)
            return await call

    assert isinstance(run(main()), contracts.Verified)
    assert impatient.wait(5) == EX_STUCK
    wait_until_nothing_is_left(client)


def test_a_process_whose_supervisor_was_killed_ends(workers):
    supervisor = workers.supervise(1)
    (child,) = psutil.Process(supervisor.pid).children()
    supervisor.kill()
    supervisor.wait()
    child.wait(10)


def test_a_process_that_is_busy_for_long_is_left_alone(workers, redis_url, run):
    supervisor = workers.supervise(1)
    before = pids(supervisor)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order(f"sleep {SILENT_LEASES * LEASE_S + 2}"))

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


def test_a_job_that_hangs_every_worker_is_answered_in_time(workers, redis_url, client, run):
    workers.supervise(1)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            started = time.monotonic()
            outcome = await submit(queue, order("hang"), deadline_s=2)
            return outcome, time.monotonic() - started

    outcome, seconds = run(main())
    assert failure(outcome) is Failure.DEADLINE
    assert seconds < 3
    wait_until_nothing_is_left(client, 12)
