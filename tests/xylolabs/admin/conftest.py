"""The admin API as different callers, and gateways with other settings beside the stack's."""

import secrets

import pytest

from tests.support.admin_api import Account, AdminApi, make_account
from tests.support.gateways import gateway_beside


@pytest.fixture
def account(stack) -> Account:
    """An account of the test's own."""
    return make_account(stack.database_url)


@pytest.fixture(scope="session")
def root(stack) -> Account:
    """The account that `make run` makes."""
    return Account(stack.demo["ADMIN_USERNAME"], stack.demo["ADMIN_PASSWORD"])


@pytest.fixture
def admin(stack, root):
    """By HTTP Basic."""
    with AdminApi(stack.base_url, root) as client:
        yield client


@pytest.fixture
def browser(stack):
    """Nobody yet, with a jar for cookies."""
    with AdminApi(stack.base_url) as client:
        yield client


@pytest.fixture(scope="package")
def proxied(stack):
    """A gateway with the default limits behind a trusted proxy: X-Forwarded-For makes each test another client."""
    with gateway_beside(stack, FIDOX_TRUSTED_PROXIES="127.0.0.1", FACE_API_ADMIN_LOGIN_RATE="10") as url:
        yield url


@pytest.fixture
def address() -> str:
    """An address in a network that nobody else has."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


@pytest.fixture
def tenant_id(admin) -> int:
    """A tenant of the test's own, made by the admin API."""
    return admin.make("/tenants", name=f"admin-{secrets.token_hex(4)}")["id"]
