"""The version before this one, as a folder of its own: what an operator still runs while this one is rolled out.

It is the commit before this one; FIDOX_TEST_PREVIOUS names another, such as the tag of the last release. In a shallow
clone it is this commit itself: what an upgrade does to callers is tested then, and not what two versions say.
"""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.conftest import SHARED

# The queue's fixtures, for what two versions say to one another through it.
from tests.queue.conftest import client, redis_url, run, workers  # noqa: F401

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def previous(tmp_path_factory) -> Path:
    """The tree of the previous version. What lies beside the checkout (weights) lies beside it, too."""
    named = os.environ.get("FIDOX_TEST_PREVIOUS")
    for name in (named,) if named else ("HEAD~1", "HEAD"):
        done = subprocess.run(["git", "archive", name], cwd=CHECKOUT, capture_output=True, check=False)
        if not done.returncode:
            break
    else:
        pytest.fail(f"git archive {name}: {done.stderr.decode(errors='replace')}")
    beside = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(beside / "main", filter="data")
    if SHARED.is_dir():
        (beside / "shared").symlink_to(SHARED)
    return beside / "main"
