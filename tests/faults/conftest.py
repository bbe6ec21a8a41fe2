"""A stack of these tests' own, since they break it; load to break it under; and ways to break it."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil
import pytest
import redis

from tests.support.fidox import Fidox
from tests.support.ports import own_port
from tests.support.waiting import until

# A test waits for it to pass; and it leaves time for a lease to run out, and for a job to be done again.
DEADLINE_S = 15.0
LEASE_S = 3.0
# A call that takes so long beside its deadline is one that nobody answers.
SLACK_S = 30.0
# So many calls in a row that are answered well are no chance: more than there are clients.
STEADY = 25


@dataclass
class Answered:
    """One call under load."""

    began: float
    ended: float
    status: int
    code: str
    tx_id: str

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass
class Load:
    """What came of all calls."""

    answers: list[Answered] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def check(self) -> Counter:
        """Every call was answered in time, and as documented. How often each code came."""
        assert not self.errors, self.errors
        late = [answer for answer in self.answers if answer.seconds > DEADLINE_S + SLACK_S]
        assert not late, late
        told = Counter((answer.status, answer.code) for answer in self.answers)
        assert {status for status, _ in told} <= {200, 503}, told
        assert "SYS000" not in {code for _, code in told}, told
        return told

    def by_tx(self) -> dict[str, Answered]:
        return {answer.tx_id: answer for answer in self.answers if answer.status == 200}

    def wait_for(self, count: int, since: float = 0.0, status: int = 200) -> None:
        """Until so many calls that began after `since` have been answered, by default well."""

        def come() -> int:
            return sum(answer.status == status for answer in tuple(self.answers) if answer.began > since)

        until(lambda: self.errors or come() >= count, f"{count} calls are answered with {status}")

    def wait_well(self, since: float) -> None:
        """Until calls that began after `since` are answered well, one after the other for as long as it matters."""

        def is_well() -> bool:
            last = [answer for answer in tuple(self.answers) if answer.began > since][-STEADY:]
            return bool(self.errors) or (len(last) == STEADY and all(answer.status == 200 for answer in last))

        until(is_well, f"{STEADY} calls in a row are answered well")


@pytest.fixture(scope="package")
def stack(tmp_path_factory):
    from deploy.local.stack import LocalStack

    environment = {
        "FIDOX_FACE_PROCESSES": "2",
        "FIDOX_DEADLINE_S": str(DEADLINE_S),
        "FIDOX_LEASE_S": str(LEASE_S),
        # So that a PostgreSQL that is away is asked.
        "FIDOX_KEY_CACHE_S": "1",
    }
    with LocalStack(tmp_path_factory.mktemp("broken"), port=own_port(), environment=environment) as running:
        yield running


@pytest.fixture
def client(stack):
    with redis.Redis.from_url(stack.redis_url) as connected:
        yield connected


@pytest.fixture(scope="package")
def token(stack) -> str:
    with Fidox.login(stack.base_url, stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"]) as demo:
        return demo.token


@pytest.fixture
def api(stack, token, photo):
    """The root API as the demo tenant, after making sure that everything is well."""
    image = photo("obama/obama.jpg")
    with Fidox(stack.base_url, token) as demo:
        until(lambda: demo.post("/face/verify", userCode="nobody", image=image).status_code == 400, "all is well")
        until(lambda: len(processes(stack)) == 2, "both processes are there")
        yield demo


@pytest.fixture
def load(stack, api, photo) -> Callable:
    """`with load() as calls:` eight clients compare photos for as long as the block runs."""
    body = {"image1": photo("obama/obama.jpg"), "image2": photo("biden/biden.jpg")}

    @contextmanager
    def running(clients: int = 8) -> Iterator[Load]:
        calls, stop = Load(), threading.Event()

        def compare() -> None:
            with httpx.Client(
                base_url=stack.base_url, timeout=DEADLINE_S + SLACK_S, headers=api.client.headers
            ) as http:
                while not stop.is_set():
                    began = time.monotonic()
                    try:
                        answer = http.post("/face/compare", json=body)
                        told = answer.json()
                    except (httpx.HTTPError, ValueError) as error:
                        calls.errors.append(error)
                        return
                    code = told.get("errorCode") or told["code"]
                    calls.answers.append(
                        Answered(began, time.monotonic(), answer.status_code, code, told.get("txId", ""))
                    )
                    if answer.status_code != 200:
                        time.sleep(0.1)

        threads = [threading.Thread(target=compare) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield calls
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    return running


@pytest.fixture
def ask(stores, token):
    """One call of the gateway of the module's own `stores`, which its worker answers after a look into PostgreSQL."""
    with httpx.Client(base_url=stores.url, timeout=60, headers={"Authorization": f"Bearer {token}"}) as client:

        def call() -> Answered:
            began = time.monotonic()
            answer = client.post("/face/verify", json={"userCode": "ask", "image": "/9j/"})
            code = answer.json().get("code", "")
            tx_id = answer.json().get("txId") or answer.headers["X-Transaction-Id"]
            return Answered(began, time.monotonic(), answer.status_code, code, tx_id)

        until(lambda: call().status == 200, "all is well")
        yield call


def pids(stack) -> dict[str, int]:
    return {name: child.pid for name, child in stack.children.items()}


def processes(stack) -> list[psutil.Process]:
    """The face worker's processes; none while it is away."""
    pid = stack.children["face"].pid
    try:
        return psutil.Process(pid).children() if pid else []
    except psutil.NoSuchProcess:
        return []


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def away(stack, name: str) -> Iterator[None]:
    """One of the stack's children stopped in good order, and started again at the end."""
    children = stack._supervisor.children
    place = children.index(stack.children[name])
    children[place].stop()
    try:
        yield
    finally:
        again = stack._supervisor.start(children[place].program)
        children[place] = children.pop()
        again.wait_ready(lambda: True, 60)


def jobs_of(client: redis.Redis, pid: int | None = None) -> set[str]:
    """Transactions that have a job in hand now, in the process of this id or in any."""
    leases = client.keys("arq:in-progress:*")
    holders = client.mget(leases) if leases else []
    return {
        lease.decode().split(":")[2]
        for lease, holder in zip(leases, holders, strict=True)
        if holder and pid in {None, int(holder.split(b":")[1])}
    }
