"""API keys, which the xylolabs dialect's public endpoints ask for in the header X-API-Key.

    X-API-Key ─ of the right shape? ─ known, or few wrong ones from this address? ─ live? ─ rate limit ─> the call

A key belongs to no tenant: what such a call asks for needs none, and its transaction has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from gateway.auth.addresses import address_of
from gateway.calls import call_of, or_unavailable
from gateway.refusals import refuse
from shared.contracts import NO_TENANT, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.services import Services
    from shared.db.api_keys import ApiKeyState
    from shared.settings import FaceApi

MISSING = "send the header X-API-Key: KEY; an operator makes keys in the admin API or with `fidox api-keys create`"
WRONG = "the API key is wrong, or turned off"
NO_DATABASE = "API keys need a database: set DATABASE_URL, or FACE_API_API_KEY_ENABLED=false"

# 32 random bytes in URL-safe base64 behind the prefix (see shared/db/api_keys.py).
_SHAPE = re.compile(r"xyl_[A-Za-z0-9_-]{43}", re.ASCII)
# Calls a minute, by operation.
RATES: dict[str, Callable[[FaceApi], int]] = {
    "detect": lambda settings: settings.detect_rate,
    "mask": lambda settings: settings.mask_rate,
}


async def api_key_guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let callers with a live key, and calls left in this minute, through; anybody where keys are switched off.

    The route says with `operation=` what it is recorded, and limited, as. Where keys are off an address is limited.
    """
    call, services = call_of(connection), connection.app.state.services
    call.operation = str(handler.opt["operation"])
    settings: FaceApi = services.settings.face_api
    address = address_of(connection)
    who = f"address {address}"
    if settings.key_enabled:
        state = await _state(services, connection.headers.get("x-api-key"), address)
        services.key_uses.count(state.id)
        who, call.api_key_id = f"key {state.id}", state.id
    call.tenant_id = NO_TENANT
    await services.limiter.spend(RATES[call.operation](settings), call.operation, who)


async def _state(services: Services, key: str | None, address: str) -> ApiKeyState:
    """The live key. Raises RefusedError; wrong keys are counted by address, and those that are known need no count."""
    if not services.settings.database.url:
        raise refuse(Failure.NOT_ENABLED, NO_DATABASE)
    if not key:
        raise refuse(Failure.UNAUTHENTICATED, MISSING)
    if _SHAPE.fullmatch(key) is None:
        raise refuse(Failure.UNAUTHENTICATED, WRONG)
    suspect = services.settings.auth.wrong_address_rate, "wrong-from", address
    if not services.api_key_states.knows(key):
        await services.limiter.check(*suspect)
    state = await or_unavailable(services.api_key_states.of(key))
    if state is None:
        await services.limiter.spend(*suspect)
    if state is None or not state.is_active:
        raise refuse(Failure.UNAUTHENTICATED, WRONG)
    return state
