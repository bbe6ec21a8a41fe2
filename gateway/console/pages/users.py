"""A tenant's users: who is enrolled, and the deletion of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.console.access import see_other
from gateway.console.choices import tenant_choices
from gateway.console.confirm import ask, is_confirmed
from gateway.console.forms import read_form
from gateway.console.listing import Id, Text, asked, pager_of, window_of
from gateway.console.shown import shell
from gateway.dialects.xylolabs.admin.tenants import tenant_of
from gateway.look.render import page
from gateway.refusals import refuse
from shared import contracts
from shared.contracts import Failure
from shared.db.pages import Page
from shared.db.users import User

HERE, ROOT = "users", "/admin/users"
SORTS = frozenset({"user_code", "created_at"})


@get("/users")
async def list_users(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A page of one tenant's users; of the first tenant's, unless one is asked for."""
    services = call_of(request).services
    window, prefix = window_of(request, SORTS, "user_code"), asked(request, "q", Text)
    tenants, tenant = await tenant_choices(services, asked(request, "tenant", Id))
    tenant = tenant or next(iter(tenants), None)
    found: Page[User] = Page([], 0)
    if tenant is not None:
        found = await or_unavailable(services.users.page(tenant.id, window, prefix=prefix))
    return page(
        request,
        "users.html",
        tenants=tenants,
        tenant=tenant,
        users=found.items,
        pager=pager_of(window, found),
        prefix=prefix,
        **shell(request, HERE),
    )


@post("/users/delete", status_code=303)
async def delete_user(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """The user and every template of theirs. It is a transaction of the tenant's, as its own deletions are."""
    call, form = call_of(request), await read_form(request)
    tenant_text, user_code = form.get("tenant"), form.get("user_code")
    if not (tenant_text.isascii() and tenant_text.isdigit() and len(tenant_text) < 19 and 1 <= len(user_code) <= 128):
        raise refuse(Failure.BAD_REQUEST)
    tenant = await tenant_of(call.services, int(tenant_text))
    back = f"{ROOT}?{urlencode({'tenant': tenant.id})}"
    if not is_confirmed(form):
        return ask(
            request,
            HERE,
            question="users.delete_question",
            what=user_code,
            action="users.delete",
            back=back,
            form=form,
        )
    call.operation, call.tenant_id, call.is_recorded = "delete", tenant.id, True
    await call.ask(contracts.DeleteUser(user_code=user_code), (), contracts.UserDeleted)
    note(request.user.username, "user.delete", tenant=tenant.id, tx=call.tx_id)
    return see_other(f"{back}&done=deleted")


ROUTES = (list_users, delete_user)
