"""Two versions side by side: a stack is upgraded and rolled back process by process, and nobody who calls it notices.

gateway   previous ──> this ────────────────────> previous ──────────────>
worker    previous ────────────> this ───────────────────────> previous ──>
          and before the first arrow the database is migrated to this version
"""

import base64
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import psycopg
import pytest
import redis

from shared import keys
from shared.contracts import Kind
from tests.support.face_api import make_key
from tests.support.fidox import make_tenant
from tests.support.gateways import answers
from tests.support.ports import own_port
from tests.support.waiting import until
from tests.upgrades.conftest import CHECKOUT

# Redis database of these tests' own.
REDIS_DB = 14
LOADERS = 2
USERS = {"first": "obama/obama.jpg", "second": "biden/biden.jpg"}


class Rollout:
    """One gateway and one face worker, each of which can be replaced by that of another tree, as a rolling update does:
    the new one is up before the old one is told to end, and the balancer leaves the old gateway first.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.url = ""
        self._redis = redis.Redis.from_url(environment["REDIS_URL"])
        self._running: dict[str, subprocess.Popen] = {}
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def call(self) -> Iterator[str]:
        """The address to call, by which nothing is replaced before the call is over."""
        with self._lock:
            url = self.url
            self._under_way[url] += 1
        try:
            yield url
        finally:
            with self._lock:
                self._under_way[url] -= 1

    def roll(self, module: str, tree) -> None:
        """Replace what runs of `module` (gateway, workers.face) by the code of `tree`."""
        port = own_port()
        # Both: `-m` looks into the working folder first, and what Granian and the supervisor start looks here.
        environment = self.environment | {"PORT": str(port), "PYTHONPATH": str(tree)}
        before, alive = self._running.get(module), self._alive()
        started = self._running[module] = subprocess.Popen([sys.executable, "-m", module], cwd=tree, env=environment)
        url = f"http://127.0.0.1:{port}"
        until(lambda: self._alive() > alive if module == "workers.face" else answers(url), f"the new {module} is up")
        for process in (psutil.Process(started.pid), *psutil.Process(started.pid).children()):
            assert process.cwd() == str(tree)
        if module == "gateway":
            with self._lock:
                old, self.url = self.url, url
            until(lambda: not self._under_way[old], "what was sent to the old one is answered")
        if before is not None:
            before.terminate()
            assert before.wait(60) == 0

    def _alive(self) -> int:
        return self._redis.zcard(keys.workers(Kind.FACE))

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(60)


@pytest.fixture
def database_url(stack, previous) -> Iterator[str]:
    """A database as the previous version left it."""
    url = psycopg.conninfo.make_conninfo(stack.database_url, dbname="upgraded")
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE upgraded")
        try:
            migrate(previous, stack.environment | {"DATABASE_URL": url})
            yield url
        finally:
            connection.execute("DROP DATABASE upgraded WITH (FORCE)")


def migrate(tree, environment: dict[str, str]) -> None:
    """`fidox migrate` of that tree."""
    command = [sys.executable, "-m", "deploy.cli", "migrate"]
    subprocess.run(command, cwd=tree, env=environment | {"PYTHONPATH": str(tree)}, check=True)


@pytest.fixture
def rollout(stack, database_url) -> Iterator[Rollout]:
    environment = stack.environment | {
        "DATABASE_URL": database_url,
        "REDIS_URL": stack.redis_url.replace("db=0", f"db={REDIS_DB}"),
        "FIDOX_FACE_PROCESSES": "1",
        "FACE_API_DETECT_RATE": "100000",
    }
    running = Rollout(environment)
    running._redis.flushdb()
    try:
        yield running
    finally:
        running.stop()


class Caller:
    """Everything that a face worker does, by two dialects, as one tenant. Each call's answer is 200."""

    def __init__(self, rollout: Rollout, photo) -> None:
        tenant = make_tenant(rollout.environment["DATABASE_URL"], "upgraded")
        self._keys = {"accessKey": tenant.access_key, "secretKey": tenant.secret_key}
        self._api_key = make_key(rollout.environment["DATABASE_URL"], "upgraded")[1]
        self._rollout = rollout
        self._photo = photo
        self._token = ""
        # Rounds of calls by `load` that were answered as they should be.
        self.loaded = 0

    def login(self) -> None:
        with self._rollout.call() as url:
            answer = httpx.post(f"{url}/auth/client/token", json=self._keys, timeout=30)
        self._token = answer.json()["token"]

    def face(self, path: str, **body: str) -> dict:
        headers = {"Authorization": f"Bearer {self._token}"}
        with self._rollout.call() as url:
            answer = httpx.post(f"{url}/face/{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, user: str, picture: str) -> None:
        self.face("register", userCode=user, image=self._photo(picture))

    def ask_everything(self, registered: dict[str, str]) -> dict[str, float]:
        """The scores that it gives the same pictures, after checking that the registered are found as who they are."""
        said: dict[str, float] = {}
        for user, picture in registered.items():
            verified = self.face("verify", userCode=user, image=self._photo(picture))
            found = self.face("identify", image=self._photo(picture))
            assert verified["matched"]
            assert (found["matched"], found["uid"]) == (True, user)
            said |= {f"verify {user}": verified["score"], f"identify {user}": found["score"]}
        pair = {"image1": self._photo("obama/obama.jpg"), "image2": self._photo("obama/obama2.jpg")}
        said["compare"] = self.face("compare", **pair)["score"]
        (face,) = self._public("detect").json()["detections"]
        assert self._public("mask").content.startswith(b"\xff\xd8")
        return said | {"detect": face["confidence"]}

    def _public(self, call: str) -> httpx.Response:
        image = {"image": ("photo.jpg", base64.b64decode(self._photo("obama/obama.jpg")))}
        headers = {"X-API-Key": self._api_key}
        with self._rollout.call() as url:
            answer = httpx.post(f"{url}/api/v1/{call}", files=image, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer

    @contextmanager
    def load(self) -> Iterator[list[str]]:
        """Calls all the while; what they were answered with, when not as they should be."""
        stop, wrong = threading.Event(), []
        pair = {"image1": self._photo("obama/obama.jpg"), "image2": self._photo("biden/biden.jpg")}

        def call() -> None:
            while not stop.wait(0.05):
                try:
                    self.face("compare", **pair)
                    self.face("verify", userCode="first", image=pair["image1"])
                    self.loaded += 1
                except (httpx.HTTPError, AssertionError, KeyError) as error:
                    wrong.append(repr(error))

        threads = [threading.Thread(target=call) for _ in range(LOADERS)]
        for thread in threads:
            thread.start()
        try:
            yield wrong
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def wait_for_load(self) -> None:
        """Until some more calls of `load` were made, from their beginning to their end."""
        before = self.loaded
        until(lambda: self.loaded > before + LOADERS, "calls go on")


def test_the_previous_tree_is_what_runs_there(previous):
    where = "import gateway.app as a, shared.contracts as c, workers.runtime.worker as w; print(*map(str, (a, c, w)))"
    done = subprocess.run([sys.executable, "-c", where], cwd=previous, capture_output=True, text=True, check=True)
    assert done.stdout.count(f" from '{previous}/") == 3, done.stdout
    assert previous != CHECKOUT


def test_nobody_notices_an_upgrade_or_its_rollback(previous, rollout, photo):
    rollout.roll("workers.face", previous)
    rollout.roll("gateway", previous)
    caller = Caller(rollout, photo)
    caller.login()
    caller.register("first", USERS["first"])
    registered = {"first": USERS["first"]}
    at_first = caller.ask_everything(registered)
    with caller.load() as wrong:
        migrate(CHECKOUT, rollout.environment)
        assert caller.ask_everything(registered) == pytest.approx(at_first)
        steps = [
            ("gateway", CHECKOUT),  # this gateway, the previous worker
            ("workers.face", CHECKOUT),
            ("gateway", previous),  # the previous gateway, this worker
            ("workers.face", previous),
        ]
        for number, (module, tree) in enumerate(steps):
            rollout.roll(module, tree)
            caller.wait_for_load()
            said = caller.ask_everything(registered)
            # What is computed may become a little better from version to version, and who is who stays.
            assert {name: said[name] for name in at_first} == pytest.approx(at_first, abs=0.05)
            if number == 1:
                caller.register("second", USERS["second"])
                registered = USERS
    assert wrong == []
