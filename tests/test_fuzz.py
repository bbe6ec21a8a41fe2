"""Hostile and odd requests, made from every OpenAPI document: no 5xx but the documented ones, no answer off its schema.

The requests are the same in every run. What a document calls an image is garbage in some of them and a real picture in
the others, since no generator would hit upon one.
"""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from shared.db.admins import Admins
from shared.db.pool import open_pool
from shared.settings import Database
from tests.support.face_api import make_key
from tests.support.fidox import Fidox, make_tenant
from tests.support.gateways import database_beside, gateway_beside

CHECKS = [
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]
DOCUMENTS = ("/openapi.json", "/v1/openapi.json", "/api/v1/openapi.json")
PICTURES = ("obama/obama.jpg", "obama/obama2.jpg", "_groups/kit_with_rose.jpg")
bounded = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    # The stack is the same for all examples of a test, and is meant to be.
    suppress_health_check=list(HealthCheck),
)


class Target(NamedTuple):
    """Where requests go, and the headers that let them in."""

    base_url: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def tenants(stack) -> Target:
    """For the dialects with tenants: one of these tests' own, whose limit is not what is tested."""
    tenant = make_tenant(stack.database_url, f"fuzz-{secrets.token_hex(4)}", calls_per_minute=1_000_000)
    with Fidox.login(stack.base_url, tenant.access_key, tenant.secret_key) as api:
        return Target(stack.base_url, {"Authorization": f"Bearer {api.token}"})


@pytest.fixture(scope="module")
def admins(stack) -> Iterator[Target]:
    """For the one with admins: a database of its own, since what is asked of it at random may be anybody's end."""
    password = secrets.token_urlsafe(12)
    basic = base64.b64encode(f"fuzz:{password}".encode()).decode()
    with database_beside(stack) as url, gateway_beside(stack, DATABASE_URL=url) as base_url:
        _, key = make_key(url, "fuzz")
        asyncio.run(make_admin(url, "fuzz", password))
        yield Target(base_url, {"X-API-Key": key, "Authorization": f"Basic {basic}"})


async def make_admin(database_url: str, username: str, password: str) -> None:
    async with open_pool(Database(url=database_url)) as pool:
        await Admins(pool).create(username, password)


@pytest.fixture(scope="module")
def pictures(photo, grey) -> list[str]:
    return [*(photo(name) for name in PICTURES), grey]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_request_is_answered_as_documented(request, pictures, path, mode):
    """Those that the document allows, and those that it does not."""
    target: Target = request.getfixturevalue("admins" if path.startswith("/api") else "tenants")
    send_everything(target, path, mode, pictures)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_stranger_is_answered_as_documented(request, pictures, path):
    """Requests that the document allows, without credentials: login and tokens are open to anybody."""
    target: Target = request.getfixturevalue("admins" if path.startswith("/api") else "tenants")
    send_everything(target._replace(headers={}), path, GenerationMode.POSITIVE, pictures)


def send_everything(target: Target, path: str, mode: GenerationMode, pictures: list[str]) -> None:
    schema = schemathesis.openapi.from_url(target.base_url + path)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 7
    for operation in operations:
        # One that takes nothing cannot be asked wrongly.
        takes = operation.query, operation.path_parameters, operation.headers, operation.cookies, operation.body
        if mode is GenerationMode.NEGATIVE and not any(map(len, takes)):
            continue
        send_many(operation, mode, target.headers, pictures)


def send_many(operation, mode: GenerationMode, headers: dict[str, str], pictures: list[str]) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @bounded
    def send(case) -> None:
        if isinstance(case.body, dict):
            for name, value in case.body.items():
                # By what was generated, so that the same run comes again: of five, one stays garbage.
                if name.startswith("image") and isinstance(value, str | bytes):
                    turn = len(value) % 5
                    if turn < len(pictures):
                        picture = pictures[turn]
                        case.body[name] = picture if isinstance(value, str) else base64.b64decode(picture)
        answer = case.call(headers=headers, timeout=30)
        assert answer.status_code < 500 or answer.status_code in {501, 503}, answer.text
        case.validate_response(answer, checks=CHECKS)

    send()
