"""A small client of the root API, as a test wants it: every answer as it came, nothing raised."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

import httpx

from shared.db.pool import open_pool
from shared.db.tenants import Tenants
from shared.settings import Database


@dataclass(frozen=True)
class Tenant:
    """A tenant's keys."""

    name: str
    access_key: str
    secret_key: str


def make_tenant(database_url: str, name: str, calls_per_minute: int = 6000) -> Tenant:
    """A new tenant with a key, made as an operator makes one."""

    async def make() -> Tenant:
        async with open_pool(Database(url=database_url)) as pool:
            tenants = Tenants(pool)
            tenant = await tenants.create(name, calls_per_minute)
            _, access_key, secret_key = await tenants.create_key(tenant.id)
            return Tenant(name, access_key, secret_key)

    return asyncio.run(make())


class Fidox:
    """Calls as one tenant."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.token = token
        self.client = httpx.Client(base_url=base_url, timeout=60, headers={"Authorization": f"Bearer {token}"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @classmethod
    def login(cls, base_url: str, access_key: str, secret_key: str) -> Fidox:
        answer = httpx.post(
            f"{base_url}/auth/client/token", json={"accessKey": access_key, "secretKey": secret_key}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return cls(base_url, answer.json()["token"])

    def post(self, path: str, **body) -> httpx.Response:
        return self.client.post(path, json=body)

    def delete(self, user_code: str) -> httpx.Response:
        """DELETE with the code percent-encoded, as the document asks."""
        return self.delete_raw("/face/" + quote(user_code, safe=""))

    def delete_raw(self, raw_path: str) -> httpx.Response:
        """DELETE with this very path: HTTP libraries would fold some of them."""
        where = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        connection.putrequest("DELETE", raw_path, skip_accept_encoding=True)
        connection.putheader("Authorization", f"Bearer {self.token}")
        connection.endheaders()
        answer = connection.getresponse()
        made = httpx.Response(answer.status, content=answer.read(), headers=dict(answer.getheaders()))
        connection.close()
        return made


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and errorCode, after checking that the body is the documented form and nothing else."""
    body = json.loads(answer.text)
    assert set(body) == {"statusCode", "errorCode", "message"}, body
    assert body["statusCode"] == answer.status_code
    assert body["message"]
    return answer.status_code, body["errorCode"]
