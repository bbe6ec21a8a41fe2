"""A small client of the xylolabs API's public calls: every answer as it came, nothing raised."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Self

import httpx
import psycopg

from shared.db.api_keys import ApiKeys
from shared.db.pool import open_pool
from shared.settings import Database
from tests.support.waiting import until


def make_key(database_url: str, name: str) -> tuple[str, str]:
    """A new API key as an operator makes one: its id and the key."""

    async def make() -> tuple[str, str]:
        async with open_pool(Database(url=database_url)) as pool:
            row, key = await ApiKeys(pool).create(name)
            return str(row.id), key

    return asyncio.run(make())


class FaceApi:
    """Calls with one API key, or with none."""

    def __init__(self, base_url: str, key: str | None = None) -> None:
        self.base_url = base_url
        self.key = key
        headers = {"X-API-Key": key} if key else {}
        self.client = httpx.Client(base_url=base_url, timeout=60, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def detect(self, image: bytes, **parameters) -> httpx.Response:
        return self.send("detect", image, parameters)

    def mask(self, image: bytes, **parameters) -> httpx.Response:
        return self.send("mask", image, parameters)

    def send(self, call: str, image: bytes, parameters: dict, name: str = "photo.jpg") -> httpx.Response:
        return self.client.post(f"/api/v1/{call}", params=parameters, files={"image": (name, image)})

    def post(self, path: str, **body) -> httpx.Response:
        """As the other dialects' clients: a picture in base64, here sent as a file."""
        return self.send(path.removeprefix("/"), base64.b64decode(body["image"]), {})


def transactions(database_url: str, request_id: str) -> list[tuple]:
    """Dialect, operation, outcome and tenant of a call's rows, once there are any: they are written a moment later."""
    query = "SELECT dialect, operation, outcome, tenant_id FROM transactions WHERE tx_id = %s"
    with psycopg.connect(database_url, autocommit=True) as connection:
        return until(lambda: connection.execute(query, (request_id,)).fetchall(), f"{request_id} is recorded")


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and detail, after checking that the body is the documented form and nothing else."""
    body = json.loads(answer.text)
    assert list(body) == ["detail"], body
    assert body["detail"]
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, body["detail"]
