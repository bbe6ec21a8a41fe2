"""Bearer tokens: JWT (RFC 7519), signed with HMAC-SHA-256.

There are two kinds, and both open the same doors: access tokens, which programs ask for with their keys, and tenant
tokens, which live longer and are given out by an operator. The claim `kind` tells them apart once they have expired.

Several secrets may be live at once, told apart by `kid`: the first signs, all verify, so that they can be rotated
without a token failing. Only HS256 is accepted, whatever a header says.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from gateway.text import has_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

ALGORITHM = "HS256"
ISSUER = "fidox"
# RFC 7518, 3.2: a key of at least the hash's size.
SHORTEST_SECRET = 32


class TokenKind(StrEnum):
    """Who gave a token, and for how long."""

    ACCESS = "access"
    TENANT = "tenant"


class TokenSecretsError(ValueError):
    """The settings' secrets are none; the message says what they take."""


class TokenError(Exception):
    """Not a token of ours, or one that is over."""


class ExpiredTokenError(TokenError):
    """It was ours, and its time is over."""

    def __init__(self, kind: TokenKind) -> None:
        super().__init__(kind)
        self.kind = kind


class Claims(msgspec.Struct, frozen=True):
    """What a token says. `key` is the access key it was made with: a revoked key ends its tokens, too."""

    iss: str
    sub: str
    key: str
    iat: int
    exp: int
    kind: TokenKind = TokenKind.ACCESS

    @property
    def tenant_id(self) -> int:
        """The tenant the token speaks for."""
        return int(self.sub)


class Tokens:
    """Makes and reads tokens with the secrets of the settings (`kid:secret`, …)."""

    def __init__(self, secrets: Sequence[str], ttl_s: int) -> None:
        self.ttl_s = ttl_s
        self._keys: dict[str, OctKey] = {}
        for entry in secrets:
            kid, _, secret = entry.partition(":")
            if not kid or len(secret) < SHORTEST_SECRET:
                raise TokenSecretsError(
                    f"FIDOX_JWT_SECRETS: each is kid:secret, the secret of {SHORTEST_SECRET} or more"
                )
            self._keys[kid] = OctKey.import_key(secret)
        if not self._keys:
            raise TokenSecretsError(
                "FIDOX_JWT_SECRETS is not set: give it kid:secret, such as main:$(openssl rand -hex 32)"
            )
        self._signing = next(iter(self._keys))

    def issue(self, tenant_id: int, access_key: str, kind: TokenKind = TokenKind.ACCESS) -> str:
        """A token for this tenant, valid from now on for `ttl_s`."""
        now = int(time.time())
        claims = Claims(iss=ISSUER, sub=str(tenant_id), key=access_key, iat=now, exp=now + self.ttl_s, kind=kind)
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": self._signing}
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._keys[self._signing], [ALGORITHM])

    def read(self, token: str) -> Claims:
        """The claims of a token of ours. Raises ExpiredTokenError or TokenError."""
        try:
            # Verified below; the header is read first only to choose among our own keys.
            signed = jws.extract_compact(token.encode("ascii"))
            key = self._keys[signed.headers()["kid"]]
            claims = msgspec.json.decode(jws.deserialize_compact(token, key, [ALGORITHM]).payload, type=Claims)
            claims.tenant_id  # noqa: B018 — raises for a subject that is no number
        except (JoseError, KeyError, TypeError, ValueError, UnicodeError) as error:
            raise TokenError(type(error).__name__) from None
        if claims.iss != ISSUER:
            raise TokenError("issuer")
        if has_controls(claims.key):
            raise TokenError("key")
        if claims.exp <= time.time():
            raise ExpiredTokenError(claims.kind)
        return claims
