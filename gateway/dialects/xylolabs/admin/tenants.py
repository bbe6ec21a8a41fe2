"""Tenants: who uses the fidox and v1 dialects, and how much."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.params import Parameter

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    TAKEN,
    UNKNOWN,
    AdminController,
    Contains,
    IsActive,
    PageNumber,
    PerPage,
    given,
    paginated,
)
from gateway.refusals import refuse
from gateway.services import Services
from gateway.text import NO_CONTROLS
from shared.contracts import Failure
from shared.db.pages import Window
from shared.db.pool import DuplicateNameError
from shared.db.tenants import Tenant

Sort = Literal["name", "-name", "calls_per_minute", "-calls_per_minute", "created_at", "-created_at"]
# PostgreSQL holds no larger one.
TenantId = Annotated[int, Parameter(ge=1, le=2**63 - 1, description="The tenant's id")]
Confirm = Annotated[
    str, Parameter(max_length=128, pattern=NO_CONTROLS, description="The tenant's name, so that it is the right one")
]


class TenantController(AdminController):
    """Make, list, change, delete."""

    path = f"{ROOT}/tenants"
    tags = ["admin: tenants"]  # noqa: RUF012 — Litestar declares it on the instance

    @post(
        "",
        status_code=201,
        operation_id="createTenant",
        summary="Make a tenant",
        response_description="The tenant",
        responses=ERRORS | TAKEN,
    )
    async def create(
        self, request: Request[AdminUser, Any, Any], data: schemas.TenantRequest
    ) -> schemas.TenantResponse:
        """It then needs an access key."""
        tenants = call_of(request).services.tenants
        try:
            made = await or_unavailable(
                tenants.create(
                    data.name,
                    data.calls_per_minute,
                    spoof_rejects=data.spoof_rejects,
                    reveals_numbers=data.reveals_numbers,
                )
            )
        except DuplicateNameError:
            raise refuse(Failure.CONFLICT, "a tenant of this name") from None
        note(request.user.username, "tenant.create", id=made.id)
        return _response(made)

    @get("", operation_id="listTenants", summary="List tenants", response_description="A page", responses=ERRORS)
    async def list(
        self,
        request: Request[AdminUser, Any, Any],
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: Sort = "name",
        is_active: IsActive = None,
        q: Contains = None,
    ) -> schemas.TenantPage:
        """By name, unless another order is asked for."""
        window = Window(page, per_page, sort)
        tenants = call_of(request).services.tenants
        return paginated(await or_unavailable(tenants.page(window, is_active=is_active, name=q)), window, _response)

    @get(
        "/{tenant_id:int}",
        operation_id="getTenant",
        summary="Look at a tenant",
        response_description="The tenant",
        responses=ERRORS | UNKNOWN,
    )
    async def get(self, request: Request[AdminUser, Any, Any], tenant_id: TenantId) -> schemas.TenantResponse:
        """Its plan, and what it may choose."""
        return _response(await tenant_of(call_of(request).services, tenant_id))

    @patch(
        "/{tenant_id:int}",
        operation_id="updateTenant",
        summary="Change a tenant",
        response_description="The tenant as it is now",
        responses=ERRORS | UNKNOWN,
    )
    async def update(
        self, request: Request[AdminUser, Any, Any], tenant_id: TenantId, data: schemas.TenantPatch
    ) -> schemas.TenantResponse:
        """Change what is named; it holds within 30 seconds. Turned off, its calls are refused; nothing is deleted."""
        changes = {name: value for name in data.__struct_fields__ if (value := given(getattr(data, name))) is not None}
        changed = await or_unavailable(call_of(request).services.tenants.update(tenant_id, **changes))
        if changed is None:
            raise unknown_tenant()
        note(request.user.username, "tenant.update", id=tenant_id, **changes)
        return _response(changed)

    @delete(
        "/{tenant_id:int}",
        status_code=204,
        operation_id="deleteTenant",
        summary="Delete a tenant and all its users",
        response_description="Gone",
        responses=ERRORS | UNKNOWN,
    )
    async def delete(self, request: Request[AdminUser, Any, Any], tenant_id: TenantId, confirm: Confirm) -> None:
        """Its keys, users and templates go for good; what it did stays among the transactions."""
        services = call_of(request).services
        tenant = await tenant_of(services, tenant_id)
        if confirm != tenant.name:
            raise refuse(Failure.BAD_REQUEST, "confirm: not the tenant's name")
        if not await or_unavailable(services.tenants.delete(tenant_id, tenant.name)):
            raise unknown_tenant()
        note(request.user.username, "tenant.delete", id=tenant_id)


async def tenant_of(services: Services, tenant_id: int) -> Tenant:
    """The tenant of this id. Raises RefusedError."""
    found = await or_unavailable(services.tenants.get(tenant_id))
    if found is None:
        raise unknown_tenant()
    return found


def unknown_tenant() -> Exception:
    """What is raised where there is none."""
    return refuse(Failure.NOT_FOUND, "no tenant of this id")


def _response(tenant: Tenant) -> schemas.TenantResponse:
    return msgspec.convert(tenant, schemas.TenantResponse, from_attributes=True)
