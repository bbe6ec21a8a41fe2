"""A face worker that dies, ends or hangs under load: every call gets its answer in time, and nobody mends anything."""

import signal
import time

from tests.faults.conftest import LEASE_S, jobs_of, processes
from tests.support.waiting import until
from workers.runtime.supervisor import SILENT_LEASES

OK = (200, "00000")


def victim_with_a_job(stack, client):
    """One of the processes, standing still with a job in hand."""
    process = processes(stack)[0]
    until = time.monotonic() + 5
    while True:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
        if jobs := jobs_of(client, process.pid):
            return process, jobs
        process.send_signal(signal.SIGCONT)
        assert time.monotonic() < until, "it never has a job"
        time.sleep(0.01)


def test_sigkill_under_load(stack, client, load):
    with load() as calls:
        time.sleep(1)
        process, jobs = victim_with_a_job(stack, client)
        process.kill()
        killed = time.monotonic()
        time.sleep(6)
        assert len(processes(stack)) == 2
    told = calls.check()
    answers = calls.by_tx()
    assert jobs <= set(answers), "its jobs were answered"
    assert all(answers[job].ended - killed < 5 for job in jobs)
    assert told[OK] > 20
    assert all(answer.status == 200 for answer in calls.answers if answer.began > killed + 5)


def test_a_hanging_process_is_replaced_under_load(stack, client, load):
    with load() as calls:
        process, jobs = victim_with_a_job(stack, client)
        hung = time.monotonic()
        until(lambda: not process.is_running(), SILENT_LEASES * LEASE_S + 3)
        until(lambda: len(processes(stack)) == 2)
    calls.check()
    answers = calls.by_tx()
    assert jobs <= set(answers)
    assert all(answers[job].ended - hung < 5 for job in jobs)


def test_sigterm_finishes_the_jobs_in_hand_and_the_worker_comes_back(stack, client, load):
    face = stack.children["face"]
    with load() as calls:
        time.sleep(0.5)
        until(lambda: len(jobs_of(client)) > 0)
        jobs, before = jobs_of(client), face.pid
        face._process.send_signal(signal.SIGTERM)
        told_to = time.monotonic()
        until(lambda: face.pid not in {None, before})
        until(lambda: any(a.status == 200 and a.began > told_to + 3 for a in tuple(calls.answers)))
    calls.check()
    answers = calls.by_tx()
    assert jobs <= set(answers)
    assert all(answers[job].ended - told_to < LEASE_S for job in jobs), "finished, not taken over"
