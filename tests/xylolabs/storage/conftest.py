"""Gateway and workers with storage, once in a folder and once in S3; and its public and admin calls."""

import pytest

from tests.support.storing import BUCKET, Rclone, Side, unique

ONE, TWO = "obama/obama.jpg", "_groups/kit_with_rose.jpg"


@pytest.fixture(scope="package")
def rclone(tmp_path_factory):
    server = Rclone(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def in_folder(stack, tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    with Side(stack, 10, root / "new", root / "log") as side:
        yield side


@pytest.fixture(scope="package")
def in_s3(stack, rclone, tmp_path_factory):
    log = tmp_path_factory.mktemp("s3-log") / "log"
    with Side(stack, 11, rclone.folder / BUCKET, log, rclone) as side:
        yield side


@pytest.fixture(params=["in_folder", "in_s3"])
def side(request):
    """Both, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def folder_admin(in_folder):
    """For what has nothing to do with where files lie."""
    with in_folder.admin() as client:
        yield client


@pytest.fixture
def faces(side):
    with side.api() as client:
        yield client


@pytest.fixture
def admin(side):
    with side.admin() as client:
        yield client


@pytest.fixture
def one(jpeg) -> bytes:
    """A picture of one face, as a file that nobody has sent yet."""
    return unique(jpeg(ONE))


@pytest.fixture
def two(jpeg) -> bytes:
    """A picture of two faces, as a file that nobody has sent yet."""
    return unique(jpeg(TWO))
