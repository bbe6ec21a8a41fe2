"""A tenant's access keys: make, and revoke."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.console.access import see_other
from gateway.console.confirm import ask, is_confirmed
from gateway.console.forms import check, read_form
from gateway.console.pages.tenants import HERE, ROOT, show
from gateway.console.shown import shell
from gateway.dialects.xylolabs.admin.schemas import AccessKeyRequest
from gateway.dialects.xylolabs.admin.tenants import tenant_of
from gateway.look.render import page
from gateway.refusals import refuse
from shared.contracts import Failure


@get("/tenants/{tenant_id:int}/access-keys")
async def back(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:  # noqa: ARG001
    """The keys stand on the tenant's page."""
    return see_other(f"{ROOT}/{tenant_id}")


@post("/tenants/{tenant_id:int}/access-keys", status_code=201)
async def create_access_key(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """A new pair, whose secret is shown in this answer and never again."""
    services, form = call_of(request).services, await read_form(request)
    tenant = await tenant_of(services, tenant_id)
    data = check(form, AccessKeyRequest).data
    if data is None:
        return await show(request, tenant, form, status=400)
    made, _, secret = await or_unavailable(services.tenants.create_key(tenant.id, data.label))
    note(request.user.username, "access_key.create", tenant=tenant_id, id=made.access_key)
    return page(
        request, "access_key_made.html", status=201, tenant=tenant, made=made, secret_key=secret, **shell(request, HERE)
    )


@post("/tenants/{tenant_id:int}/access-keys/revoke", status_code=303)
async def revoke_access_key(request: Request[AdminUser, Any, Any], tenant_id: int) -> Response[Any]:
    """No more tokens by it."""
    services, form = call_of(request).services, await read_form(request)
    access_key = form.get("access_key")
    if not is_confirmed(form):
        return ask(
            request,
            HERE,
            question="access.revoke_question",
            what=access_key,
            action="access.revoke",
            back=f"{ROOT}/{tenant_id}",
            form=form,
        )
    if "\0" in access_key or not await or_unavailable(services.tenants.revoke_key(access_key, tenant_id)):
        raise refuse(Failure.NOT_FOUND)
    note(request.user.username, "access_key.revoke", tenant=tenant_id, id=access_key)
    return see_other(f"{ROOT}/{tenant_id}?done=revoked")


ROUTES = (back, create_access_key, revoke_access_key)
