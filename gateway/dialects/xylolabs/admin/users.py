"""A tenant's users: who is enrolled, and the deletion of one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, delete, get
from litestar.params import Parameter

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    UNKNOWN,
    AdminController,
    PageNumber,
    PerPage,
    paginated,
)
from gateway.dialects.xylolabs.admin.tenants import TenantId, tenant_of
from gateway.text import NO_CONTROLS
from shared import contracts
from shared.db.pages import Window
from shared.db.users import User

Sort = Literal["user_code", "-user_code", "created_at", "-created_at"]
StartsWith = Annotated[
    str | None,
    Parameter(min_length=1, max_length=128, pattern=NO_CONTROLS, description="Only codes that start with this"),
]
# In the query and not in the path: a code may be "a/b" or "..", and a proxy would make something else of it.
UserCode = Annotated[
    str,
    Parameter(min_length=1, max_length=128, pattern=NO_CONTROLS, description="The user's code, percent-encoded"),
]


class UserController(AdminController):
    """List, delete. Only the tenant enrols."""

    path = f"{ROOT}/tenants/{{tenant_id:int}}/users"
    tags = ["admin: tenants"]  # noqa: RUF012 — Litestar declares it on the instance

    @get(
        "",
        operation_id="listUsers",
        summary="List a tenant's users",
        response_description="A page; `total` is how many there are",
        responses=ERRORS | UNKNOWN,
    )
    async def list(
        self,
        request: Request[AdminUser, Any, Any],
        tenant_id: TenantId,
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: Sort = "user_code",
        q: StartsWith = None,
    ) -> schemas.UserPage:
        """With the number of their templates, and the engines that have one."""
        services, window = call_of(request).services, Window(page, per_page, sort)
        tenant = await tenant_of(services, tenant_id)
        return paginated(await or_unavailable(services.users.page(tenant.id, window, prefix=q)), window, _response)

    @delete(
        "",
        status_code=204,
        operation_id="deleteUser",
        summary="Delete a user",
        response_description="Gone",
        responses=ERRORS | UNKNOWN,
    )
    async def forget(self, request: Request[AdminUser, Any, Any], tenant_id: TenantId, user_code: UserCode) -> None:
        """The user and every template of theirs. It is a transaction of the tenant's, as its own deletions are."""
        call = call_of(request)
        tenant = await tenant_of(call.services, tenant_id)
        call.operation, call.tenant_id, call.is_recorded = "delete", tenant.id, True
        await call.ask(contracts.DeleteUser(user_code=user_code), (), contracts.UserDeleted)
        note(request.user.username, "user.delete", tenant=tenant_id, tx=call.tx_id)


def _response(user: User) -> schemas.UserResponse:
    return msgspec.convert(user, schemas.UserResponse, from_attributes=True)
