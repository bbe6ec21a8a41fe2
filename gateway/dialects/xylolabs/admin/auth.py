"""Sessions of the admin console, and an account's password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post, put
from litestar.openapi.spec import OpenAPIResponse, Operation

from gateway.auth.admins import AdminUser, change_password, log_in, log_out, open_guard
from gateway.bodies import CREDENTIALS_BYTES
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import ERRORS, NO_STORE, ROOT, AdminController, finish

AUTH = f"{ROOT}/auth"
TAG = "admin: sessions"


@dataclass
class WithoutBody(Operation):
    """An operation whose 204 has no body: a `Response[None]`, which sets a cookie, would be described with one."""

    def __post_init__(self) -> None:
        answer = (self.responses or {}).get("204")
        if isinstance(answer, OpenAPIResponse):
            answer.content = None


@post(
    f"{AUTH}/login",
    status_code=204,
    guards=[open_guard],
    cache_control=NO_STORE,
    after_response=finish,
    operation_class=WithoutBody,
    request_max_body_size=CREDENTIALS_BYTES,
    operation_id="logInAdmin",
    summary="Start a session",
    tags=[TAG],
    response_description="Set-Cookie has the session",
    responses=ERRORS,
)
async def log_in_admin(request: Request[Any, Any, Any], data: schemas.LoginRequest) -> Response[None]:
    """A cookie for the right username and password. Some ten a minute from one address, right or wrong."""
    return Response(None, status_code=204, cookies=[await log_in(request, data.username, data.password)])


@post(
    f"{AUTH}/logout",
    status_code=204,
    guards=[open_guard],
    cache_control=NO_STORE,
    after_response=finish,
    operation_class=WithoutBody,
    operation_id="logOutAdmin",
    summary="End the session",
    tags=[TAG],
    response_description="Ended; Set-Cookie takes the cookie away",
    responses={status: spec for status, spec in ERRORS.items() if status != 401},
)
async def log_out_admin(request: Request[Any, Any, Any]) -> Response[None]:
    """End the cookie's session on the server, too. Without one there is nothing to do, and that is no error."""
    return Response(None, status_code=204, cookies=[await log_out(request)])


class AccountController(AdminController):
    """Who am I, and a new password."""

    path = AUTH
    tags = [TAG]  # noqa: RUF012 — Litestar declares it on the instance

    @get(
        "/session",
        operation_id="getAdminSession",
        summary="Who am I?",
        response_description="An admin",
        responses=ERRORS,
    )
    async def session(self, request: Request[AdminUser, Any, Any]) -> schemas.AdminSessionResponse:
        """By a session's cookie or by HTTP Basic."""
        return schemas.AdminSessionResponse(authenticated=True, username=request.user.username)

    @put(
        "/password",
        status_code=204,
        operation_id="changeAdminPassword",
        summary="Change one's password",
        response_description="Changed; all other sessions of the account have ended",
        responses=ERRORS,
    )
    async def password(self, request: Request[AdminUser, Any, Any], data: schemas.PasswordChange) -> None:
        """With the current password, or it is 403. Counted together with logins."""
        await change_password(request, data.current_password, data.new_password)
