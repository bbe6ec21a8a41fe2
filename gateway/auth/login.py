"""An access key and its secret for a token, the same for every dialect.

    the key's row ─ has it a digest? ─ SHA-256 ─────────────────────────────────────┬─ right ─> a token
                    └ one from before ─ too many wrong ones? ─ argon2, in turn ─────┤
                                                                                    └─ wrong ─> counted, refused

A secret is 256 random bits, so nobody guesses it, and a digest is enough to keep it by. What is counted are wrong ones
alone: whoever knows an access key, or shares an address, cannot lock its owner out. A key from before there were
digests is verified by argon2, which takes long enough to be worth a limit beforehand, and gets its digest by that.

Which of the two was wrong is in the failure: a dialect whose document tells them apart can say it, and the others map
both to one code. The detail is the same for both.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from gateway.auth.addresses import address_of
from gateway.calls import call_of, or_unavailable
from gateway.refusals import refuse
from shared.contracts import Failure
from shared.db.tenants import digest_of
from shared.db.transactions import OK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from litestar import Request

    from gateway.services import Services
    from shared.db.tenants import Credential

    # A limit a minute, and who is counted.
    _Suspect: TypeAlias = tuple[int, str, str]

WRONG = "the access key or the secret key is wrong, or revoked"


async def log_in(request: Request[Any, Any, Any], access_key: str, secret_key: str) -> str:
    """A token, with its call finished. Limited by key, and more tightly for wrong ones. Raises RefusedError."""
    call = call_of(request)
    call.operation = "token"
    services, limits = call.services, call.services.settings.auth
    suspects = (
        (limits.wrong_address_rate, "wrong-from", address_of(request)),
        (limits.wrong_key_rate, "wrong-key", access_key),
    )
    credential = await or_unavailable(services.tenants.credential(access_key))
    known = credential is not None and credential.is_active
    if credential is None or not known or not await _is_right(services, credential, access_key, secret_key, suspects):
        for rate, *who in suspects:
            await services.limiter.spend(rate, *who)
        raise refuse(Failure.WRONG_SECRET_KEY if known else Failure.WRONG_ACCESS_KEY, WRONG)
    call.tenant_id = credential.tenant_id
    await services.limiter.spend(limits.token_rate, "token", access_key)
    token = services.tokens.issue(credential.tenant_id, access_key)
    call.finish(OK, recorded=False)
    return token


async def _is_right(
    services: Services, credential: Credential, access_key: str, secret_key: str, suspects: Sequence[_Suspect]
) -> bool:
    """Is this the key's secret? Raises RefusedError."""
    if credential.secret_digest is not None:
        return hmac.compare_digest(credential.secret_digest, digest_of(secret_key))
    for rate, *who in suspects:
        await services.limiter.check(rate, *who)
    if not await or_unavailable(services.passwords.verify(credential.secret_hash, secret_key)):
        return False
    await or_unavailable(services.tenants.add_digest(access_key, secret_key))
    return True
