"""Tokens: how v1 gives them, how both dialects take both kinds, and all the ways in which they do not count."""

import json
import secrets
import time

import jwt
import pytest

from gateway.auth.tokens import TokenKind, Tokens
from tests.support import fidox
from tests.support.fidox import Fidox, make_tenant
from tests.support.v1 import V1, ask_token, error
from tests.support.waiting import until


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.fixture
def bearer(anybody):
    """Both dialects' answers to a call with this Authorization header; the picture in it is none."""

    def call(authorization: str | None) -> tuple:
        headers = {} if authorization is None else {"Authorization": authorization.encode()}
        return tuple(
            anybody.post(path, json={"image": ""}, headers=headers) for path in ("/v1/fr/count", "/face/count")
        )

    return call


@pytest.fixture
def expired(stack, demo):
    """expired(kind): a token of the demo tenant that is over."""
    tokens, claims = Tokens([stack.environment["FIDOX_JWT_SECRETS"]], ttl_s=-1), claims_of(demo.token)
    return lambda kind: tokens.issue(int(claims["sub"]), claims["key"], kind)


def test_a_token_comes_with_its_lifetime_and_transaction(stack, tenant):
    began = int(time.time())
    answer = ask_token(stack.base_url, tenant.access_key, tenant.secret_key)
    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["success", "token", "expiresIn", "trxId"]
    assert (body["success"], body["expiresIn"]) == (True, 3600)
    assert began + 3600 <= claims_of(body["token"])["exp"] <= time.time() + 3600


def test_a_token_of_either_dialect_works_in_both(stack, api, v1, photo):
    image = photo("obama/obama.jpg")
    with V1(stack.base_url, api.token) as by_root, Fidox(stack.base_url, v1.token) as by_v1:
        assert by_root.post("/fr/count", image=image).json()["count"] == 1
        assert by_v1.post("/face/count", image=image).json()["faceCnt"] == 1


def test_40102_is_a_wrong_access_key(stack, tenant):
    answer = ask_token(stack.base_url, "nobody", tenant.secret_key)
    assert error(answer) == (401, "40102")
    assert answer.json()["message"] == "잘못된 Access Key"


def test_40104_is_a_wrong_secret_key(stack, tenant):
    answer = ask_token(stack.base_url, tenant.access_key, "wrong")
    assert error(answer) == (401, "40104")
    assert answer.json()["message"] == "잘못된 Secret Key"


def test_a_revoked_key_is_40102_whatever_the_secret(stack, tenant):
    stack.fidox("keys", "revoke", tenant.access_key)
    for secret in (tenant.secret_key, "wrong"):
        assert error(ask_token(stack.base_url, tenant.access_key, secret)) == (401, "40102")


def test_wrong_keys_are_limited_over_both_dialects_together(stack, anybody):
    tenant = make_tenant(stack.database_url, f"guessed-{secrets.token_hex(4)}")
    wrong = {"accessKey": tenant.access_key, "secretKey": "guess"}
    statuses = [
        anybody.post(path, json=wrong).status_code
        for path in ("/auth/client/token", "/v1/auth/client/token")
        for _ in range(6)
    ]
    assert statuses == [401] * 10 + [429] * 2
    answer = ask_token(stack.base_url, tenant.access_key, "guess")
    assert error(answer) == (429, "42900")
    assert int(answer.headers["Retry-After"]) >= 1
    assert ask_token(stack.base_url, tenant.access_key, tenant.secret_key).status_code == 200


def test_over_the_tenants_limit_is_429_and_retry_after(stack, login_v1):
    tenant = make_tenant(stack.database_url, f"small-{secrets.token_hex(4)}", calls_per_minute=3)
    answers = [login_v1(tenant).post("/fr/count", image="") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [400] * 3 + [429] * 2
    assert error(answers[-1]) == (429, "42900")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer garbage", "Bearer a.b.c", "Basic YTpi", "Bearer ü"]
)
def test_no_token_and_garbage_are_401(bearer, authorization):
    of_v1, of_root = bearer(authorization)
    assert error(of_v1) == (401, "40101")
    assert of_v1.headers["WWW-Authenticate"] == "Bearer"
    assert fidox.error(of_root) == (401, "AUTH001")


def test_a_token_signed_with_another_secret_is_401(bearer, demo):
    kid = jwt.get_unverified_header(demo.token)["kid"]
    forged = jwt.encode(claims_of(demo.token), "x" * 64, algorithm="HS256", headers={"kid": kid})
    assert error(bearer(f"Bearer {forged}")[0]) == (401, "40101")


def test_a_forged_token_that_claims_to_have_expired_is_not_told_apart(bearer, demo):
    """What a token says counts only once its signature does."""
    kid = jwt.get_unverified_header(demo.token)["kid"]
    claims = claims_of(demo.token) | {"exp": 1, "kind": "tenant"}
    forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": kid})
    assert error(bearer(f"Bearer {forged}")[0]) == (401, "40101")


def test_40105_is_an_expired_access_token(bearer, expired):
    of_v1, of_root = bearer(f"Bearer {expired(TokenKind.ACCESS)}")
    assert error(of_v1) == (401, "40105")
    assert of_v1.json()["message"] == "Access Token 만료"
    assert fidox.error(of_root) == (401, "AUTH001")


def test_40107_is_an_expired_tenant_token(bearer, expired):
    of_v1, of_root = bearer(f"Bearer {expired(TokenKind.TENANT)}")
    assert error(of_v1) == (401, "40107")
    assert of_v1.json()["message"] == "Tenant Token 만료"
    assert fidox.error(of_root) == (401, "AUTH001")


def test_a_tenant_token_of_the_command_line_works_in_both_dialects_until_it_is_revoked(stack, bearer, tenant):
    made = json.loads(stack.fidox("tenants", "token", tenant.name, "--days", "30", "--json"))
    claims = claims_of(made["token"])
    assert (claims["kind"], claims["exp"] - claims["iat"]) == ("tenant", 30 * 86400)
    assert [answer.status_code for answer in bearer(f"Bearer {made['token']}")] == [400, 400]
    stack.fidox("keys", "revoke", made["access_key"])
    until(lambda: bearer(f"Bearer {made['token']}")[0].status_code == 401, "the token is refused")
    assert error(bearer(f"Bearer {made['token']}")[0]) == (401, "40101")
    # The tenant's other keys are as they were.
    assert ask_token(stack.base_url, tenant.access_key, tenant.secret_key).status_code == 200
