"""Logging in and out."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from gateway.auth.admins import log_in, log_out
from gateway.console.access import LOGIN, local, see_other
from gateway.console.forms import Form, check, read_form
from gateway.console.shown import shell
from gateway.dialects.xylolabs.admin.schemas import LoginRequest
from gateway.dialects.xylolabs.errors import ROWS
from gateway.look.render import page
from gateway.refusals import RefusedError
from shared.contracts import Failure


@get("/login")
async def login_page(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form; `next` is where it leads."""
    return _form(request, Form(), local(request.query_params.get("next")))


@post("/login", status_code=200)
async def login(request: Request[Any, Any, Any]) -> Response[Any]:
    """A session for the right password, and on to the page that was asked for."""
    form = await read_form(request)
    target = local(form.get("next"))
    checked = check(form, LoginRequest)
    if checked.data is None:
        return _form(request, form, target, Failure.UNAUTHENTICATED)
    try:
        cookie = await log_in(request, checked.data.username, checked.data.password)
    except RefusedError as error:
        if error.outcome.failure not in {Failure.UNAUTHENTICATED, Failure.RATE_LIMITED}:
            raise
        return _form(request, form, target, error.outcome.failure)
    answer = see_other(target)
    answer.cookies.append(cookie)
    return answer


@post("/logout", status_code=303)
async def logout(request: Request[Any, Any, Any]) -> Response[Any]:
    """End the session, here and in the browser."""
    answer = see_other(f"{LOGIN}?done=logged_out")
    answer.cookies.append(await log_out(request))
    return answer


def _form(request: Request[Any, Any, Any], form: Form, target: str, failure: Failure | None = None) -> Response[str]:
    status = ROWS[failure].status if failure else 200
    return page(request, "login.html", status=status, form=form, next=target, failure=failure, **shell(request, ""))


ROUTES = (login_page, login, logout)
