"""A small client of the v1 API, as a test wants it: every answer as it came, nothing raised."""

from __future__ import annotations

import json
from typing import Self
from urllib.parse import quote
from uuid import UUID

import httpx

from tests.support.fidox import Fidox


class V1(Fidox):
    """Calls as one tenant. Paths are those after /v1."""

    @classmethod
    def login(cls, base_url: str, access_key: str, secret_key: str) -> Self:
        answer = ask_token(base_url, access_key, secret_key)
        assert answer.status_code == 200, answer.text
        return cls(base_url, answer.json()["token"])

    def post(self, path: str, **body) -> httpx.Response:
        return self.client.post(f"/v1{path}", json=body)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"/v1{path}")

    def delete(self, user_code: str) -> httpx.Response:
        """DELETE with the code percent-encoded."""
        return self.delete_raw("/v1/fr/register/" + quote(user_code, safe=""))


def ask_token(base_url: str, access_key: str, secret_key: str) -> httpx.Response:
    body = {"accessKey": access_key, "secretKey": secret_key}
    return httpx.post(f"{base_url}/v1/auth/client/token", json=body, timeout=30)


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and code, after checking that the body is the documented form and nothing else."""
    body = json.loads(answer.text)
    assert list(body) == ["success", "code", "message", "trxId"], body
    assert body["success"] is False
    assert any("가" <= char <= "힣" for char in body["message"])
    assert body["trxId"] == answer.headers.get("X-Transaction-Id", body["trxId"])
    assert UUID(body["trxId"]).version == 4
    return answer.status_code, body["code"]
