"""One login for all of these tests, and one Chromium a module; every page is watched for errors and other hosts."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.conftest import need_program
from tests.support.admin_api import COOKIE, Account, make_account
from tests.support.console import CHROMIUM_OPTIONS, Filled, fill
from tests.support.fidox import Tenant, make_tenant
from tests.support.waiting import PATIENCE_S


class Watched:
    """What a page complained of, and which other hosts it asked."""

    def __init__(self, page, base_url: str) -> None:
        self.complaints: list[str] = []
        self.asked_elsewhere: list[str] = []
        self._ours = (base_url, "data:", "blob:")
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message) -> None:
        # Chromium says this of every 4xx; a form that is wrong is answered with one.
        if message.type in {"error", "warning"} and "the server responded with a status of 4" not in message.text:
            self.complaints.append(message.text)

    def _see(self, request) -> None:
        if not request.url.startswith(self._ours):
            self.asked_elsewhere.append(request.url)


@pytest.fixture(scope="session")
def root(stack) -> Account:
    return Account(stack.demo["ADMIN_USERNAME"], stack.demo["ADMIN_PASSWORD"])


def beside(make, *arguments):
    """What `make` gives, in a thread: Playwright's loop runs in this one, and asyncio takes no second."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make, *arguments).result()


@pytest.fixture
def account(stack) -> Account:
    """An account of the test's own."""
    return beside(make_account, stack.database_url)


@pytest.fixture
def tenant(stack) -> Tenant:
    """A tenant of the test's own."""
    return beside(make_tenant, stack.database_url, f"console-{secrets.token_hex(4)}")


# For one module and no longer: meanwhile no other test could run a loop of its own. After the stack, which runs one.
@pytest.fixture(scope="module")
def chromium(stack):
    program = need_program("chromium")
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_S * 1000)
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookie(stack, root) -> str:
    """A session, begun as the console's form begins one."""
    answer = httpx.post(f"{stack.base_url}/admin/login", data=root.body, timeout=60)
    assert answer.status_code == 303, answer.text
    return answer.cookies[COOKIE]


@pytest.fixture(scope="session")
def filled(stack) -> Filled:
    return fill(stack)


@pytest.fixture(scope="module")
def window(stack, chromium, cookie):
    """window(logged_in=…, **context) opens a page in a context of its own."""

    @contextmanager
    def opened(*, logged_in: bool = True, **options):
        wide = {"width": 1280, "height": 900}
        context = chromium.new_context(base_url=stack.base_url, **{"viewport": wide, "locale": "en-GB", **options})
        if logged_in:
            context.add_cookies([{"name": COOKIE, "value": cookie, "url": stack.base_url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        watched = Watched(page, stack.base_url)
        yield page
        context.close()
        assert watched.complaints == []
        assert watched.asked_elsewhere == []

    return opened


@pytest.fixture
def page(window):
    """A page of who is logged in."""
    with window() as opened:
        yield opened


@pytest.fixture
def stranger(window):
    """A page of who is not."""
    with window(logged_in=False) as opened:
        yield opened


@pytest.fixture
def client(stack, cookie):
    """The console without a browser; no redirect is followed."""
    with httpx.Client(base_url=stack.base_url, cookies={COOKIE: cookie}, timeout=30) as opened:
        yield opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page_name" in metafunc.fixturenames:
        names = [name for name in Filled().pages() if name != "login"]
        metafunc.parametrize("page_name", names)
