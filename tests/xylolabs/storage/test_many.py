"""A hundred thousand pictures: every listing, filter, sort and page, and the statistics, within a tenth of a second."""

import time

import psycopg
import pytest

from tests.support.admin_api import AdminApi, make_account
from tests.support.console import write_pictures
from tests.support.gateways import database_beside, gateway_beside

PICTURES = 100_000
LONGEST_MS = 100
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
    """A gateway on a database of its own; its files are not there, which no listing looks for."""
    place = {"FACE_API_STORAGE_ENABLED": "true", "FACE_API_STORAGE_DIR": str(tmp_path_factory.mktemp("many"))}
    with database_beside(stack) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            write_pictures(connection, PICTURES)
            (image_id,) = connection.execute("SELECT id FROM images LIMIT 1").fetchone()
        with (
            gateway_beside(stack, DATABASE_URL=url, **place) as base_url,
            AdminApi(base_url, make_account(url)) as admin,
        ):
            yield admin, image_id


@pytest.mark.parametrize("path", PATHS)
def test_it_is_answered_within_a_tenth_of_a_second(many, path):
    admin, image_id = many
    times = []
    for _ in range(5):
        started = time.perf_counter()
        answer = admin.client.get(path.format(image_id=image_id))
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, answer.text
    print(f"{min(times):.1f} ms {path}")
    # The least: others use this machine, too.
    assert min(times) <= LONGEST_MS, times


def test_the_totals_are_right(many):
    admin, _ = many
    assert admin.list("/images")["total"] == PICTURES
    assert admin.list("/images", format="png")["total"] == PICTURES // 10
    stats = admin.get("/stats").json()
    assert (stats["images"], stats["jobs"]) == (PICTURES, PICTURES)
    assert stats["jobs_by_type"] == {"detect": PICTURES - PICTURES // 3, "mask": PICTURES // 3}
