"""One's own account: a new password."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser, change_password
from gateway.console.access import see_other
from gateway.console.forms import Form, check, read_form
from gateway.console.shown import shell
from gateway.dialects.xylolabs.admin.schemas import PasswordChange
from gateway.look.render import page
from gateway.refusals import RefusedError
from shared.contracts import Failure


@get("/account")
async def account(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """The form."""
    return _form(request, Form())


@post("/account", status_code=303)
async def change(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """Every other session of the account ends with it."""
    form = await read_form(request)
    data = check(form, PasswordChange).data
    if data is None:
        return _form(request, form, status=400)
    try:
        await change_password(request, data.current_password, data.new_password)
    except RefusedError as error:
        if error.outcome.failure is not Failure.FORBIDDEN:
            raise
        form.errors["current_password"] = "rule.current_password"  # noqa: S105 — a word
        return _form(request, form, status=403)
    return see_other("/admin/account?done=password")


def _form(request: Request[AdminUser, Any, Any], form: Form, *, status: int = 200) -> Response[Any]:
    return page(request, "account.html", status=status, form=form, **shell(request, "account"))


ROUTES = (account, change)
