"""Whether an access key still counts, asked of PostgreSQL once in a while and remembered in between.

Only keys of validly signed tokens are asked for, so a stranger cannot fill this memory.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.db.tenants import KeyState, Tenants

MOST_REMEMBERED = 10_000


class KeyStates:
    """One a process. A revoked key or a disabled tenant stops within `ttl_s`."""

    def __init__(self, tenants: Tenants, ttl_s: float) -> None:
        self._tenants = tenants
        self._ttl_s = ttl_s
        self._states: dict[str, tuple[KeyState | None, float]] = {}

    async def of(self, access_key: str) -> KeyState | None:
        """The key's state, at most `ttl_s` old; None where there is no such key. Raises StoreUnavailableError."""
        state, fresh_until = self._states.get(access_key, (None, 0.0))
        if time.monotonic() < fresh_until:
            return state
        state = await self._tenants.key_state(access_key)
        if len(self._states) >= MOST_REMEMBERED:
            self._states.clear()
        self._states[access_key] = (state, time.monotonic() + self._ttl_s)
        return state
