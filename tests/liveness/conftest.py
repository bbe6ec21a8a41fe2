"""The stack's own liveness worker, and the samples."""

from pathlib import Path

import pytest

from tests.conftest import need
from tests.support import liveness


@pytest.fixture(scope="session")
def samples() -> Path:
    return need(liveness.SAMPLES)


@pytest.fixture(scope="session")
def check(stack, samples, people):
    """What the stack's worker says of one picture: check(data, Check.PHOTO)."""
    return lambda data, *checks: liveness.check_all(stack.redis_url, [data], *checks)[0]


@pytest.fixture(scope="session")
def check_all(stack, samples, people):
    """The same of many files, every check."""

    def run(paths):
        return liveness.check_all(stack.redis_url, [path.read_bytes() for path in paths])

    return run


@pytest.fixture(scope="session")
def portrait(people: Path) -> bytes:
    """A good picture of one living person."""
    return (people / "obama" / "obama2.jpg").read_bytes()
