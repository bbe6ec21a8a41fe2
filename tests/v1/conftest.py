"""The v1 API as different callers."""

from contextlib import ExitStack

import pytest

from tests.support.v1 import V1


@pytest.fixture
def login_v1(stack):
    """The v1 API as any tenant: login_v1(tenant)."""
    with ExitStack() as clients:
        yield lambda tenant: clients.enter_context(V1.login(stack.base_url, tenant.access_key, tenant.secret_key))


@pytest.fixture
def v1(login_v1, tenant) -> V1:
    """The v1 API as the tenant of the test's own, the one that `api` is too."""
    return login_v1(tenant)


@pytest.fixture(scope="session")
def demo_v1(demo):
    """The v1 API as the demo tenant, by a token of the root API."""
    with V1(demo.base_url, demo.token) as client:
        yield client
