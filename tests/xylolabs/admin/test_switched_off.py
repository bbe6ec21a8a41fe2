"""What an operator has switched off is 501, and the answer says what to set; what is away for a while is 503."""

import httpx
import psycopg
import pytest

from tests.support.admin_api import COOKIE, Account, AdminApi
from tests.support.face_api import FaceApi, error
from tests.support.gateways import gateway_beside

STORAGE = [
    ("GET", "/stats"),
    ("GET", "/images"),
    ("GET", "/images?page=2"),
    ("GET", "/images/1"),
    ("DELETE", "/images/1"),
    ("GET", "/images/1/download"),
    ("GET", "/jobs"),
    ("GET", "/jobs?job_type=mask&method=gaussian"),
    ("GET", "/jobs/1"),
    ("GET", "/jobs/1/download"),
]
DATABASE = [
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("GET", "/auth/session"),
    ("PUT", "/auth/password"),
    ("GET", "/api-keys"),
    ("POST", "/api-keys"),
    ("GET", "/api-keys/00000000-0000-4000-8000-000000000000"),
    ("PATCH", "/api-keys/00000000-0000-4000-8000-000000000000"),
    ("DELETE", "/api-keys/00000000-0000-4000-8000-000000000000"),
    ("GET", "/tenants"),
    ("POST", "/tenants"),
    ("GET", "/tenants/1"),
    ("GET", "/tenants/1/access-keys"),
    ("GET", "/tenants/1/users"),
    ("DELETE", "/tenants/1/users?user_code=u"),
    ("GET", "/transactions"),
    ("GET", "/stats"),
    ("POST", "/test/mask"),
]


@pytest.fixture(scope="module")
def bare(stack):
    """A gateway without storage, and one that has no database either."""
    with (
        gateway_beside(stack, FACE_API_STORAGE_ENABLED="false") as no_storage,
        gateway_beside(stack, DATABASE_URL="") as no_database,
    ):
        yield no_storage, no_database


@pytest.mark.parametrize(("method", "path"), STORAGE)
def test_without_storage_it_is_501_and_says_what_to_set(bare, root, method, path):
    with AdminApi(bare[0], root) as admin:
        status, detail = error(admin.client.request(method, path))
    assert status == 501
    assert "FACE_API_STORAGE_ENABLED=true" in detail


@pytest.mark.parametrize(("method", "path"), STORAGE)
def test_but_401_to_a_stranger(bare, method, path):
    with AdminApi(bare[0]) as stranger:
        assert error(stranger.client.request(method, path))[0] == 401


@pytest.mark.parametrize("path", ["/images?page=0", "/jobs?job_type=blur"])
def test_and_501_whatever_the_parameters_are(bare, root, path):
    with AdminApi(bare[0], root) as admin:
        assert error(admin.client.get(path))[0] == 501


def test_without_storage_nothing_is_kept_and_the_ids_are_null(bare, stack, jpeg):
    with FaceApi(bare[0], stack.demo["API_KEY"]) as faces:
        told = faces.detect(jpeg("obama/obama.jpg")).json()
        masked = faces.mask(jpeg("obama/obama.jpg"))
    assert told["image_id"] is told["job_id"] is told["profiling"]["storage_ms"] is None
    assert not {"X-Image-Id", "X-Job-Id"} & set(masked.headers)
    with psycopg.connect(stack.database_url) as connection:
        ids = [told["request_id"], masked.headers["X-Request-Id"]]
        assert connection.execute("SELECT id FROM jobs WHERE id = ANY(%s::uuid[])", (ids,)).fetchall() == []


def test_without_storage_its_health_is_disabled_and_no_fault(bare):
    answer = httpx.get(f"{bare[0]}/health", timeout=60)
    assert (answer.status_code, answer.json()["components"]["storage"]["status"]) == (200, "disabled")


def test_without_storage_no_link_to_a_file_is_good(bare):
    answer = httpx.get(
        f"{bare[0]}/api/v1/files/originals/{'0' * 32}.jpg", params={"expires": 1, "signature": "a.b"}, timeout=60
    )
    assert error(answer)[0] == 501


@pytest.mark.parametrize(("method", "path"), DATABASE)
def test_without_a_database_it_is_501_and_says_what_to_set(bare, method, path):
    with AdminApi(bare[1], Account("admin", "a password of some sort")) as admin:
        body = {} if method in {"GET", "DELETE"} else {"json": {"name": "x", "username": "admin", "password": "x"}}
        status, detail = error(admin.client.request(method, path, **body))
    assert status == 501
    assert "DATABASE_URL" in detail


def test_a_database_that_does_not_answer_is_503_and_says_when_to_try_again(stack, root):
    nowhere = "postgresql://127.0.0.1:1/none"
    with (
        gateway_beside(stack, DATABASE_URL=nowhere, FIDOX_DB_TIMEOUT_S="0.2") as url,
        AdminApi(url, root) as basic,
        AdminApi(url, Cookie=f"{COOKIE}={'x' * 43}") as browser,
    ):
        answers = [
            browser.login(root),
            browser.client.post("/auth/logout"),
            browser.get("/auth/session"),
            basic.get("/auth/session"),
            basic.post("/api-keys", name="x"),
        ]
    assert [error(answer)[0] for answer in answers] == [503] * 5
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
