"""Links to stored files, for whoever an admin hands them to: they expire, and nothing else is needed to follow them.

    S3       signed by S3's own rules; a masked picture on FACE_API_S3_PUBLIC_ENDPOINT lies open where that is set
    folder   /api/v1/files/KEY?expires=UNIX_TIME&signature=KID.HMAC, signed with the secrets of the tokens

HMAC-SHA-256 (RFC 2104) over the key and the time, under a line of its own: what signs tokens never signs this text, nor
the other way round. The first secret signs, all verify, so that a rotation breaks no link.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.storage import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.storage import Storage

PATH = "/api/v1/files"
PURPOSE = "fidox file link"


class Links:
    """Makes and checks links. One a process."""

    def __init__(self, storage: Storage, secrets: Sequence[str], ttl_s: int) -> None:
        self._storage = storage
        self._ttl_s = ttl_s
        self._secrets = {kid: secret for kid, _, secret in (entry.partition(":") for entry in secrets)}

    async def make(self, keys: Iterable[str | None], base_url: str) -> dict[str | None, str | None]:
        """A link for each key; None for None. `base_url` is where the caller reached this gateway."""
        wanted = sorted({key for key in keys if key})
        links: dict[str | None, str | None] = {None: None}
        links.update({key: self._storage.public_link(key) for key in wanted})
        private = [key for key in wanted if links[key] is None]
        if not self._storage.signs_links:
            links.update({key: f"{base_url.rstrip('/')}{PATH}/{key}?{self._query(key)}" for key in private})
        elif private:
            links.update(zip(private, await self._storage.sign(private, ttl_s=self._ttl_s), strict=True))
        return links

    def is_good(self, key: str, expires: str, signature: str) -> bool:
        """Was this link made here, and is it still to be followed? Compared in constant time."""
        kid, _, given = signature.rpartition(".")
        secret = self._secrets.get(kid)
        if secret is None or KEY.fullmatch(key) is None or not (expires.isascii() and expires.isdigit()):
            return False
        right = hmac.compare_digest(_sign(secret, key, expires).encode(), given.encode())
        return right and int(expires[:12]) > time.time()

    def _query(self, key: str) -> str:
        kid, secret = next(iter(self._secrets.items()))
        expires = str(int(time.time()) + self._ttl_s)
        return f"expires={expires}&signature={quote(kid, safe='')}.{_sign(secret, key, expires)}"


def _sign(secret: str, key: str, expires: str) -> str:
    return hmac.new(secret.encode(), f"{PURPOSE}\n{key}\n{expires}".encode(), hashlib.sha256).hexdigest()
