"""The xylolabs API as different callers."""

import secrets

import pytest

from tests.support.face_api import FaceApi, make_key


@pytest.fixture
def key(stack) -> tuple[str, str]:
    """An API key of the test's own, id and key: nobody else spends its limit."""
    return make_key(stack.database_url, f"test-{secrets.token_hex(4)}")


@pytest.fixture
def faces(stack, key):
    """The public calls with a key of the test's own."""
    with FaceApi(stack.base_url, key[1]) as client:
        yield client


@pytest.fixture(scope="session")
def jpeg(people):
    """A photo's file: jpeg("obama/obama.jpg")."""
    return lambda name: (people / name).read_bytes()
