"""What is asked, in all three dialects, and what counts as an answer.

200                                        a result; what it says must be true (a registered user is who they are)
one of PASSING, as the dialect writes it   a documented error, of a state that passes
a connection that broke as a gateway died  is tried again with the other gateway, and that must be answered
anything else, or nothing in time          a violation
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import httpx

from gateway.dialects.fidox import errors as fidox
from gateway.dialects.v1 import errors as v1
from gateway.dialects.xylolabs import errors as xylolabs
from shared.contracts import Failure
from tests.soak.stand import DEADLINE_S
from tests.support.face_api import make_key
from tests.support.fidox import Fidox, make_tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.soak.stand import Stand

PASSING = (Failure.ENGINE_UNAVAILABLE, Failure.OVERLOADED, Failure.DEADLINE, Failure.STORE_UNAVAILABLE)
# Beside the deadline: the way there and back, on a machine that is full of work.
GRACE_S = 10.0
TRIES = 4
PEOPLE = {"obama": "obama/obama.jpg", "biden": "biden/biden.jpg", "rose": "rose_leslie/img1.jpg"}


class Request(NamedTuple):
    """One call: `settle` gets its answer, and returns what is wrong with it, or nothing."""

    operation: str
    method: str
    path: str
    body: bytes
    content_type: str
    settle: Callable[[Settled], str]


@dataclass(slots=True)
class Settled:
    """What came of one call. `failure` is None for a result; `retried` says that a connection broke before."""

    operation: str
    began: float
    seconds: float = 0.0
    failure: Failure | None = None
    violation: str = ""
    retried: int = 0
    body: dict[str, object] = field(default_factory=dict)


class Users:
    """Who is registered for certain, who is not any more, and of whom nobody can tell: the call was not confirmed."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}
        self.gone: set[str] = set()
        self.unsure: dict[str, str] = {}


class Caller:
    """Makes requests, and judges answers. All pictures are encoded once."""

    def __init__(self, stand: Stand, people: Path, seed: int) -> None:
        self.users = Users()
        self._random = random.Random(seed)
        self._count = 0
        url = stand.settings.database.url
        tenant = make_tenant(url, "soak", calls_per_minute=10_000_000)
        self.tenant = tenant.name
        with Fidox.login(next(iter(stand.urls.values())), tenant.access_key, tenant.secret_key) as api:
            token = api.token
        self.headers = {"Authorization": f"Bearer {token}", "X-API-Key": make_key(url, "soak")[1]}
        self._files = {who: (people / name).read_bytes() for who, name in PEOPLE.items()}
        self._photos = {who: base64.b64encode(data).decode() for who, data in self._files.items()}
        self._compared = self._json(image1=self._photos["obama"], image2=self._photos["biden"])
        self._identified = {who: self._json(image=photo) for who, photo in self._photos.items()}
        self._forms = {who: self._form(data) for who, data in self._files.items()}
        self.makers: dict[str, tuple[int, Callable[[], Request]]] = {
            "fidox compare": (16, lambda: self._compare("fidox compare", "/face/compare")),
            "fidox register": (8, lambda: self._register("fidox register", "/face/register")),
            "fidox verify": (18, lambda: self._verify("fidox verify", "/face/verify")),
            "fidox identify": (12, self._identify),
            "fidox delete": (2, self._delete),
            "v1 compare": (8, lambda: self._compare("v1 compare", "/v1/fr/compare")),
            "v1 register": (4, lambda: self._register("v1 register", "/v1/fr/register")),
            "v1 verify": (10, lambda: self._verify("v1 verify", "/v1/fr/verify")),
            "v1 liveness": (6, self._liveness),
            "xylolabs detect": (8, lambda: self._picture("xylolabs detect", "/api/v1/detect")),
            "xylolabs mask": (8, lambda: self._picture("xylolabs mask", "/api/v1/mask?method=pixelate")),
        }

    def next(self) -> Request:
        """Any of them, by their weights."""
        names = list(self.makers)
        (name,) = self._random.choices(names, [self.makers[name][0] for name in names])
        return self.makers[name][1]()

    @staticmethod
    def _json(**body: object) -> bytes:
        return json.dumps(body).encode()

    @staticmethod
    def _form(data: bytes) -> tuple[bytes, str]:
        request = httpx.Request("POST", "http://any", files={"image": ("photo.jpg", data)})
        return request.read(), request.headers["Content-Type"]

    def _who(self) -> str:
        return self._random.choice(list(PEOPLE))

    def _compare(self, operation: str, path: str) -> Request:
        def settle(done: Settled) -> str:
            return "" if done.failure or "score" in done.body else "a comparison without a score"

        return Request(operation, "POST", path, self._compared, "application/json", settle)

    def _register(self, operation: str, path: str) -> Request:
        who, self._count = self._who(), self._count + 1
        user = f"user-{self._count}"
        self.users.unsure[user] = who

        def settle(done: Settled) -> str:
            if done.failure is None:
                self.users.there[user] = self.users.unsure.pop(user)
            elif done.failure is Failure.ALREADY_ENROLLED:
                # The call whose connection broke had been done: as documented, and as good as a 200.
                if not done.retried:
                    return f"{user} was enrolled before it was sent"
                self.users.there[user] = self.users.unsure.pop(user)
            return ""

        body = self._json(userCode=user, image=self._photos[who])
        return Request(operation, "POST", path, body, "application/json", settle)

    def verify(self, user: str, operation: str = "fidox verify", path: str = "/face/verify") -> Request:
        """Is this user, who is there for certain, found as who they are?"""
        who = self.users.there[user]

        def settle(done: Settled) -> str:
            if done.failure is None:
                return "" if done.body.get("matched", done.body.get("isMatch")) else f"{user} did not match"
            if done.failure is Failure.NOT_ENROLLED:
                return "" if user not in self.users.there else f"{user} was confirmed, and is not enrolled"
            return ""

        body = self._json(userCode=user, image=self._photos[who])
        return Request(operation, "POST", path, body, "application/json", settle)

    def _verify(self, operation: str, path: str) -> Request:
        if not self.users.there:
            return self._register(operation.replace("verify", "register"), path.replace("verify", "register"))
        return self.verify(self._random.choice(list(self.users.there)), operation, path)

    def _identify(self) -> Request:
        who = self._who()

        def settle(done: Settled) -> str:
            user = str(done.body.get("uid", ""))
            known = self.users.there.get(user) or self.users.unsure.get(user)
            return f"{who} was taken for {user}, who is {known}" if user and known not in {None, who} else ""

        return Request("fidox identify", "POST", "/face/identify", self._identified[who], "application/json", settle)

    def _delete(self) -> Request:
        if not self.users.there:
            return self._register("fidox register", "/face/register")
        user = self._random.choice(list(self.users.there))
        self.users.unsure[user] = self.users.there.pop(user)

        def settle(done: Settled) -> str:
            if done.failure is None or done.failure is Failure.NOT_ENROLLED:
                self.users.unsure.pop(user)
                self.users.gone.add(user)
            return f"{user} was not there" if done.failure is Failure.NOT_ENROLLED and not done.retried else ""

        return Request("fidox delete", "DELETE", f"/face/{user}", b"", "", settle)

    def _liveness(self) -> Request:
        body = self._identified[self._who()]
        return Request("v1 liveness", "POST", "/v1/liveness/detect", body, "application/json", lambda _: "")

    def _picture(self, operation: str, path: str) -> Request:
        body, content_type = self._forms[self._who()]
        return Request(operation, "POST", path, body, content_type, lambda _: "")


# What each dialect answers with, by what it stands for; beside PASSING what a call of ours may find.
EXPECTED = (*PASSING, Failure.ALREADY_ENROLLED, Failure.NOT_ENROLLED, Failure.INTERNAL)


def failure_of(operation: str, answer: httpx.Response) -> Failure | None:
    """What a refusal stands for, by its dialect's table. None for what is in no document, or in another form."""
    try:
        body = answer.json()
    except ValueError:
        return None
    dialect, _, name = operation.partition(" ")
    for failure in EXPECTED:
        if dialect == "fidox":
            row = fidox.CODES[failure]
            is_it = (answer.status_code, body.get("errorCode")) == (row.status, row.code)
        elif dialect == "v1":
            row = v1.code_of(failure, name)
            is_it = (answer.status_code, body.get("code")) == (row.status, row.code)
        else:
            row = xylolabs.ROWS[failure]
            is_it = answer.status_code == row.status and str(body.get("detail")).startswith(row.message)
        if is_it:
            return failure
    return None


def judge(request: Request, settled: Settled, answer: httpx.Response) -> None:
    """Fill in what an answer means."""
    if answer.status_code == 200:
        if answer.headers.get("content-type", "").startswith("application/json"):
            settled.body = answer.json()
    else:
        settled.failure = failure_of(request.operation, answer)
        if settled.failure is None:
            settled.violation = f"an undocumented answer: {answer.status_code} {answer.text[:200]}"
        elif settled.failure is Failure.INTERNAL:
            settled.violation = f"an internal error: {answer.text[:200]}"
    settled.violation = settled.violation or request.settle(settled)
    if not settled.violation and settled.seconds > (1 + settled.retried) * (DEADLINE_S + GRACE_S):
        settled.violation = f"answered after {settled.seconds:.1f} s"
