"""A face worker that dies, ends or hangs under load: every call gets its answer in time, and nobody mends anything."""

import signal
import time

from shared.contracts import Kind
from shared.figures import read_figures
from tests.faults.conftest import jobs_of, processes
from tests.support.waiting import until


def victim_with_a_job(stack, client):
    """One of the processes, standing still with a job in hand."""
    process = processes(stack)[0]

    def caught() -> set[str]:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
        if not (jobs := jobs_of(client, process.pid)):
            process.send_signal(signal.SIGCONT)
        return jobs

    return process, until(caught, "it has a job")


def test_sigkill_under_load(stack, client, load):
    with load() as calls:
        calls.wait_for(10)
        process, jobs = victim_with_a_job(stack, client)
        process.kill()
        until(lambda: len(processes(stack)) == 2, "it is replaced")
        calls.wait_well(since=time.monotonic())
    calls.check()
    assert jobs <= set(calls.by_tx()), "its jobs were answered"


def test_a_hanging_process_is_replaced_under_load(stack, client, load):
    with load() as calls:
        process, jobs = victim_with_a_job(stack, client)
        until(lambda: not process.is_running(), "it is ended")
        until(lambda: len(processes(stack)) == 2, "it is replaced")
        calls.wait_well(since=time.monotonic())
    calls.check()
    assert jobs <= set(calls.by_tx())


def test_sigterm_finishes_the_jobs_in_hand_and_the_worker_comes_back(stack, client, load):
    face = stack.children["face"]
    with load() as calls:
        jobs, before = until(lambda: jobs_of(client), "it has jobs"), face.pid
        taken_over = read_figures(client, Kind.FACE).taken_over
        face._process.send_signal(signal.SIGTERM)
        until(lambda: face.pid not in {None, before}, "it is started again")
        calls.wait_well(since=time.monotonic())
        assert read_figures(client, Kind.FACE).taken_over == taken_over, "finished, not taken over"
    calls.check()
    assert jobs <= set(calls.by_tx())
