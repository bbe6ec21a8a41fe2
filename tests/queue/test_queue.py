"""What the queue promises: every call is answered, whatever happens to workers, and nothing is left behind."""

import asyncio
import os
import secrets
import signal
import time

import pytest

from shared import contracts, keys
from shared.contracts import Dialect, Failure, Kind
from shared.queue import MOST_WAKE_TOKENS, open_queue
from shared.settings import Queue as QueueSettings
from tests.queue.conftest import LEASE_S

IMAGE = b"\xff\xd8" + bytes(1000)


def order(what: str) -> contracts.VerifyFace:
    """What odd_worker is to do."""
    return contracts.VerifyFace(user_code=what)


async def submit(queue, operation, images=(), **more):
    answer = await queue.submit(
        operation,
        images,
        tx_id=more.pop("tx_id", f"tx_{secrets.token_hex(6)}"),
        tenant_id=1,
        dialect=Dialect.FIDOX,
        **more,
    )
    return answer.outcome


def failure(outcome) -> Failure:
    assert isinstance(outcome, contracts.Failed), outcome
    return outcome.failure


def settings(redis_url: str, **more) -> QueueSettings:
    return QueueSettings(url=redis_url, lease_s=LEASE_S, **more)


def left(client) -> set[str]:
    """Keys of jobs; what a worker or a gateway has of its own stays as long as it lives, and counts stay."""
    own = {key(Kind.FACE) for key in (keys.workers, keys.pace, keys.parts, keys.wake, keys.counts)}
    return {key.decode() for key in client.keys("*")} - own


def wait_until_nothing_is_left(client, patience_s: float = 5.0) -> None:
    until = time.monotonic() + patience_s
    while left(client):
        assert time.monotonic() < until, left(client)
        time.sleep(0.05)


def test_an_operation_and_its_images_reach_a_worker_and_its_outcome_comes_back(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("blob"), [IMAGE, IMAGE[:500]])

    outcome = run(main())
    assert (outcome.score, outcome.threshold) == (0.2, len(IMAGE) + 500)
    wait_until_nothing_is_left(client)


def test_no_live_worker_is_refused_at_once_and_nothing_is_sent(redis_url, client, run):
    async def main():
        async with open_queue(settings(redis_url)) as queue:
            started = time.monotonic()
            outcome = await submit(queue, order("blob"), [IMAGE])
            assert time.monotonic() - started < 1
            return outcome

    outcome = run(main())
    assert failure(outcome) is Failure.ENGINE_UNAVAILABLE
    assert outcome.retry_after_s >= 1
    assert left(client) == set()


def test_one_kind_of_worker_does_not_stand_in_for_another(workers, redis_url, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, contracts.CheckLiveness(), [IMAGE], kind=Kind.LIVENESS)

    assert failure(run(main())) is Failure.ENGINE_UNAVAILABLE


def test_a_bug_in_a_handler_is_internal_and_tells_nothing(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("raise")), await submit(queue, order("blob"), [IMAGE])

    broken, fine = run(main())
    assert failure(broken) is Failure.INTERNAL
    assert "secret" not in broken.detail
    assert isinstance(fine, contracts.Verified)
    wait_until_nothing_is_left(client)


def test_an_operation_that_a_worker_does_not_know_is_refused(workers, redis_url, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, contracts.CountFaces(), [IMAGE])

    assert failure(run(main())) is Failure.UNKNOWN_OPERATION


def test_a_call_past_its_deadline_is_answered_in_time_and_its_job_is_dropped_unread(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            slow = asyncio.create_task(submit(queue, order("sleep 2"), deadline_s=5))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            late = await submit(queue, order("blob"), [IMAGE], deadline_s=1)
            assert 0.9 < time.monotonic() - started < 1.5
            return late, await slow

    late, slow = run(main())
    assert failure(late) is Failure.DEADLINE
    assert isinstance(slow, contracts.Verified)
    wait_until_nothing_is_left(client, 10)


def test_the_job_of_a_killed_worker_is_taken_over_within_5_seconds(workers, redis_url, client, run):
    (first,) = workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 1.5"), [IMAGE], deadline_s=10))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(workers.start)
            first.kill()
            killed = time.monotonic()
            outcome = await call
            return outcome, time.monotonic() - killed

    outcome, seconds = run(main())
    assert isinstance(outcome, contracts.Verified)
    assert seconds < 5
    wait_until_nothing_is_left(client)


def test_a_job_that_kills_its_workers_is_given_up_and_answered(workers, redis_url, client, run):
    workers.start(4)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("die"), [IMAGE], deadline_s=20)

    assert failure(run(main())) is Failure.INTERNAL
    assert [process.poll() for process in workers.processes].count(-signal.SIGKILL) == 3
    wait_until_nothing_is_left(client)


def test_sigterm_finishes_the_jobs_in_hand_and_takes_no_new_ones(workers, redis_url, client, run):
    (worker,) = workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 1")))
            await asyncio.sleep(0.3)
            worker.terminate()
            await asyncio.sleep(0.2)
            refused = await submit(queue, order("blob"), [IMAGE])
            return await call, refused

    done, refused = run(main())
    assert isinstance(done, contracts.Verified)
    assert failure(refused) is Failure.ENGINE_UNAVAILABLE
    assert worker.wait(10) == 0
    wait_until_nothing_is_left(client)


def test_a_full_queue_refuses_at_once_with_retry_after(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url, max_jobs=3)) as queue:
            calls = [asyncio.create_task(submit(queue, order("sleep 0.5"))) for _ in range(3)]
            await asyncio.sleep(0.2)
            started = time.monotonic()
            refused = await submit(queue, order("blob"), [IMAGE])
            assert time.monotonic() - started < 0.3
            return refused, await asyncio.gather(*calls)

    refused, served = run(main())
    assert failure(refused) is Failure.OVERLOADED
    assert refused.retry_after_s >= 1
    assert all(isinstance(outcome, contracts.Verified) for outcome in served)
    wait_until_nothing_is_left(client)


def test_bytes_are_admitted_too_and_one_large_job_still_comes_in_alone(workers, redis_url, client, run):
    workers.start()
    big = bytes(600_000)

    async def main():
        async with open_queue(settings(redis_url, max_bytes=1_000_000)) as queue:
            busy = asyncio.create_task(submit(queue, order("sleep 0.5"), [big]))
            await asyncio.sleep(0.2)
            refused = await submit(queue, order("blob"), [big])
            await busy
            return refused, await submit(queue, order("blob"), [big, big])

    refused, alone = run(main())
    assert failure(refused) is Failure.OVERLOADED
    assert isinstance(alone, contracts.Verified)


def test_more_than_can_be_done_in_time_is_refused_before_it_waits(workers, redis_url, client, run):
    """The worker's pace is known: 4 jobs of half a second do not fit into a deadline of one."""
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            for _ in range(3):
                await submit(queue, order("sleep 0.5"))
            await asyncio.sleep(LEASE_S)  # the next heartbeat tells the pace
            outcomes = await asyncio.gather(*(submit(queue, order("sleep 0.5"), deadline_s=1.2) for _ in range(6)))
            alone = await submit(queue, order("blob"), deadline_s=0.3)
            return outcomes, alone

    outcomes, alone = run(main())
    assert (
        sum(isinstance(outcome, contracts.Failed) and outcome.failure is Failure.OVERLOADED for outcome in outcomes)
        >= 3
    )
    assert sum(isinstance(outcome, contracts.Verified) for outcome in outcomes) >= 1
    assert isinstance(alone, contracts.Verified), "an empty queue takes a job however slow the last ones were"


def test_redis_out_of_memory_is_overloaded_and_leaves_no_reservation(workers, redis_url, client, run):
    workers.start()
    limit = client.config_get("maxmemory")["maxmemory"]

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            await submit(queue, order("blob"))
            client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
            try:
                refused = await submit(queue, order("blob"), [bytes(3_000_000)])
            finally:
                client.config_set("maxmemory", limit)
            return refused, await submit(queue, order("blob"), [IMAGE])

    refused, fine = run(main())
    assert failure(refused) is Failure.OVERLOADED
    assert isinstance(fine, contracts.Verified)
    wait_until_nothing_is_left(client)


def test_a_job_in_hand_is_answered_by_a_redis_that_has_run_out_of_memory(workers, redis_url, client, run):
    """The reply takes memory and is refused; what the job held is freed first then, and makes room for it."""
    workers.start()
    limit = client.config_get("maxmemory")["maxmemory"]

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 0.6"), [os.urandom(4_000_000)]))
            await asyncio.sleep(0.3)
            client.config_set("maxmemory", client.info("memory")["used_memory"] - 1_000_000)
            try:
                return await call
            finally:
                client.config_set("maxmemory", limit)

    assert isinstance(run(main()), contracts.Verified)
    wait_until_nothing_is_left(client)


def test_a_redis_that_is_away_is_a_failure_not_an_exception(tmp_path, run):
    async def main():
        async with open_queue(settings(f"unix://{tmp_path}/none.sock?db=0")) as queue:
            return await submit(queue, order("blob"), [IMAGE])

    assert failure(run(main())) is Failure.STORE_UNAVAILABLE


def test_jobs_are_shared_among_workers(workers, redis_url, run):
    workers.start(2)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            started = time.monotonic()
            await asyncio.gather(*(submit(queue, order("sleep 0.4")) for _ in range(4)))
            return time.monotonic() - started

    assert run(main()) < 1.4


def test_a_worker_that_stands_still_loses_its_jobs_to_another_and_the_answer_comes_once(
    workers, redis_url, client, run
):
    (first,) = workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 0.5"), [IMAGE]))
            await asyncio.sleep(0.2)
            first.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(workers.start)
            outcome = await call
            first.send_signal(signal.SIGCONT)
            await asyncio.sleep(1)
            return outcome, await submit(queue, order("blob"), [IMAGE])

    outcome, after = run(main())
    assert isinstance(outcome, contracts.Verified)
    assert isinstance(after, contracts.Verified)
    wait_until_nothing_is_left(client)


def test_the_wake_up_list_is_bounded(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            await asyncio.gather(*(submit(queue, order("blob")) for _ in range(200)))

    run(main())
    assert client.llen(keys.wake(Kind.FACE)) <= MOST_WAKE_TOKENS


def test_nothing_in_redis_is_a_pickle_or_names_an_image(workers, redis_url, client, run):
    workers.start()
    seen: list[bytes] = []

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order("sleep 0.6"), [IMAGE]))
            await asyncio.sleep(0.3)
            seen.extend(value for key in client.keys("arq:job:*") if (value := client.get(key)))
            await call

    run(main())
    (job,) = seen
    assert not job.startswith(b"\x80\x04")
    assert IMAGE not in job
    assert client.keys("arq:result:*") == []


@pytest.mark.parametrize("garbage", [b"", b"\xc1", b"garbage", bytes(range(13, 255, 4))])
def test_a_garbage_job_hurts_nobody(workers, redis_url, client, run, garbage):
    (worker,) = workers.start()
    client.set(keys.JOB + "evil:face", garbage)
    client.zadd(keys.queue(Kind.FACE), {"evil:face": 1})
    client.rpush(keys.wake(Kind.FACE), b"")

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("blob"), [IMAGE])

    assert isinstance(run(main()), contracts.Verified)
    assert worker.poll() is None
    wait_until_nothing_is_left(client)
