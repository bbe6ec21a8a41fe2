"""Tokens: how they are got, what they look like, and all the ways in which they do not count."""

import base64
import json
import os
import subprocess
import sys
import time

import httpx
import jwt
import pytest

from gateway.auth.tokens import ExpiredTokenError, TokenError, Tokens
from shared.settings import Settings, SettingsError
from tests.support.fidox import error
from tests.support.waiting import until

SECRET = "main:" + 40 * "s"


def ask(stack, access_key: str, secret_key: str) -> httpx.Response:
    body = {"accessKey": access_key, "secretKey": secret_key}
    return httpx.post(f"{stack.base_url}/auth/client/token", json=body, timeout=30)


def parts(token: str) -> tuple[dict, dict]:
    header, claims, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))


def test_a_token_is_all_the_answer_and_the_documents_shell_line_can_parse_it(stack, tenant):
    answer = ask(stack, tenant.access_key, tenant.secret_key)
    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    assert answer.text.startswith('{"token":"eyJhbGciOiJIUzI1NiIs')


def test_a_token_is_a_jwt_with_hs256_and_is_valid_for_one_hour(stack, tenant):
    began = int(time.time())
    header, claims = parts(ask(stack, tenant.access_key, tenant.secret_key).json()["token"])
    assert list(header)[:2] == ["alg", "typ"]
    assert (header["alg"], header["typ"]) == ("HS256", "JWT")
    assert claims["exp"] - claims["iat"] == 3600
    assert began <= claims["iat"] <= time.time()


def test_wrong_keys_are_auth001(stack, tenant):
    assert error(ask(stack, tenant.access_key, "wrong")) == (401, "AUTH001")
    assert error(ask(stack, "nobody", tenant.secret_key)) == (401, "AUTH001")


def test_a_wrong_access_key_and_a_wrong_secret_key_are_told_apart_by_nobody(stack, tenant):
    wrong_secret = ask(stack, tenant.access_key, "wrong").json()
    assert ask(stack, "somebody else", tenant.secret_key).json() == wrong_secret


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer garbage",
        "Bearer a.b.c",
        "Basic YTpi",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.",
        "Bearer ü",
    ],
)
def test_no_token_and_garbage_are_auth001(anybody, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    answer = anybody.post("/face/count", json={"image": ""}, headers=headers)
    assert error(answer) == (401, "AUTH001")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_without_a_signature_is_auth001(anybody, demo):
    header, claims = parts(demo.token)
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": header["kid"]})
    answer = anybody.post("/face/count", json={}, headers={"Authorization": f"Bearer {unsigned}"})
    assert error(answer) == (401, "AUTH001")


def test_a_token_signed_with_another_secret_is_auth001(anybody, demo):
    header, claims = parts(demo.token)
    forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": header["kid"]})
    answer = anybody.post("/face/count", json={}, headers={"Authorization": f"Bearer {forged}"})
    assert error(answer) == (401, "AUTH001")


def test_an_expired_token_is_auth001(stack, anybody, demo):
    tokens = Tokens([stack.environment["FIDOX_JWT_SECRETS"]], ttl_s=-1)
    claims = parts(demo.token)[1]
    expired = tokens.issue(int(claims["sub"]), claims["key"])
    answer = anybody.post("/face/count", json={}, headers={"Authorization": f"Bearer {expired}"})
    assert error(answer) == (401, "AUTH001")


def test_the_token_of_a_revoked_key_stops(stack, photo, tenant, api):
    assert api.post("/face/count", image=photo("obama/obama.jpg")).status_code == 200
    stack.fidox("keys", "revoke", tenant.access_key)
    until(lambda: api.post("/face/count", image="").status_code == 401, "the token is refused")
    assert error(ask(stack, tenant.access_key, tenant.secret_key)) == (401, "AUTH001")


def test_no_gateway_remembers_a_key_for_longer_than_30_seconds():
    with pytest.raises(SettingsError, match="FIDOX_KEY_CACHE_S"):
        Settings.from_env({"FIDOX_KEY_CACHE_S": "31"})
    assert Settings().auth.key_cache_s <= 30


def test_a_disabled_tenant_gets_no_token(stack, tenant):
    stack.fidox("tenants", "disable", tenant.name)
    assert error(ask(stack, tenant.access_key, tenant.secret_key)) == (401, "AUTH001")


def test_the_token_is_looked_at_before_the_body(anybody):
    """A stranger's body is not even read: garbage without a token is a 401, not a 400."""
    assert error(anybody.post("/face/compare", content=b"{")) == (401, "AUTH001")


def test_secrets_rotate_two_may_be_live_and_a_retired_one_is_not():
    old = Tokens([SECRET], 3600)
    token = old.issue(7, "key")
    rotated = Tokens(["next:" + 40 * "n", SECRET], 3600)
    assert rotated.read(token).tenant_id == 7
    assert parts(rotated.issue(7, "key"))[0]["kid"] == "next"
    with pytest.raises(TokenError):
        Tokens(["next:" + 40 * "n"], 3600).read(token)


def test_a_token_is_over_at_its_time():
    tokens = Tokens([SECRET], -1)
    with pytest.raises(ExpiredTokenError):
        tokens.read(tokens.issue(1, "key"))


@pytest.mark.parametrize("secrets", [[], ["main:short"], ["no-kid-" + 40 * "x"]])
def test_a_gateway_without_a_good_secret_does_not_start(secrets):
    with pytest.raises(ValueError, match="FIDOX_JWT_SECRETS"):
        Tokens(secrets, 3600)


def test_and_says_why():
    environment = {**os.environ, "FIDOX_JWT_SECRETS": ""}
    command = [sys.executable, "-m", "gateway"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert "FIDOX_JWT_SECRETS is not set" in done.stderr
