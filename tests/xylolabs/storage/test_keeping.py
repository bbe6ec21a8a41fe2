"""The transactions under it: two writers of one picture, a job done twice, a picture deleted under a writer's hands."""

import asyncio
import os
import secrets
from uuid import UUID, uuid4

import pytest

from shared.contracts import ImageFormat, JobType, Profile
from shared.db.cleanup import CleanupTasks
from shared.db.keeping import TOO_LATE, Files, Keeping, Picture, VanishedError, Work
from shared.db.pool import open_pool
from shared.settings import Database
from shared.storage import ORIGINALS, PROCESSED, new_key, open_storage
from tests.support.storing import Side
from workers.face.cron import clean, delete_old


@pytest.fixture
def picture() -> Picture:
    return Picture(sha256=os.urandom(32), format=ImageFormat.JPEG, width=4, height=3, size_bytes=12)


def work(**changes) -> Work:
    fields = {"id": uuid4(), "api_key_id": None, "job_type": JobType.DETECT, "method": None, "parameters": {}}
    return Work(**fields | {"model": "none", "faces": (), "profile": Profile(), **changes})


def original() -> str:
    return new_key(ORIGINALS, ImageFormat.JPEG)


def result() -> str:
    return new_key(PROCESSED, ImageFormat.JPEG)


def run_on(side: Side, do):
    """`do` with the repository on the side's database."""

    async def connected():
        async with open_pool(Database(url=side.database_url)) as pool:
            return await do(Keeping(pool), CleanupTasks(pool))

    return asyncio.run(connected())


@pytest.fixture(scope="module")
def alone(stack, tmp_path_factory):
    """A database and a folder with neither gateway nor worker: no cron takes a task away."""
    root = tmp_path_factory.mktemp("alone")
    side = Side(stack, 9, root / "new", root / "log")
    yield side
    side.__exit__()


@pytest.fixture
def run(alone):
    """`run(work)` with the repository on the database of `alone`."""
    yield lambda do: run_on(alone, do)
    alone.rows("DELETE FROM cleanup_tasks")
    alone.rows("DELETE FROM images")


def tasks(side) -> set[str]:
    return {key for (key,) in side.rows("SELECT key FROM cleanup_tasks")}


def test_a_file_is_a_task_until_its_row_is_there(alone, run, picture):
    key = original()

    async def do(keeping: Keeping, _tasks: CleanupTasks) -> None:
        assert await keeping.begin(picture.sha256, key, None) is False
        assert tasks(alone) == {key}
        await keeping.write(picture, work(), Files(original=key))

    run(do)
    assert tasks(alone) == set()


def test_of_two_first_writers_one_has_the_row_and_the_others_file_is_a_task(alone, run, picture):
    mine, theirs = original(), original()

    async def do(keeping: Keeping, _tasks: CleanupTasks) -> list[UUID]:
        for key in (mine, theirs):
            assert await keeping.begin(picture.sha256, key, None) is False
        return [await keeping.write(picture, work(), Files(original=key)) for key in (mine, theirs)]

    one, other = run(do)
    assert one == other
    assert alone.rows("SELECT original_key, job_count FROM images WHERE id = %s", one) == [(mine, 2)]
    assert alone.rows("SELECT key FROM cleanup_tasks WHERE due_at <= now()") == [(theirs,)]


def test_a_job_that_is_done_twice_is_one_row_and_its_second_result_a_task(alone, run, picture):
    first, second = result(), result()
    same = work(job_type=JobType.MASK, processed_format=ImageFormat.JPEG, processed_bytes=9)

    async def do(keeping: Keeping, _tasks: CleanupTasks) -> None:
        key = original()
        await keeping.begin(picture.sha256, key, first)
        await keeping.write(picture, same, Files(original=key, processed=first))
        assert await keeping.begin(picture.sha256, original(), second) is True
        await keeping.write(picture, same, Files(processed=second, is_known=True))

    run(do)
    rows = alone.rows("SELECT processed_key FROM jobs WHERE id = %s", same.id)
    assert rows == [(first,)]
    assert alone.rows("SELECT job_count FROM images WHERE sha256 = %s", picture.sha256) == [(1,)]
    assert tasks(alone) == {second}


def test_a_picture_that_is_deleted_under_a_writers_hands_is_begun_again(run, picture):
    async def do(keeping: Keeping, _tasks: CleanupTasks) -> None:
        key = original()
        await keeping.begin(picture.sha256, key, None)
        image_id = await keeping.write(picture, work(), Files(original=key))
        assert await keeping.begin(picture.sha256, original(), None) is True
        assert await keeping.delete(image_id, claim=True) == [key]
        with pytest.raises(VanishedError):
            await keeping.write(picture, work(), Files(is_known=True))
        assert await keeping.begin(picture.sha256, original(), None) is False

    run(do)


def test_a_file_that_the_cron_has_set_out_to_remove_is_no_rows_any_more(alone, run, picture):
    key, late = original(), work()

    async def do(keeping: Keeping, tasks_: CleanupTasks) -> None:
        await keeping.begin(picture.sha256, key, None)
        alone.rows("UPDATE cleanup_tasks SET due_at = now()")
        assert key in await tasks_.claim(100)
        await keeping.write(picture, late, Files(original=key))

    run(do)
    found = alone.rows("SELECT original_key, storage_error FROM images WHERE sha256 = %s", picture.sha256)
    assert found == [(None, TOO_LATE)]
    assert alone.rows("SELECT storage_error FROM jobs WHERE id = %s", late.id) == [(TOO_LATE,)]


def test_pictures_go_when_they_were_last_sent_long_enough_ago_and_their_files_with_them(in_folder, jpeg):
    storage = open_storage(in_folder.settings.storage)
    with in_folder.api() as faces:
        old, used, new = (faces.mask(jpeg("obama/obama.jpg") + secrets.token_bytes(8)) for _ in range(3))
    ids = [answer.headers["X-Image-Id"] for answer in (old, used, new)]
    in_folder.rows("UPDATE images SET created_at = now() - interval '31 days' WHERE id = ANY(%s::uuid[])", ids[:2])
    in_folder.rows("UPDATE images SET last_job_at = now() - interval '31 days' WHERE id = %s", ids[0])

    async def do(keeping: Keeping, tasks_: CleanupTasks) -> None:
        await delete_old(keeping, 30)
        while await clean(storage, tasks_):
            pass

    run_on(in_folder, do)
    left = {str(image_id) for (image_id,) in in_folder.rows("SELECT id FROM images")}
    assert ids[0] not in left
    assert set(ids[1:]) <= left
    in_folder.clean()
    assert in_folder.files() == in_folder.wanted()
