"""How often one may call: per tenant from its plan, per access key for tokens, and wrong keys fewer."""

import asyncio
import itertools
import secrets
from contextlib import suppress

import httpx

from gateway.auth import limits
from gateway.auth.limits import ADVANCES, open_limiter
from gateway.refusals import RefusedError
from shared.settings import Queue, Settings
from tests.support.fidox import error, make_tenant
from tests.support.gateways import gateway_beside


def test_over_the_limit_is_limit001_and_retry_after_and_only_for_that_tenant(stack, demo, login):
    tenant = make_tenant(stack.database_url, f"small-{secrets.token_hex(4)}", calls_per_minute=5)
    api = login(tenant)
    answers = [api.post("/face/count", image="") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 2
    assert error(answers[-1]) == (429, "LIMIT001")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert error(demo.post("/face/count", image="")) == (400, "IMG001")


def test_so_many_tokens_a_minute_an_access_key(stack, tenant):
    """Few here: a token costs an argon2, and a busy machine may take longer than a minute for the default's 60."""
    assert Settings().auth.token_rate == 60
    body = {"accessKey": tenant.access_key, "secretKey": tenant.secret_key}
    with gateway_beside(stack, FIDOX_TOKEN_RATE="6") as url, httpx.Client(base_url=url, timeout=60) as client:
        answers = [client.post("/auth/client/token", json=body) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert error(answers[-1]) == (429, "LIMIT001")
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_wrong_keys_are_limited_more_tightly(stack):
    """By the access key: in the stack under test the address is everybody's, so its limit is set out of the way."""
    tenant = make_tenant(stack.database_url, f"guessed-{secrets.token_hex(4)}")
    wrong = {"accessKey": tenant.access_key, "secretKey": "guess"}
    with httpx.Client(base_url=stack.base_url, timeout=60) as client:
        answers = [client.post("/auth/client/token", json=wrong) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2


def test_a_busy_tenants_limit_is_spent_in_advances_and_never_exceeded(stack, monkeypatch):
    """Two gateways take turns: together they let 2,400 through, but for what each had paid for and not used."""
    # On a busy machine an advance would lapse, or Redis answer too late, in between.
    monkeypatch.setattr(limits, "ADVANCE_S", 60.0)
    monkeypatch.setattr(limits, "PATIENCE_S", 60.0)
    per_minute, who = 2400, f"busy-{secrets.token_hex(4)}"

    settings = Queue(url=stack.redis_url)

    async def spend_all() -> int:
        allowed = 0
        async with open_limiter(settings) as one, open_limiter(settings) as other:
            with suppress(RefusedError):
                for gateway in itertools.cycle([one, other]):
                    await gateway.spend(per_minute, "tenant", who)
                    allowed += 1
        return allowed

    assert per_minute - 2 * (per_minute // ADVANCES) <= asyncio.run(spend_all()) <= per_minute
