"""A hundred thousand pictures: every listing, filter, sort and page, and the statistics, within a tenth of a second."""

import time

import msgspec
import psycopg
import pytest

from shared.contracts import Face
from tests.support.admin_api import AdminApi, make_account
from tests.support.gateways import database_beside, gateway_beside

PICTURES = 100_000
LONGEST_MS = 100
FACE = Face(x=1.5, y=2.5, width=99.25, height=88.75, confidence=0.875, landmarks=((1.5, 2.5),) * 5)
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
            _fill(connection)
            (image_id,) = connection.execute("SELECT id FROM images LIMIT 1").fetchone()
        with (
            gateway_beside(stack, DATABASE_URL=url, **place) as base_url,
            AdminApi(base_url, make_account(url)) as admin,
        ):
            yield admin, image_id


def _fill(connection: psycopg.Connection) -> None:
    """Each picture with a detect or a mask, as long as real ones, over a year."""
    connection.execute(
        "INSERT INTO images (sha256, format, width, height, size_bytes, original_key, processed_key, job_count,"
        " created_at) SELECT sha256(n::text::bytea), CASE n %% 10 WHEN 0 THEN 'png' ELSE 'jpeg' END, 1920, 1080,"
        " 100000 + n * 7919 %% 900001, 'originals/' || md5(n::text) || '.jpg', CASE n %% 3 WHEN 0 THEN 'processed/' ||"
        " md5(n::text) || '.jpg' END, 1, now() - n * interval '5 minutes' FROM generate_series(1, %s) AS n",
        (PICTURES,),
    )
    connection.execute(
        "INSERT INTO jobs (id, image_id, job_type, method, parameters, model, face_count, detections, profiling,"
        " total_ms, processed_key, processed_format, processed_bytes, created_at)"
        " SELECT gen_random_uuid(), id, CASE WHEN processed_key IS NULL THEN 'detect' ELSE 'mask' END,"
        " CASE WHEN processed_key IS NOT NULL THEN"
        "  (ARRAY['gaussian', 'pixelate', 'solid', 'elliptical'])[1 + size_bytes %% 4] END,"
        " '{\"confidence\": 0.5}', 'scrfd_500m', 1 + size_bytes %% 5,"
        " %s::jsonb,"
        " jsonb_build_object('decode_ms', size_bytes, 'detector', repeat('x', 300)), 30, processed_key,"
        " CASE WHEN processed_key IS NOT NULL THEN 'jpeg' END, CASE WHEN processed_key IS NOT NULL THEN size_bytes END,"
        " created_at FROM images",
        (msgspec.json.encode([FACE, FACE]).decode(),),
    )
    # As autovacuum does within minutes.
    connection.execute("VACUUM ANALYZE images")
    connection.execute("VACUUM ANALYZE jobs")


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
