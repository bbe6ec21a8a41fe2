"""What the queue promises: every call is answered, whatever happens to workers, and nothing is left behind."""

import asyncio
import os
import secrets
import signal

import pytest

from shared import contracts, keys
from shared.contracts import Dialect, Failure, Kind
from shared.figures import Figures, read_figures
from shared.queue import MOST_WAKE_TOKENS, open_queue
from shared.settings import Queue as QueueSettings
from tests.queue.conftest import LEASE_S
from tests.support.waiting import until, until_in_loop
from workers.runtime.worker import TICK_S

# For calls that are to be answered, however slow the machine is at the moment.
AMPLE_S = 60.0
IMAGE = b"\xff\xd8" + bytes(1000)


def order(what: str) -> contracts.VerifyFace:
    """What odd_worker is to do."""
    return contracts.VerifyFace(user_code=what)


async def submit(queue, operation, images=(), **more):
    more.setdefault("deadline_s", AMPLE_S)
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
    if not figures(client).places:
        own.add(keys.held(Kind.FACE))  # a place that fell free at its deadline is swept away by the next job that comes
    return {key.decode() for key in client.keys("*")} - own


def wait_until_nothing_is_left(client) -> None:
    until(lambda: not left(client), "no job has left anything behind")


def holders(client) -> list[int]:
    """The process that has each job in its hands."""
    leases = client.mget(client.keys(f"{keys.LEASE}*") or [""])
    return [int(lease.split(b":")[1]) for lease in leases if lease]


async def in_hand(client, jobs: int) -> None:
    """Wait until so many jobs have been begun."""
    await until_in_loop(lambda: len(holders(client)) == jobs, f"{jobs} jobs are in a worker's hands")


async def let_in(client, jobs: int) -> None:
    """Wait until so many jobs hold a place."""
    await until_in_loop(lambda: figures(client).places == jobs, f"{jobs} jobs have been let in")


def figures(client) -> Figures:
    return read_figures(client, Kind.FACE)


def test_an_operation_and_its_images_reach_a_worker_and_its_outcome_comes_back(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("blob"), [IMAGE, IMAGE[:500]])

    outcome = run(main())
    assert (outcome.score, outcome.threshold) == (0.2, len(IMAGE) + 500)
    wait_until_nothing_is_left(client)


def test_no_live_worker_is_refused_before_the_deadline_and_nothing_is_sent(redis_url, client, run):
    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("blob"), [IMAGE])

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


def test_a_call_past_its_deadline_is_answered_while_its_job_waits_which_is_dropped_unread(
    workers, redis_url, client, run, tmp_path
):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            slow = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go")))
            await in_hand(client, 1)
            late = await submit(queue, order("blob"), [IMAGE], deadline_s=1)
            assert not slow.done()
            (tmp_path / "go").touch()
            return late, await slow

    late, slow = run(main())
    assert failure(late) is Failure.DEADLINE
    assert isinstance(slow, contracts.Verified)
    wait_until_nothing_is_left(client)
    assert (figures(client).done, figures(client).dropped) == (1, 1)


def test_the_job_of_a_killed_worker_is_taken_over(workers, redis_url, client, run, tmp_path):
    (first,) = workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), [IMAGE]))
            await in_hand(client, 1)
            (second,) = await asyncio.to_thread(workers.start)
            assert holders(client) == [first.pid]
            first.kill()
            await until_in_loop(lambda: holders(client) == [second.pid], "the other one has it")
            (tmp_path / "go").touch()
            return await call

    assert isinstance(run(main()), contracts.Verified)
    wait_until_nothing_is_left(client)
    assert figures(client).taken_over >= 1


def test_a_dead_workers_jobs_are_free_and_seen_within_5_seconds():
    """The lease, and how often a worker that nobody wakes looks for one that has run out."""
    assert QueueSettings().lease_s + TICK_S < 5


def test_a_job_that_kills_its_workers_is_given_up_and_answered(workers, redis_url, client, run):
    workers.start(4)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            return await submit(queue, order("die"), [IMAGE])

    assert failure(run(main())) is Failure.INTERNAL
    until(lambda: [process.poll() for process in workers.processes].count(-signal.SIGKILL) == 3, "three died of it")
    wait_until_nothing_is_left(client)


def test_sigterm_finishes_the_jobs_in_hand_and_takes_no_new_ones(workers, redis_url, client, run, tmp_path):
    (worker,) = workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go")))
            await in_hand(client, 1)
            worker.terminate()
            await until_in_loop(lambda: not workers.alive(), "it has said goodbye")
            refused = await submit(queue, order("blob"), [IMAGE])
            assert not call.done()
            (tmp_path / "go").touch()
            return await call, refused

    done, refused = run(main())
    assert isinstance(done, contracts.Verified)
    assert failure(refused) is Failure.ENGINE_UNAVAILABLE
    assert worker.wait(60) == 0
    wait_until_nothing_is_left(client)


def test_a_full_queue_refuses_while_its_jobs_wait_with_retry_after(workers, redis_url, client, run, tmp_path):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url, max_jobs=3)) as queue:
            calls = [asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"))) for _ in range(3)]
            await let_in(client, 3)
            refused = await submit(queue, order("blob"), [IMAGE])
            assert not any(call.done() for call in calls)
            (tmp_path / "go").touch()
            return refused, await asyncio.gather(*calls)

    refused, served = run(main())
    assert failure(refused) is Failure.OVERLOADED
    assert refused.retry_after_s >= 1
    assert all(isinstance(outcome, contracts.Verified) for outcome in served)
    wait_until_nothing_is_left(client)


def test_bytes_are_admitted_too_and_one_large_job_still_comes_in_alone(workers, redis_url, client, run, tmp_path):
    workers.start()
    big = bytes(600_000)

    async def main():
        async with open_queue(settings(redis_url, max_bytes=1_000_000)) as queue:
            busy = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), [big]))
            await let_in(client, 1)
            refused = await submit(queue, order("blob"), [big])
            (tmp_path / "go").touch()
            await busy
            return refused, await submit(queue, order("blob"), [big, big])

    refused, alone = run(main())
    assert failure(refused) is Failure.OVERLOADED
    assert isinstance(alone, contracts.Verified)


def test_more_than_can_be_done_in_time_is_refused_before_it_waits(workers, redis_url, client, run, tmp_path):
    """The worker's pace is known: two jobs of a second and a half each do not fit into two and a half seconds."""
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            await submit(queue, order("sleep 1.5"))
            await until_in_loop(lambda: (figures(client).job_ms or 0) >= 1500, "a heartbeat has told the pace")
            busy = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go")))
            await let_in(client, 1)
            hasty = await submit(queue, order("blob"), deadline_s=2.5)
            patient = asyncio.create_task(submit(queue, order("blob")))
            await let_in(client, 2)
            assert not busy.done()
            (tmp_path / "go").touch()
            served = [await busy, await patient]
            await let_in(client, 0)
            await submit(queue, order("blob"), deadline_s=1)
            return hasty, served

    hasty, served = run(main())
    assert failure(hasty) is Failure.OVERLOADED
    assert all(isinstance(outcome, contracts.Verified) for outcome in served)
    assert figures(client).refused["overloaded"] == 1, "an empty queue takes a job however slow the last ones were"


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


def test_a_job_in_hand_is_answered_by_a_redis_that_has_run_out_of_memory(workers, redis_url, client, run, tmp_path):
    """The reply takes memory and is refused; what the job held is freed first then, and makes room for it."""
    workers.start()
    limit = client.config_get("maxmemory")["maxmemory"]

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), [os.urandom(4_000_000)]))
            await in_hand(client, 1)
            client.config_set("maxmemory", client.info("memory")["used_memory"] - 1_000_000)
            (tmp_path / "go").touch()
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


def test_jobs_are_shared_among_workers(workers, redis_url, client, run, tmp_path):
    started = workers.start(2)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            calls = [asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"))) for _ in range(4)]
            await in_hand(client, 2)
            assert set(holders(client)) == {process.pid for process in started}
            (tmp_path / "go").touch()
            return await asyncio.gather(*calls)

    assert all(isinstance(outcome, contracts.Verified) for outcome in run(main()))


def test_a_worker_that_stands_still_loses_its_jobs_to_another_and_the_answer_comes_once(
    workers, redis_url, client, run, tmp_path
):
    (first,) = workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), [IMAGE]))
            await in_hand(client, 1)
            first.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(workers.start)
            (tmp_path / "go").touch()
            outcome = await call
            first.send_signal(signal.SIGCONT)
            await until_in_loop(lambda: first.pid in workers.alive(), "it goes on")
            # It has answered the job a second time when it ends, since it finishes what it has in hand.
            first.terminate()
            assert await asyncio.to_thread(first.wait, 60) == 0
            return outcome, await submit(queue, order("blob"), [IMAGE])

    outcome, after = run(main())
    assert isinstance(outcome, contracts.Verified)
    assert isinstance(after, contracts.Verified)
    wait_until_nothing_is_left(client)
    assert figures(client).done == 2


def test_the_wake_up_list_is_bounded(workers, redis_url, client, run):
    workers.start()

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            await asyncio.gather(*(submit(queue, order("blob")) for _ in range(200)))

    run(main())
    assert client.llen(keys.wake(Kind.FACE)) <= MOST_WAKE_TOKENS


def test_nothing_in_redis_is_a_pickle_or_names_an_image(workers, redis_url, client, run, tmp_path):
    workers.start()
    seen: list[bytes] = []

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            call = asyncio.create_task(submit(queue, order(f"until {tmp_path}/go"), [IMAGE]))
            await in_hand(client, 1)
            seen.extend(value for key in client.keys("arq:job:*") if (value := client.get(key)))
            (tmp_path / "go").touch()
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
