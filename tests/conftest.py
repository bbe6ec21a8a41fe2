"""What all tests share: one real stack for the whole run, pictures, and the rule about skips.

The stack is the one-machine runner's own (`deploy.local`), in a temporary folder: the same PostgreSQL, Redis, worker
and gateway as `make run`, started the same way.
"""

import base64
import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageFilter

from tests.support.fidox import Fidox, Tenant, make_tenant
from tests.support.pictures import encoded
from tests.support.ports import own_port

SHARED = Path(__file__).parents[2] / "shared"
PEOPLE = SHARED / "testdata" / "people"
SPECS = SHARED / "specs"


# What breaks parts of the product, or counts the seconds that they take: beside tests that compute it would be their
# load that is tested. `make test` runs these after the others; they wait more than they work, so two at once do well.
APART = (
    "deploy/test_faces_cli.py",
    "deploy/test_queries.py",
    "deploy/test_up.py",
    "face/test_applemango.py",
    "face/test_fallback.py",
    "faults/",
    "liveness/test_faults.py",
    "metrics/",
    "ocr/test_faults.py",
    "queue/",
    "soak/",
    "upgrades/",
    "weights/test_stranger.py",
    "xylolabs/test_health.py",
    "xylolabs/storage/",
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A folder for this run alone: pytest's own is shared by all runs of a user, and each shuts it to others.

    PostgreSQL, which runs as another user where this one is root, would be shut out in the middle of the first.
    """
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="fidox-tests-")
        config.add_cleanup(lambda: _remove_unless_kept(config))


def _remove_unless_kept(config: pytest.Config) -> None:
    session = config.pluginmanager.get_plugin("session")
    if session is None or not session.testsfailed:
        shutil.rmtree(config.option.basetemp, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them by where they lie."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(APART):
            item.add_marker("apart")


def pytest_terminal_summary(terminalreporter) -> None:
    """On CI everything that a test needs is there: a skip is a set-up that broke, so it fails the run."""
    if os.environ.get("CI") == "true" and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("tests were skipped, and CI is where none may be", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped") and not session.exitstatus:
        session.exitstatus = 1


def need(path: Path) -> Path:
    """`path`, or a skip that names it."""
    if not path.exists():
        pytest.skip(f"needs {path.relative_to(SHARED.parent)} beside the checkout")
    return path


def need_program(name: str) -> str:
    """Where a program lies, or a skip that names it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs the program {name}; deploy/test-setup.sh installs it where it may")
    return found


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory):
    """Everything that `make run` starts, on a free port."""
    from deploy.local.stack import LocalStack

    environment = {
        "FIDOX_CORS_ORIGINS": "https://shop.example",
        # Every test comes from one address; what is tested is the limit of a key.
        "FIDOX_WRONG_ADDRESS_RATE": "100000",
        "FACE_API_ADMIN_LOGIN_RATE": "100000",
        "FIDOX_KEY_CACHE_S": "2",
    }
    with LocalStack(tmp_path_factory.mktemp("stack"), port=own_port(), environment=environment) as running:
        yield running


@pytest.fixture(scope="session")
def people() -> Path:
    return need(PEOPLE)


@pytest.fixture(scope="session")
def specs() -> Path:
    return need(SPECS)


@pytest.fixture(scope="session")
def photo(people: Path):
    """A picture as base64: photo("obama/obama.jpg")."""

    def read(name: str) -> str:
        return base64.b64encode((people / name).read_bytes()).decode()

    return read


@pytest.fixture(scope="session")
def grey() -> str:
    """A picture of nothing."""
    return encoded(Image.new("RGB", (320, 240), (120, 120, 120)))


@pytest.fixture(scope="session")
def face(people) -> Image.Image:
    """A good picture of one person, opened."""
    with Image.open(people / "obama" / "obama.jpg") as image:
        return image.convert("RGB")


@pytest.fixture(scope="session")
def blurred(face: Image.Image) -> str:
    """A face that can be found and not be recognised."""
    return encoded(face.filter(ImageFilter.GaussianBlur(max(face.size) / 100)))


@pytest.fixture(scope="session")
def demo(stack):
    """The root API as the demo tenant."""
    with Fidox.login(stack.base_url, stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"]) as client:
        yield client


@pytest.fixture
def tenant(stack) -> Tenant:
    """A tenant of the test's own: nobody else's users are in it."""
    return make_tenant(stack.database_url, f"test-{secrets.token_hex(4)}")


@pytest.fixture
def login(stack):
    """The root API as any tenant: login(tenant)."""
    with ExitStack() as clients:
        yield lambda tenant: clients.enter_context(Fidox.login(stack.base_url, tenant.access_key, tenant.secret_key))


@pytest.fixture
def api(login, tenant: Tenant) -> Fidox:
    """The root API as a tenant of the test's own."""
    return login(tenant)


@pytest.fixture(scope="session")
def anybody(stack):
    """The root API without a token."""
    with httpx.Client(base_url=stack.base_url, timeout=30) as client:
        yield client
