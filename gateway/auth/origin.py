"""Requests that another site's page makes a browser send, and why the admin API takes none that change anything.

A browser adds its cookies, and the HTTP Basic credentials that it remembers, to whatever any page makes it ask for: a
form on a stranger's page could log an operator out, log them in as somebody else, or delete a tenant. The session's
cookie is SameSite=Lax, which keeps it from other sites but not from a neighbour (`shop.example.com` beside
`faces.example.com`), and which says nothing of Basic or of a login. So the browser is asked whose page it was:

    Sec-Fetch-Site  same-origin, none (typed, a bookmark)   let through
                    same-site, cross-site                   refused
    without it      Origin is this host, or a listed one    let through
                    another Origin, or "null"               refused
    without both    no browser: curl, a program             let through

No page can forge either header, and every browser of the last years sends them, so a token in each form would guard
against nothing more. The list (FIDOX_CORS_ORIGINS) counts only where the browser does not say it itself: a proxy that
rewrites Host makes an origin of ours look foreign. `*` in it does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.connection import ASGIConnection

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN = frozenset({"same-origin", "none"})
CROSS_SITE = "the request comes from another site's page"


def refuse_cross_site(connection: ASGIConnection[Any, Any, Any, Any], listed: Sequence[str]) -> None:
    """Raise RefusedError where another site's page sent a request that would change something.

    `listed` are origins that count as ours, such as `https://faces.example.com`.
    """
    if connection.scope.get("method") in SAFE_METHODS:
        return
    headers = connection.headers
    said, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if said is not None:
        own = said in OWN
    else:
        own = origin is None or origin in listed or _host_of(origin) == headers.get("host", "").lower()
    if not own:
        raise refuse(Failure.FORBIDDEN, CROSS_SITE)


def _host_of(origin: str) -> str | None:
    """Host and port of an origin; None where it has none, such as "null"."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
