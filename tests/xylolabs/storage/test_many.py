"""A hundred thousand pictures: every listing, filter, sort and page, and the statistics, for 100 ms of work.

All of it lies in memory, so that on a machine that does nothing else the work is the time that an answer takes.
"""

import psycopg
import pytest

from tests.support.admin_api import AdminApi, make_account
from tests.support.console import write_pictures
from tests.support.effort import process_s
from tests.support.gateways import database_beside, gateway_process_beside

PICTURES = 100_000
MOST_MS = 100
PATHS = [
    "/images",
    "/images?page=2500&per_page=20",
    "/images?page=1000&per_page=100",
    "/images?sort=created_at",
    "/images?sort=-size_bytes",
    "/images?sort=-job_count&per_page=100",
    "/images?format=png",
    "/images?processed=true&per_page=100",
    "/images?processed=false&page=100",
    "/images?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z",
    "/jobs",
    "/jobs?page=1000&per_page=100",
    "/jobs?job_type=detect",
    "/jobs?job_type=mask&method=solid",
    "/jobs?method=pixelate&page=500",
    "/jobs?sort=created_at&page=2000",
    "/jobs?image_id={image_id}",
    "/images/{image_id}",
    "/stats",
]


@pytest.fixture(scope="module")
def many(stack, tmp_path_factory):
    """A gateway on a database of its own, a picture's id, and what both servers have worked so far, in milliseconds.

    The pictures' files are not there, which no listing looks for.
    """
    place = {"FACE_API_STORAGE_ENABLED": "true", "FACE_API_STORAGE_DIR": str(tmp_path_factory.mktemp("many"))}
    with database_beside(stack) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            write_pictures(connection, PICTURES)
            (image_id,) = connection.execute("SELECT id FROM images LIMIT 1").fetchone()
        with (
            gateway_process_beside(stack, DATABASE_URL=url, **place) as (base_url, gateway),
            AdminApi(base_url, make_account(url)) as admin,
        ):
            servers = gateway, stack.children["postgres"].pid
            yield admin, image_id, lambda: 1000 * sum(map(process_s, servers))


@pytest.mark.parametrize("path", PATHS)
def test_it_is_answered_for_a_tenth_of_a_seconds_work(many, path):
    admin, image_id, worked_ms = many
    times = []
    for _ in range(5):
        before_ms = worked_ms()
        answer = admin.client.get(path.format(image_id=image_id))
        times.append(worked_ms() - before_ms)
        assert answer.status_code == 200, answer.text
    # The least: PostgreSQL tidies up meanwhile.
    assert min(times) <= MOST_MS, times


def test_the_totals_are_right(many):
    admin, _, _ = many
    assert admin.list("/images")["total"] == PICTURES
    assert admin.list("/images", format="png")["total"] == PICTURES // 10
    stats = admin.get("/stats").json()
    assert (stats["images"], stats["jobs"]) == (PICTURES, PICTURES)
    assert stats["jobs_by_type"] == {"detect": PICTURES - PICTURES // 3, "mask": PICTURES // 3}
