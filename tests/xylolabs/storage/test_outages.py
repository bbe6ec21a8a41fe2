"""Storage, its database or a worker away: the answer comes, and nothing is left behind that no row knows of."""

import asyncio
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from shared.cleanup import remove
from shared.db.cleanup import CleanupTasks
from shared.db.pool import open_pool
from shared.settings import Database
from shared.storage import open_storage
from tests.support.storing import unique
from tests.support.waiting import until
from workers.face.keeping import NOT_TRIED, RETRY_S

ONE = "obama/obama.jpg"


@pytest.fixture
def side(in_s3):
    """S3, whose server these tests stop; and at the end all is as it was, and nothing has leaked."""
    yield in_s3
    in_s3.clean()
    assert in_s3.files() == in_s3.wanted()


@contextmanager
def s3_away(side):
    side.s3.stop()
    try:
        yield
    finally:
        side.s3.start()


@contextmanager
def s3_frozen(side):
    side.s3.freeze()
    try:
        yield
    finally:
        side.s3.thaw()


@contextmanager
def rows_locked(side, table: str):
    """A database that stands still for those who write pictures, and for nobody else."""
    with psycopg.connect(side.database_url) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    time.sleep(RETRY_S)


@pytest.mark.parametrize("outage", [s3_away, s3_frozen])
def test_an_outage_of_s3_fails_no_call_and_the_rows_say_why(side, faces, admin, jpeg, outage):
    with outage(side), ThreadPoolExecutor(4) as pool:
        pictures = [unique(jpeg(ONE)) for _ in range(8)]
        answers = list(pool.map(faces.mask, pictures))
    assert [answer.status_code for answer in answers] == [200] * 8
    # The first ones in each worker wait for it; the others do not.
    jobs = [admin.get(f"/jobs/{answer.headers['X-Job-Id']}").json() for answer in answers]
    assert NOT_TRIED in {job["storage_error"] for job in jobs}
    for answer in answers:
        job = admin.get(f"/jobs/{answer.headers['X-Job-Id']}").json()
        assert "storage" in job["storage_error"]
        assert job["processed_url"] is job["original_url"] is job["output_bytes"] is None
        image = admin.get(f"/images/{job['image_id']}").json()
        assert "storage" in image["storage_error"]
        assert image["original_url"] is None
        assert httpx.URL(side.s3.endpoint).host not in job["storage_error"]
    assert admin.get(f"/jobs/{answers[0].headers['X-Job-Id']}/download").status_code == 404
    time.sleep(RETRY_S)
    # Sent again it has a file after all, and keeps its row.
    again = faces.mask(pictures[0])
    assert again.headers["X-Image-Id"] == answers[0].headers["X-Image-Id"]
    image = admin.get(f"/images/{again.headers['X-Image-Id']}").json()
    assert image["storage_error"] is None
    assert httpx.get(image["original_url"], timeout=60).content == pictures[0]


def test_delete_during_an_outage_is_204_and_the_files_go_later(side, faces, admin, one):
    answer = faces.mask(one)
    image_id = answer.headers["X-Image-Id"]
    keys = {
        *side.rows("SELECT original_key FROM images WHERE id = %s", image_id),
        *side.rows("SELECT processed_key FROM jobs WHERE image_id = %s", image_id),
    }
    with s3_away(side):
        assert admin.delete(f"/images/{image_id}").status_code == 204
        assert admin.get(f"/images/{image_id}").status_code == 404
        tasks = side.rows("SELECT key FROM cleanup_tasks WHERE last_error IS NOT NULL AND attempts = 1")
        assert keys <= set(tasks)
        # The cron fails, too, and its pauses grow.
        ((before,),) = side.rows("SELECT now()")
        side.rows("UPDATE cleanup_tasks SET due_at = now()")
        until(lambda: side.rows("SELECT min(attempts) FROM cleanup_tasks")[0][0] >= 2, "the cron has tried")
        # Ten seconds after the first attempt, and twice as many after each that follows.
        since_s = "extract(epoch FROM due_at - %s) >= 10 * 2 ^ (attempts - 1)"
        assert set(side.rows(f"SELECT {since_s} FROM cleanup_tasks", before)) == {(True,)}
        assert {key for (key,) in keys} <= side.files()
    side.clean()
    assert not {key for (key,) in keys} & side.files()


def test_a_database_that_stands_still_fails_no_call_and_leaves_no_file(side, faces, jpeg):
    with rows_locked(side, "jobs"):
        # Before the lock is let go, for which the row waits.
        answer = faces.detect(unique(jpeg(ONE)))
    told = answer.json()
    assert answer.status_code == 200
    assert told["image_id"] is told["job_id"] is None
    assert told["profiling"]["storage_ms"] > 1000


def test_a_worker_that_is_killed_over_it_leaves_one_row_and_no_file_more(side, faces, admin, one):
    answers = []
    with rows_locked(side, "jobs"):
        calling = threading.Thread(target=lambda: answers.append(faces.mask(one)))
        files = side.files()
        calling.start()
        until(lambda: len(side.files() - files) == 2, "both files are written")
        for process in side.process("workers.face").children():
            process.send_signal(signal.SIGKILL)
    calling.join(100)
    (answer,) = answers
    assert answer.status_code == 200
    job = admin.get(f"/jobs/{answer.headers['X-Job-Id']}").json()
    assert admin.get(f"/images/{job['image_id']}").json()["job_count"] == 1
    assert httpx.get(job["processed_url"], timeout=60).content == answer.content
    # Of the first worker: reserved, and in ten minutes removed; `side` waits for less.
    assert side.rows("SELECT count(*) FROM cleanup_tasks WHERE due_at > now() + interval '5 minutes'")[0][0] >= 2
    until(lambda: len(side.process("workers.face").children()) == 2)


def test_several_crons_at_once_do_each_task_once(side):
    keys = [f"processed/{secrets.token_hex(16)}.jpg" for _ in range(300)]
    side.rows("INSERT INTO cleanup_tasks (key, due_at, attempts) SELECT unnest(%s::text[]), now(), 5", keys)

    async def claim_all() -> list[str]:
        async with open_pool(Database(url=side.database_url)) as pool:
            tasks = CleanupTasks(pool)

            async def claim() -> list[str]:
                mine: list[str] = []
                while some := await tasks.claim(7):
                    mine += some
                return mine

            claimed = [key for some in await asyncio.gather(*(claim() for _ in range(4))) for key in some]
            await remove(open_storage(side.settings.storage), tasks, claimed, within_s=60)
            return claimed

    claimed = asyncio.run(claim_all())
    # The workers' own crons may have been faster with some.
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= set(keys)


def test_health_is_503_while_s3_is_away(side):
    def health() -> tuple[int, str]:
        answer = httpx.get(f"{side.base_url}/health", timeout=60)
        return answer.status_code, answer.json()["components"]["storage"]["status"]

    for outage in (s3_away, s3_frozen):
        with outage(side):
            # Before it goes on.
            assert health() == (503, "unavailable")
    assert health() == (200, "ok")


def test_health_is_503_while_the_folder_is_gone(in_folder):
    place, elsewhere = in_folder.place, in_folder.place.with_name("elsewhere")
    place.rename(elsewhere)
    try:
        answer = httpx.get(f"{in_folder.base_url}/health", timeout=60)
        assert (answer.status_code, answer.json()["components"]["storage"]["status"]) == (503, "unavailable")
    finally:
        elsewhere.rename(place)


def test_none_of_these_faults_left_a_key_an_address_or_a_secret_in_the_log(in_s3):
    told = in_s3.log.read_text()
    assert "was not stored" in told
    assert "could not be removed" in told
    assert in_s3.s3.endpoint not in told
    assert in_s3.s3.secret_key not in told
    assert "originals/" not in told
