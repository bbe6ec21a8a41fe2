"""A tenant's access keys, by which its programs ask for tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, delete, get, post
from litestar.params import Parameter

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    UNKNOWN,
    AdminController,
    IsActive,
    PageNumber,
    PerPage,
    paginated,
)
from gateway.dialects.xylolabs.admin.tenants import TenantId, tenant_of
from gateway.refusals import refuse
from gateway.text import NO_CONTROLS
from shared.contracts import Failure
from shared.db.pages import Window
from shared.db.tenants import AccessKey

Sort = Literal["label", "-label", "created_at", "-created_at"]
KeyName = Annotated[str, Parameter(max_length=256, pattern=NO_CONTROLS, description="The access key, `fxa_…`")]


class AccessKeyController(AdminController):
    """Make, list, revoke."""

    path = f"{ROOT}/tenants/{{tenant_id:int}}/access-keys"
    tags = ["admin: tenants"]  # noqa: RUF012 — Litestar declares it on the instance

    @post(
        "",
        status_code=201,
        operation_id="createAccessKey",
        summary="Make an access key",
        response_description="The key with its secret, which is kept nowhere and never shown again",
        responses=ERRORS | UNKNOWN,
    )
    async def create(
        self, request: Request[AdminUser, Any, Any], tenant_id: TenantId, data: schemas.AccessKeyRequest
    ) -> schemas.AccessKeyCreatedResponse:
        """A new pair of keys. It works at once."""
        services = call_of(request).services
        tenant = await tenant_of(services, tenant_id)
        made, _, secret_key = await or_unavailable(services.tenants.create_key(tenant.id, data.label))
        note(request.user.username, "access_key.create", tenant=tenant_id, id=made.access_key)
        return schemas.AccessKeyCreatedResponse(**_fields(made), secret_key=secret_key)

    @get(
        "",
        operation_id="listAccessKeys",
        summary="List access keys",
        response_description="A page",
        responses=ERRORS | UNKNOWN,
    )
    async def list(
        self,
        request: Request[AdminUser, Any, Any],
        tenant_id: TenantId,
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: Sort = "-created_at",
        is_active: IsActive = None,
    ) -> schemas.AccessKeyPage:
        """A tenant's, the revoked ones too; never a secret."""
        services, window = call_of(request).services, Window(page, per_page, sort)
        tenant = await tenant_of(services, tenant_id)
        found = await or_unavailable(services.tenants.key_page(tenant.id, window, is_active=is_active))
        return paginated(found, window, lambda key: schemas.AccessKeyResponse(**_fields(key)))

    @delete(
        "/{access_key:str}",
        status_code=204,
        operation_id="revokeAccessKey",
        summary="Revoke an access key",
        response_description="Revoked",
        responses=ERRORS | UNKNOWN,
    )
    async def revoke(self, request: Request[AdminUser, Any, Any], tenant_id: TenantId, access_key: KeyName) -> None:
        """No more tokens by it, and those that it gave end within 30 seconds."""
        if not await or_unavailable(call_of(request).services.tenants.revoke_key(access_key, tenant_id)):
            raise refuse(Failure.NOT_FOUND, "no live access key of this name and tenant")
        note(request.user.username, "access_key.revoke", tenant=tenant_id, id=access_key)


def _fields(key: AccessKey) -> dict[str, Any]:
    return {
        "access_key": key.access_key,
        "label": key.label,
        "is_active": key.revoked_at is None,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
