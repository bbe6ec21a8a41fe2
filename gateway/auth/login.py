"""An access key and its secret for a token, the same for every dialect.

Which of the two was wrong is in the failure: a dialect whose document tells them apart can say it, and the others map
both to one code. The detail is the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.calls import call_of, or_unavailable
from gateway.refusals import refuse
from shared.contracts import Failure
from shared.db.transactions import OK

if TYPE_CHECKING:
    from litestar import Request

WRONG = "the access key or the secret key is wrong, or revoked"


async def log_in(request: Request[Any, Any, Any], access_key: str, secret_key: str) -> str:
    """A token, with its call finished. Limited by key, and more tightly for wrong ones. Raises RefusedError."""
    call = call_of(request)
    call.operation = "token"
    services, limiter = call.services, call.services.limiter
    limits = services.settings.auth
    address = request.client.host if request.client else "unknown"
    suspects = (
        (limits.wrong_address_rate, "wrong-from", address),
        (limits.wrong_key_rate, "wrong-key", access_key),
    )
    for rate, *who in suspects:
        await limiter.check(rate, *who)
    credential = await or_unavailable(services.tenants.credential(access_key))
    # Verified for an unknown key too: how long it takes must not tell.
    right = await services.passwords.verify(credential.secret_hash if credential else None, secret_key)
    if credential is None or not credential.is_active or not right:
        for rate, *who in suspects:
            await limiter.spend(rate, *who)
        known = credential is not None and credential.is_active
        raise refuse(Failure.WRONG_SECRET_KEY if known else Failure.WRONG_ACCESS_KEY, WRONG)
    call.tenant_id = credential.tenant_id
    await limiter.spend(limits.token_rate, "token", access_key)
    token = services.tokens.issue(credential.tenant_id, access_key)
    call.finish(OK, recorded=False)
    return token
