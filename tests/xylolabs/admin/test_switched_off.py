"""What an operator has switched off is 501, and the answer says what to set; what is away for a while is 503."""

import pytest

from tests.support.admin_api import COOKIE, Account, AdminApi
from tests.support.face_api import error
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


@pytest.mark.parametrize(("method", "path"), STORAGE)
def test_storage_is_not_there_yet_wherever_it_is_switched_on(admin, method, path):
    assert error(admin.client.request(method, path))[0] == 501


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
