"""Who may use the admin API: a session's cookie, or HTTP Basic.

    a database? ─ another site's page? (origin.py) ─ Authorization: Basic ─> that alone decides (basic.py)
                                                   └ none ─ cookie ─> its session (shared/db/admin_sessions.py)

Both guards run before a body is read, and mark the call as an admin's: logged, and no transaction.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from gateway.auth.addresses import address_of
from gateway.auth.basic import COUNTED_AS, WRONG, is_possible, read_basic
from gateway.auth.origin import refuse_cross_site
from gateway.calls import call_of, or_unavailable
from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from gateway.services import Services

log = logging.getLogger("fidox.admin")

SESSION_COOKIE = "fidox_admin"
# The same word as the dialect's table of errors has; that module is above this one.
OPERATION = "admin"
MISSING = "log in at /api/v1/admin/auth/login, or send HTTP Basic"
ENDED = "the session has ended; log in again"
NO_DATABASE = "the admin API needs a database: set DATABASE_URL"


class AdminUser(msgspec.Struct, frozen=True):
    """Who is calling. `session` is the cookie's value where it was a cookie."""

    username: str
    session: str | None = None


async def open_guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Let anybody through but another site's page: for login and logout."""
    call = call_of(connection)
    call.operation, call.is_recorded = OPERATION, False
    if not call.services.settings.database.url:
        raise refuse(Failure.NOT_ENABLED, NO_DATABASE)
    refuse_cross_site(connection, call.services.settings.http.cors_origins)


async def admin_guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let admins through; the handler finds who it is in `request.user` (AdminUser)."""
    await open_guard(connection, handler)
    services: Services = connection.app.state.services
    credentials = read_basic(connection.headers.get("authorization", ""))
    if credentials is not None:
        await or_unavailable(services.basic_logins.check(credentials, address_of(connection)))
        connection.scope["user"] = AdminUser(credentials.username)
        return
    token = connection.cookies.get(SESSION_COOKIE)
    if token is None:
        raise refuse(Failure.UNAUTHENTICATED, MISSING)
    username = await or_unavailable(services.admin_sessions.username(token))
    if username is None:
        raise refuse(Failure.UNAUTHENTICATED, ENDED)
    connection.scope["user"] = AdminUser(username, token)


async def log_in(request: Request[Any, Any, Any], username: str, password: str) -> Cookie:
    """The cookie of a new session. Raises RefusedError; takes as long for an account that there is not."""
    services: Services = request.app.state.services
    await _count(request)
    known = is_possible(username, password)
    password_hash = await or_unavailable(services.admins.password_hash(username)) if known else None
    right = await or_unavailable(services.passwords.verify(password_hash, password))
    token = None
    if right and password_hash is not None:
        ttl_s = services.settings.face_api.session_ttl_s
        token = await or_unavailable(services.admin_sessions.start(username, password_hash, ttl_s))
    if token is None:
        log.warning("admin login refused", extra={"facts": {"address": address_of(request)}})
        raise refuse(Failure.UNAUTHENTICATED, WRONG)
    note(username, "session.start")
    return session_cookie(request, token)


async def log_out(request: Request[Any, Any, Any]) -> Cookie:
    """End the session of the request's cookie, if it is one, and give the cookie that takes it from the browser."""
    services: Services = request.app.state.services
    token = request.cookies.get(SESSION_COOKIE, "")
    username = await or_unavailable(services.admin_sessions.username(token))
    if await or_unavailable(services.admin_sessions.end(token)):
        note(username or "nobody", "session.end")
    return session_cookie(request, "")


async def change_password(request: Request[AdminUser, Any, Any], current: str, new: str) -> None:
    """Give the caller's account a new password and end its other sessions. Raises RefusedError.

    Counted as a login is, or a stolen session could guess the password.
    """
    services: Services = request.app.state.services
    user = request.user
    await _count(request)
    password_hash = await or_unavailable(services.admins.password_hash(user.username))
    if not await or_unavailable(services.passwords.verify(password_hash, current)):
        raise refuse(Failure.FORBIDDEN, "the current password is wrong")
    changed = await or_unavailable(
        services.admins.set_password(user.username, new, instead_of=password_hash, keep_session=user.session)
    )
    if not changed:
        raise refuse(Failure.FORBIDDEN, "the password was changed by somebody else at the same moment")
    note(user.username, "password.change")


def note(username: str, action: str, **facts: object) -> None:
    """Log what an admin did: who, what, and to which id; never a secret, and never a user code."""
    log.info("admin action", extra={"facts": {"admin": username, "action": action, **facts}})


def session_cookie(request: Request[Any, Any, Any], token: str) -> Cookie:
    """The session's cookie; an empty token takes it away.

    Secure wherever the browser came by https, which a trusted proxy says (`gateway/app.py`); a page of plain http on
    one's own machine could not log in with it.
    """
    return Cookie(
        key=SESSION_COOKIE,
        value=token,
        max_age=request.app.state.services.settings.face_api.session_ttl_s if token else 0,
        httponly=True,
        samesite="lax",
        secure=request.scope["scheme"] == "https",
    )


async def _count(request: Request[Any, Any, Any]) -> None:
    services: Services = request.app.state.services
    await services.limiter.spend(services.settings.face_api.login_rate, COUNTED_AS, address_of(request))
