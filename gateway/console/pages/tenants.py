"""Tenants: make, change, turn off and on, and delete, for which their name is typed."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.console.access import see_other
from gateway.console.forms import Form, check, read_form
from gateway.console.listing import Text, asked, pager_of, window_of
from gateway.console.shown import shell
from gateway.dialects.xylolabs.admin.schemas import CallsPerMinute, TenantRequest
from gateway.dialects.xylolabs.admin.tenants import tenant_of, unknown_tenant
from gateway.look.render import page
from shared.db.pages import Window
from shared.db.pool import DuplicateNameError
from shared.db.tenants import Tenant

HERE, ROOT = "tenants", "/admin/tenants"
SORTS = frozenset({"name", "calls_per_minute", "created_at"})
MOST_KEYS = 100


class TenantChange(msgspec.Struct):
    """What the page of a tenant changes in one go."""

    calls_per_minute: CallsPerMinute
    spoof_rejects: bool
    reveals_numbers: bool


@get("/tenants")
async def list_tenants(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A page of tenants."""
    window = window_of(request, SORTS, "name")
    filters = {"is_active": asked(request, "is_active", bool), "name": asked(request, "q", Text)}
    found = await or_unavailable(call_of(request).services.tenants.page(window, **filters))
    return page(
        request,
        "tenants.html",
        tenants=found.items,
        pager=pager_of(window, found),
        filters=filters,
        **shell(request, HERE),
    )


@get("/tenants/new")
async def new_tenant(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """The form."""
    return _new(request, Form())


@post("/tenants", status_code=303)
async def create_tenant(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A new tenant, and on to its page, where it gets an access key."""
    form = await read_form(request)
    data = check(form, TenantRequest).data
    if data is None:
        return _new(request, form, status=400)
    try:
        made = await or_unavailable(
            call_of(request).services.tenants.create(
                data.name, data.calls_per_minute, spoof_rejects=data.spoof_rejects, reveals_numbers=data.reveals_numbers
            )
        )
    except DuplicateNameError:
        form.errors["name"] = "rule.name_taken"
        return _new(request, form, status=409)
    note(request.user.username, "tenant.create", id=made.id)
    return see_other(f"{ROOT}/{made.id}?done=tenant_made")


@get("/tenants/{tenant_id:int}")
async def show_tenant(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """One tenant with its access keys."""
    return await show(request, await tenant_of(call_of(request).services, tenant_id), Form())


@post("/tenants/{tenant_id:int}", status_code=303)
async def change_tenant(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """Its plan, and what it may choose."""
    form = await read_form(request)
    data = check(form, TenantChange).data
    if data is None:
        return await show(request, await tenant_of(call_of(request).services, tenant_id), form, status=400)
    await _change(request, tenant_id, **msgspec.structs.asdict(data))
    return see_other(f"{ROOT}/{tenant_id}?done=saved")


@post("/tenants/{tenant_id:int}/switch", status_code=303)
async def switch_tenant(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """Off, or on again."""
    is_active = (await read_form(request)).get("is_active") == "1"
    await _change(request, tenant_id, is_active=is_active)
    return see_other(f"{ROOT}/{tenant_id}?done={'switched_on' if is_active else 'switched_off'}")


@get("/tenants/{tenant_id:int}/delete")
async def ask_delete_tenant(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """The question, with a field for the name."""
    return await _ask(request, await tenant_of(call_of(request).services, tenant_id), Form())


@post("/tenants/{tenant_id:int}/delete", status_code=303)
async def delete_tenant(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """For good, where the name is right."""
    services, form = call_of(request).services, await read_form(request)
    tenant = await tenant_of(services, tenant_id)
    # Not trimmed: a name may begin with a space, and then that is what has to be typed.
    if form.get("confirm") != tenant.name:
        form.errors["confirm"] = "rule.confirm"
        return await _ask(request, tenant, form, status=400)
    if not await or_unavailable(services.tenants.delete(tenant_id, tenant.name)):
        raise unknown_tenant()
    note(request.user.username, "tenant.delete", id=tenant_id)
    return see_other(f"{ROOT}?done=deleted")


async def show(
    request: Request[AdminUser, Any, Any], tenant: Tenant, form: Form, *, status: int = 200
) -> Response[Any]:
    """The page of a tenant, with what was typed."""
    services = call_of(request).services
    keys = await or_unavailable(services.tenants.key_page(tenant.id, Window(1, MOST_KEYS, "-created_at")))
    users = await or_unavailable(services.users.page(tenant.id, Window(1, 1, "user_code")))
    return page(
        request,
        "tenant.html",
        status=status,
        tenant=tenant,
        keys=keys.items,
        users=users.total,
        form=form,
        **shell(request, HERE),
    )


def _new(request: Request[AdminUser, Any, Any], form: Form, *, status: int = 200) -> Response[Any]:
    return page(request, "tenant_new.html", status=status, form=form, **shell(request, HERE))


async def _ask(
    request: Request[AdminUser, Any, Any], tenant: Tenant, form: Form, *, status: int = 200
) -> Response[Any]:
    users = await or_unavailable(call_of(request).services.users.page(tenant.id, Window(1, 1, "user_code")))
    return page(
        request,
        "tenant_delete.html",
        status=status,
        tenant=tenant,
        users=users.total,
        form=form,
        **shell(request, HERE),
    )


async def _change(request: Request[AdminUser, Any, Any], tenant_id: int, **changes: Any) -> None:
    if await or_unavailable(call_of(request).services.tenants.update(tenant_id, **changes)) is None:
        raise unknown_tenant()
    note(request.user.username, "tenant.update", id=tenant_id, **changes)


ROUTES = (
    list_tenants,
    new_tenant,
    create_tenant,
    show_tenant,
    change_tenant,
    switch_tenant,
    ask_delete_tenant,
    delete_tenant,
)
