"""Who may see the console's pages: whoever the admin API lets in, by its own guards; others are sent to the login.

a page without a session ─> /admin/login?next=… ─ right password ─> the page
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from litestar import Response
from litestar.response import Redirect

from gateway.console.shown import shell
from gateway.dialects.xylolabs.errors import ROWS
from gateway.look.render import HEADERS, page
from gateway.refusals import error_headers
from shared.contracts import Failure

if TYPE_CHECKING:
    from litestar import Request

    from shared.contracts import Failed

HOME, LOGIN = "/admin", "/admin/login"
# No host, no "//", no backslash (which browsers take for a slash), and no control character.
_LOCAL = re.compile(r"/admin(?:[/?](?![/\\])[!-\[\]-~]*)?")


def local(target: str | None) -> str:
    """`target` where it is a page of the console's, else the first page."""
    return target if target and _LOCAL.fullmatch(target) and len(target) <= 2048 else HOME


def see_other(target: str) -> Response[Any]:
    """After a form: 303, so that loading the page again sends nothing twice."""
    return Redirect(target, status_code=303, headers=HEADERS)


def show_refusal(request: Request[Any, Any, Any], outcome: Failed) -> Response[Any]:
    """An error as a page; as JSON for a script; and the login for who has no session."""
    status, message = ROWS[outcome.failure]
    headers = error_headers(outcome, status, "Cookie")
    if "application/json" in request.headers.get("accept", ""):
        body = {"failure": outcome.failure, "detail": outcome.detail or message, "image": outcome.image}
        return Response(body, status_code=status, media_type="application/json", headers=HEADERS | headers)
    if outcome.failure is Failure.UNAUTHENTICATED:
        where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = where if request.method == "GET" and where != HOME else ""
        return see_other(LOGIN + (f"?next={quote(asked, safe='')}" if asked else ""))
    shown = page(
        request,
        "error.html",
        status=status,
        code=status,
        failure=outcome.failure,
        detail=outcome.detail,
        **shell(request, ""),
    )
    for name, value in headers.items():
        shown.headers[name] = value
    return shown
