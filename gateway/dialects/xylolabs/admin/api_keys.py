"""API keys of detect and mask."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Request, delete, get, patch, post
from litestar.params import Parameter

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    UNKNOWN,
    AdminController,
    Contains,
    IsActive,
    PageNumber,
    PerPage,
    given,
    paginated,
)
from gateway.refusals import RefusedError, refuse
from shared.contracts import Failure
from shared.db.api_keys import ApiKey
from shared.db.pages import Window

Sort = Literal[
    "name",
    "-name",
    "request_count",
    "-request_count",
    "last_used_at",
    "-last_used_at",
    "created_at",
    "-created_at",
]
KeyId = Annotated[UUID, Parameter(description="The key's id")]


class ApiKeyController(AdminController):
    """Make, list, rename, turn off, delete."""

    path = f"{ROOT}/api-keys"
    tags = ["admin: API keys"]  # noqa: RUF012 — Litestar declares it on the instance

    @post(
        "",
        status_code=201,
        operation_id="createApiKey",
        summary="Make an API key",
        response_description="The key, whole: it is kept nowhere and never shown again",
        responses=ERRORS,
    )
    async def create(
        self, request: Request[AdminUser, Any, Any], data: schemas.ApiKeyRequest
    ) -> schemas.ApiKeyCreatedResponse:
        """A new key. It works at once."""
        made, key = await or_unavailable(call_of(request).services.api_keys.create(data.name))
        note(request.user.username, "api_key.create", id=str(made.id))
        return schemas.ApiKeyCreatedResponse(**_fields(made), key=key)

    @get("", operation_id="listApiKeys", summary="List API keys", response_description="A page", responses=ERRORS)
    async def list(
        self,
        request: Request[AdminUser, Any, Any],
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: Sort = "-created_at",
        is_active: IsActive = None,
        q: Contains = None,
    ) -> schemas.ApiKeyPage:
        """Their metadata; never a key."""
        window = Window(page, per_page, sort)
        api_keys = call_of(request).services.api_keys
        return paginated(await or_unavailable(api_keys.page(window, is_active=is_active, name=q)), window, _response)

    @get(
        "/{key_id:uuid}",
        operation_id="getApiKey",
        summary="Look at an API key",
        response_description="Its metadata",
        responses=ERRORS | UNKNOWN,
    )
    async def get(self, request: Request[AdminUser, Any, Any], key_id: KeyId) -> schemas.ApiKeyResponse:
        """Its metadata, never the key."""
        found = await or_unavailable(call_of(request).services.api_keys.get(key_id))
        if found is None:
            raise _unknown()
        return _response(found)

    @patch(
        "/{key_id:uuid}",
        operation_id="updateApiKey",
        summary="Rename an API key, or turn it off or on",
        response_description="The key as it is now",
        responses=ERRORS | UNKNOWN,
    )
    async def update(
        self, request: Request[AdminUser, Any, Any], key_id: KeyId, data: schemas.ApiKeyPatch
    ) -> schemas.ApiKeyResponse:
        """Change what is named. A key that is turned off stops within some seconds."""
        name, is_active = given(data.name), given(data.is_active)
        changed = await or_unavailable(
            call_of(request).services.api_keys.update(key_id, name=name, is_active=is_active)
        )
        if changed is None:
            raise _unknown()
        note(request.user.username, "api_key.update", id=str(key_id), renamed=name is not None, active=is_active)
        return _response(changed)

    @delete(
        "/{key_id:uuid}",
        status_code=204,
        operation_id="deleteApiKey",
        summary="Delete an API key",
        response_description="Gone",
        responses=ERRORS | UNKNOWN,
    )
    async def delete(self, request: Request[AdminUser, Any, Any], key_id: KeyId) -> None:
        """Calls with it are refused within some seconds."""
        if not await or_unavailable(call_of(request).services.api_keys.delete(key_id)):
            raise _unknown()
        note(request.user.username, "api_key.delete", id=str(key_id))


def _fields(key: ApiKey) -> dict[str, Any]:
    names = ("id", "name", "key_prefix", "key_suffix", "is_active", "request_count", "last_used_at", "created_at")
    return {name: getattr(key, name) for name in names} | {"key_preview": f"{key.key_prefix}…{key.key_suffix}"}


def _response(key: ApiKey) -> schemas.ApiKeyResponse:
    return schemas.ApiKeyResponse(**_fields(key))


def _unknown() -> RefusedError:
    return refuse(Failure.NOT_FOUND, "no API key of this id")
