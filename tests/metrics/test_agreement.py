"""The queue's figures in a scrape, in `fidox queue top` and read by hand from Redis are the same, also under load."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from redis import Redis

from tests.support.metrics import Scrape
from tests.support.waiting import PATIENCE_S, until

CLIENTS = 16
NAMES = ("waiting", "running", "oldest_s", "places", "bytes_held", "workers", "done", "taken_over", "dropped")


def by_hand(redis: Redis) -> dict[str, float]:
    """As somebody would with redis-cli."""
    jobs = redis.zrange("arq:queue:face", 0, -1, withscores=True)
    leased = [job for job, _ in jobs if redis.exists(b"arq:in-progress:" + job)]
    waiting = [at for job, at in jobs if job not in leased]
    seconds, micros = redis.time()
    now_ms = seconds * 1000 + micros // 1000
    counts = {name.decode(): int(count) for name, count in redis.hgetall("fidox:counts:face").items()}
    held = redis.zrangebyscore("fidox:held:face", now_ms, "+inf")
    return {
        "waiting": len(waiting),
        "running": len(leased),
        "oldest_s": (now_ms - min(waiting, default=now_ms)) / 1000,
        "places": len(held),
        "bytes_held": sum(int(member.rsplit(b" ", 1)[1]) for member in held),
        "workers": redis.zcount("fidox:workers:face", now_ms, "+inf"),
        "done": counts.get("done", 0),
        "taken_over": counts.get("taken_over", 0),
        "dropped": counts.get("dropped", 0),
    }


def scraped(watched) -> dict[str, float]:
    scrape = watched.scrape("gateway")
    names = {
        "waiting": "waiting_jobs",
        "running": "running_jobs",
        "oldest_s": "oldest_job_age_seconds",
        "places": "held_jobs",
        "bytes_held": "held_bytes",
        "workers": "live_workers",
        "done": "done_total",
        "taken_over": "taken_over_total",
        "dropped": "dropped_total",
    }
    return {ours: scrape.value(f"fidox_queue_{name}", kind="face") for ours, name in names.items()}


def top(watched) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "queue", "top", "--count", "1", "--json"],
        env=watched.stack.environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    face = json.loads(done.stdout)["queues"]["face"]
    return {name: face[name] for name in NAMES}


def agree(watched, redis: Redis) -> dict[str, float]:
    """What all three say, once the queue stood still while they were asked; its age goes on, and may differ by that."""
    end = time.monotonic() + PATIENCE_S
    while True:
        began, first = time.monotonic(), by_hand(redis)
        others = scraped(watched), top(watched)
        last, took_s = by_hand(redis), time.monotonic() - began
        still = {name for name in NAMES if name != "oldest_s"}
        if all(first[name] == last[name] for name in still):
            for other in others:
                assert {name: other[name] for name in still} == {name: first[name] for name in still}
                if first["waiting"]:
                    assert first["oldest_s"] <= other["oldest_s"] + 0.002
                    assert other["oldest_s"] <= first["oldest_s"] + took_s + 0.002
            return first
        assert time.monotonic() < end, "the queue never stood still"


@pytest.fixture
def redis(watched):
    with Redis.from_url(watched.stack.redis_url) as client:
        yield client


@pytest.fixture
def load(watched, redis, root_api, photo):
    """Callers that compare until they are told to stop; then the statuses that they got, and what was before."""
    going = True
    before = by_hand(redis)
    body = {"image1": photo("obama/obama.jpg"), "image2": photo("obama/obama.jpg")}

    def call() -> list[int]:
        statuses = []
        with httpx.Client(base_url=watched.stack.base_url, headers=root_api.client.headers, timeout=100) as client:
            while going:
                statuses.append(client.post("/face/compare", json=body).status_code)
        return statuses

    with ThreadPoolExecutor(CLIENTS) as pool:
        calls = [pool.submit(call) for _ in range(CLIENTS)]

        def stop() -> tuple[dict[str, float], list[int]]:
            nonlocal going
            going = False
            return before, [status for each in calls for status in each.result()]

        yield stop
        stop()


def test_idle(watched, redis, root_api, photo):
    assert root_api.post("/face/count", image=photo("obama/obama.jpg")).status_code == 200
    figures = agree(watched, redis)
    assert figures["waiting"] == figures["running"] == figures["places"] == 0
    assert figures["workers"] == 2


def test_under_load_while_a_worker_stands_still_and_is_killed(watched, redis, load):
    supervisor = psutil.Process(watched.stack.children["face"].pid)
    processes = supervisor.children()
    assert len(processes) == 2
    taken_over = by_hand(redis)["taken_over"]
    restarts = watched.scrape("face").value("fidox_worker_restarts_total")
    until(lambda: by_hand(redis)["places"] > 2, "there is load")
    try:
        # The supervisor first: it would kill what stands still.
        for process in (supervisor, *processes):
            process.suspend()
        # Nobody works now: once the leases have ended, nothing changes before the calls' deadlines.
        stood = agree(watched, redis)
        assert stood["waiting"] + stood["running"] == stood["places"] > 2
        assert stood["bytes_held"] > 0
        os.kill(processes[0].pid, signal.SIGKILL)
    finally:
        for process in (processes[1], supervisor):
            process.resume()
    # The killed one's job and the other's are taken over, a new process comes, and nobody has lost an answer.
    until(lambda: by_hand(redis)["taken_over"] > taken_over, "a job is taken over")
    until(lambda: by_hand(redis)["workers"] == 2, "two processes work")
    before, statuses = load()
    assert set(statuses) == {200}
    after = agree(watched, redis)
    assert after["done"] - before["done"] == len(statuses)
    assert after["taken_over"] > before["taken_over"]
    assert after["waiting"] == after["running"] == after["places"] == 0
    scrape = watched.scrape("face")
    assert scrape.value("fidox_worker_restarts_total") - restarts >= 1
    assert scrape.value("fidox_worker_processes", state="ready") == 2
    assert scrape.value("fidox_circuit_processes", part="ezway", state="closed") == 2


def without_processes(watched) -> Scrape | None:
    """A scrape in which no process works."""
    scrape = watched.scrape("face")
    return None if scrape.value("fidox_processes") else scrape


def test_what_a_killed_process_counted_stays_and_its_states_go(watched, root_api, photo):
    assert root_api.post("/face/count", image=photo("obama/obama.jpg")).status_code == 200
    supervisor = psutil.Process(watched.stack.children["face"].pid)
    before = watched.scrape("face")
    killed = supervisor.children()
    for process in killed:
        process.kill()
    # They are missed until the first that comes in their place has loaded its models.
    scrape = until(lambda: without_processes(watched), "they are gone")
    assert scrape.value("fidox_job_work_seconds_count") == before.value("fidox_job_work_seconds_count")
    until(lambda: watched.scrape("face").value("fidox_worker_processes", state="ready") == 2, "two others are ready")
    assert root_api.post("/face/count", image=photo("obama/obama.jpg")).status_code == 200
    after = watched.scrape("face")
    assert after.value("fidox_job_work_seconds_count") == before.value("fidox_job_work_seconds_count") + 1
    assert after.value("fidox_processes") == 2
