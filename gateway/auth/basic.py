"""HTTP Basic credentials (RFC 7617) of admins: read, checked, and remembered for a short while.

Argon2 takes 0.12 s and 64 MiB, and a program sends its credentials with every request. So those that were right are
remembered, as a keyed hash under a key that this process alone has and keeps nowhere. What is remembered is that this
password matches this `password_hash`, and the account's current one is read each time: a password that was changed, or
an account that was deleted, ends at once.

    read ─ the account's hash ─ remembered? ─> through, and never counted
                                └ no ─ one at a time ─ too many wrong ones? ─ argon2 ─┬─ right ─> remembered
                                                                                      └─ wrong ─> counted
"""

from __future__ import annotations

import binascii
import hashlib
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from gateway.refusals import refuse
from shared.contracts import Failure
from shared.db.admins import LONGEST_PASSWORD, LONGEST_USERNAME
from shared.db.passwords import Turn

if TYPE_CHECKING:
    from gateway.auth.limits import Limiter
    from shared.db.admins import Admins
    from shared.db.passwords import Passwords

SCHEME = "basic"
# Since it was last used. A program that asks more rarely waits for argon2, which it will not notice.
REMEMBERED_S = 600.0
MOST_REMEMBERED = 256
# A program may begin with many requests at once; all but the first find its credentials remembered.
MOST_WAITING = 64
# What logins and wrong Basic credentials are counted as, together: neither gets around the other's limit.
COUNTED_AS = "admin-login"

WRONG = "the username or the password is wrong"
MALFORMED = "the header Authorization: Basic is not base64 of username:password"


class Credentials(NamedTuple):
    """A username and a password, as they were sent."""

    username: str
    password: str


def read_basic(authorization: str) -> Credentials | None:
    """What the header says; None where it is of another scheme. Raises RefusedError where it is malformed."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != SCHEME:
        return None
    try:
        text = binascii.a2b_base64(encoded.strip().encode("ascii"), strict_mode=True).decode()
    except ValueError:
        raise refuse(Failure.UNAUTHENTICATED, MALFORMED) from None
    username, colon, password = text.partition(":")
    if not colon or not is_possible(username, password):
        raise refuse(Failure.UNAUTHENTICATED, WRONG if colon else MALFORMED)
    return Credentials(username, password)


def is_possible(username: str, password: str) -> bool:
    """Could there be such an account? PostgreSQL takes no NUL, and argon2 need not hash a megabyte."""
    return 1 <= len(username) <= LONGEST_USERNAME and len(password) <= LONGEST_PASSWORD and "\0" not in username


class BasicLogins:
    """One a process."""

    def __init__(self, admins: Admins, passwords: Passwords, limiter: Limiter, wrong_a_minute: int) -> None:
        self._admins = admins
        self._passwords = passwords
        self._limiter = limiter
        self._wrong_a_minute = wrong_a_minute
        self._remembered = _Remembered()
        # Checked and counted in one piece, or a hundred guesses sent at once would all find none counted yet.
        self._one_at_a_time = Turn(MOST_WAITING)

    async def check(self, credentials: Credentials, address: str) -> None:
        """Let right credentials through. Raises RefusedError, StoreUnavailableError and PasswordsBusyError."""
        password_hash = await self._admins.password_hash(credentials.username)
        if self._remembered.knows(credentials, password_hash):
            return
        async with self._one_at_a_time:
            if self._remembered.knows(credentials, password_hash):
                return
            await self._limiter.check(self._wrong_a_minute, COUNTED_AS, address)
            if not await self._passwords.verify(password_hash, credentials.password) or password_hash is None:
                await self._limiter.spend(self._wrong_a_minute, COUNTED_AS, address)
                raise refuse(Failure.UNAUTHENTICATED, WRONG)
        self._remembered.add(credentials, password_hash)


class _Remembered:
    """What was verified lately, the longest unused first; bounded."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def knows(self, credentials: Credentials, password_hash: str | None) -> bool:
        """Was this password found to match this very hash, a short while ago?"""
        if password_hash is None:
            return False
        digest = self._digest(credentials, password_hash)
        if time.monotonic() >= self._until.get(digest, 0.0):
            return False
        self._note(digest)
        return True

    def add(self, credentials: Credentials, password_hash: str) -> None:
        """It matches."""
        self._note(self._digest(credentials, password_hash))
        if len(self._until) > MOST_REMEMBERED:
            self._until.popitem(last=False)

    def _note(self, digest: bytes) -> None:
        self._until[digest] = time.monotonic() + REMEMBERED_S
        self._until.move_to_end(digest)

    def _digest(self, credentials: Credentials, password_hash: str) -> bytes:
        # No username has a NUL in it and no hash, so the parts cannot run into one another.
        text = f"{credentials.username}\0{password_hash}\0{credentials.password}"
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=32).digest()
