"""argon2id for what people choose: admin passwords, and access-key secrets from before they had a digest.

argon2-cffi's defaults take 64 MiB and about 0.12 s a hash: one at a time, and in a thread, so that neither memory nor
the event loop suffers when many log in at once. Only so many wait for their turn: a stranger who sends hundreds of
wrong passwords must not make everybody after them wait for a minute.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from types import TracebackType

# Two seconds of hashing: whoever comes after them is told to come again.
MOST_WAITING = 16
# Of them for one account: guesses at one leave room for the others.
MOST_OF_ONE = 4

_hasher = PasswordHasher()
# What a wrong name is verified against, so that it takes as long as a wrong secret and tells nobody which it was.
_NOBODY = _hasher.hash("nobody")


class PasswordsBusyError(Exception):
    """So many wait for their turn that one more is turned away."""


class Turn:
    """One at a time, and at most `most_waiting` who wait: `async with turn:` raises PasswordsBusyError beyond."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= self._most_waiting:
            raise PasswordsBusyError
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._lock.release()


class Passwords:
    """One a process: its turn is what keeps the memory at one hash."""

    def __init__(self) -> None:
        self._turn = Turn()
        self._in_hand: Counter[str] = Counter()

    async def hash(self, secret: str) -> str:
        """An encoded argon2id hash, with its parameters and a fresh salt in it. Raises PasswordsBusyError."""
        async with self._turn:
            return await asyncio.to_thread(_hasher.hash, secret)

    async def verify(self, encoded: str | None, secret: str) -> bool:
        """Is `secret` what `encoded` was made of? None stands for a name that does not exist, and takes as long.

        Raises PasswordsBusyError.
        """
        account = encoded or _NOBODY
        if self._in_hand[account] >= MOST_OF_ONE:
            raise PasswordsBusyError
        self._in_hand[account] += 1
        try:
            async with self._turn:
                matches = await asyncio.to_thread(_verify, account, secret)
        finally:
            self._in_hand[account] -= 1
            if not self._in_hand[account]:
                del self._in_hand[account]
        return matches and encoded is not None


def _verify(encoded: str, secret: str) -> bool:
    try:
        return _hasher.verify(encoded, secret)
    except (VerificationError, InvalidHashError):
        return False
