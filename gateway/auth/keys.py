"""Whether a key still counts, asked of PostgreSQL once in a while and remembered in between.

Access keys are asked for only where a token of theirs is validly signed. API keys come as they are, from anybody: one
that does not exist is not remembered, so a stranger cannot fill this memory, nor drive out what is in it.

    known and fresh ─> as it is
    known and stale ─> one call asks; the others of RETRY_S go on with what is known, and so do all while PostgreSQL
                       is away, up to OUTAGE_S: a call that needs no database must not fail for want of one
    unknown         ─> asked, and refused while PostgreSQL is away
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from shared.db.pool import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

S = TypeVar("S")

MOST_REMEMBERED = 10_000
RETRY_S = 2.0
# A revoked key stops within this, outage or not: long enough for a restart, and the longest that was promised.
OUTAGE_S = 30.0


@dataclass(slots=True)
class _Known(Generic[S]):
    state: S
    asked_at: float
    fresh_until: float


class KeyStates(Generic[S]):
    """One a process and kind of key. A key that is revoked stops within `ttl_s`."""

    def __init__(self, look_up: Callable[[str], Awaitable[S | None]], ttl_s: float) -> None:
        self._look_up = look_up
        self._ttl_s = ttl_s
        self._states: dict[str, _Known[S]] = {}

    def knows(self, key: str) -> bool:
        """Was there such a key a short while ago?"""
        return key in self._states

    async def of(self, key: str) -> S | None:
        """The key's state; None where there is no such key. Raises StoreUnavailableError.

        It is at most `ttl_s` old where PostgreSQL answers.
        """
        known, now = self._states.get(key), time.monotonic()
        if known is not None:
            if now < known.fresh_until:
                return known.state
            known.fresh_until = min(now + RETRY_S, known.asked_at + OUTAGE_S)
        try:
            state = await self._look_up(key)
        except StoreUnavailableError:
            if known is not None and now < known.asked_at + OUTAGE_S:
                return known.state
            raise
        if state is None:
            self._states.pop(key, None)
            return None
        if len(self._states) >= MOST_REMEMBERED:
            self._states.clear()
        self._states[key] = _Known(state, now, time.monotonic() + self._ttl_s)
        return state
