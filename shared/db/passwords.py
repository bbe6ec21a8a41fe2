"""argon2id for what people keep: access-key secrets and admin passwords.

argon2-cffi's defaults take 64 MiB and about 0.12 s a hash: one at a time, and in a thread, so that neither memory nor
the event loop suffers when many log in at once.
"""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# What a wrong name is verified against, so that it takes as long as a wrong secret and tells nobody which it was.
_NOBODY = _hasher.hash("nobody")


class Passwords:
    """One a process: its lock is what keeps the memory at one hash."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    async def hash(self, secret: str) -> str:
        """An encoded argon2id hash, with its parameters and a fresh salt in it."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(_hasher.hash, secret)

    async def verify(self, encoded: str | None, secret: str) -> bool:
        """Is `secret` what `encoded` was made of? None stands for a name that does not exist, and takes as long."""
        async with self._one_at_a_time:
            matches = await asyncio.to_thread(_verify, encoded or _NOBODY, secret)
        return matches and encoded is not None


def _verify(encoded: str, secret: str) -> bool:
    try:
        return _hasher.verify(encoded, secret)
    except (VerificationError, InvalidHashError):
        return False
