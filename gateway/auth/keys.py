"""Whether an access key still counts, asked of PostgreSQL once in a while and remembered in between.

Only keys of validly signed tokens are asked for, so a stranger cannot fill this memory.

    known and fresh ─> as it is
    known and stale ─> one call asks; the others of RETRY_S go on with what is known, and so do all while PostgreSQL
                       is away, up to OUTAGE_S: a call that needs no database must not fail for want of one
    unknown         ─> asked, and refused while PostgreSQL is away
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.db.pool import StoreUnavailableError

if TYPE_CHECKING:
    from shared.db.tenants import KeyState, Tenants

MOST_REMEMBERED = 10_000
RETRY_S = 2.0
# A revoked key stops within this, outage or not: long enough for a restart, and the longest that was promised.
OUTAGE_S = 30.0


@dataclass(slots=True)
class _Known:
    state: KeyState | None
    asked_at: float
    fresh_until: float


class KeyStates:
    """One a process. A revoked key or a disabled tenant stops within `ttl_s`."""

    def __init__(self, tenants: Tenants, ttl_s: float) -> None:
        self._tenants = tenants
        self._ttl_s = ttl_s
        self._states: dict[str, _Known] = {}

    async def of(self, access_key: str) -> KeyState | None:
        """The key's state; None where there is no such key. Raises StoreUnavailableError.

        It is at most `ttl_s` old where PostgreSQL answers.
        """
        known, now = self._states.get(access_key), time.monotonic()
        if known is not None:
            if now < known.fresh_until:
                return known.state
            known.fresh_until = min(now + RETRY_S, known.asked_at + OUTAGE_S)
        try:
            state = await self._tenants.key_state(access_key)
        except StoreUnavailableError:
            if known is not None and now < known.asked_at + OUTAGE_S:
                return known.state
            raise
        if len(self._states) >= MOST_REMEMBERED:
            self._states.clear()
        self._states[access_key] = _Known(state, now, time.monotonic() + self._ttl_s)
        return state
