"""A small client of the xylolabs dialect's admin API: every answer as it came, nothing raised."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Self

import httpx

from shared.db.admins import Admins
from shared.db.pool import open_pool
from shared.settings import Database

ROOT = "/api/v1/admin"
COOKIE = "fidox_admin"


@dataclass(frozen=True)
class Account:
    """An admin's name and password."""

    username: str
    password: str

    @property
    def body(self) -> dict[str, str]:
        """What a login sends."""
        return {"username": self.username, "password": self.password}


def make_account(database_url: str) -> Account:
    """A new account, made as an operator makes one."""
    account = Account(f"admin-{secrets.token_hex(4)}", secrets.token_urlsafe(18))

    async def make() -> None:
        async with open_pool(Database(url=database_url)) as pool:
            await Admins(pool).create(account.username, account.password)

    asyncio.run(make())
    return account


class AdminApi:
    """Calls by HTTP Basic as an account, or with whatever a login has put into the cookie jar. Paths after /admin."""

    def __init__(self, base_url: str, account: Account | None = None, **headers: str) -> None:
        auth = httpx.BasicAuth(account.username, account.password) if account else None
        self.base_url = base_url
        self.client = httpx.Client(base_url=base_url + ROOT, auth=auth, headers=headers, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def login(self, account: Account, **headers: str) -> httpx.Response:
        return self.client.post("/auth/login", json=account.body, headers=headers)

    @property
    def cookie(self) -> str:
        """The session in the jar."""
        return self.client.cookies[COOKIE]

    def get(self, path: str, **parameters) -> httpx.Response:
        return self.client.get(path, params=parameters)

    def post(self, path: str, **body) -> httpx.Response:
        return self.client.post(path, json=body)

    def put(self, path: str, **body) -> httpx.Response:
        return self.client.put(path, json=body)

    def patch(self, path: str, **body) -> httpx.Response:
        return self.client.patch(path, json=body)

    def delete(self, path: str, **parameters) -> httpx.Response:
        return self.client.delete(path, params=parameters)

    def change_password(self, current: str, new: str) -> httpx.Response:
        return self.put("/auth/password", current_password=current, new_password=new)

    def list(self, path: str, **parameters) -> dict:
        """A page that is one."""
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make(self, path: str, **body) -> dict:
        """Something that was made."""
        answer = self.post(path, **body)
        assert answer.status_code == 201, answer.text
        return answer.json()
