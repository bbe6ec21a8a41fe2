"""The admin API's bodies.

In those that change something an unknown field is an error: an `isActive` that is ignored would leave a key on that its
operator believes to be off.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import Parameter
from msgspec import UNSET, Meta, UnsetType

from gateway.dialects.xylolabs.admin.common import PaginatedResponse
from gateway.text import NO_CONTROLS
from shared.contracts import Dialect
from shared.db.admins import LONGEST_PASSWORD, LONGEST_USERNAME, SHORTEST_PASSWORD

Name = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=NO_CONTROLS, description="1 to 128, no control characters")
]
Password = Annotated[str, Meta(max_length=LONGEST_PASSWORD)]
# PostgreSQL's integer would hold two thousand times as many; no gateway answers those.
CallsPerMinute = Annotated[int, Meta(ge=1, le=1_000_000, description="Its plan")]
Milliseconds = Annotated[float, Meta(ge=0)]


class LoginRequest(msgspec.Struct):
    """An admin's name and password."""

    username: Annotated[str, Meta(min_length=1, max_length=LONGEST_USERNAME, pattern=NO_CONTROLS)]
    password: Password


class AdminSessionResponse(msgspec.Struct):
    """Who the session, or HTTP Basic, stands for."""

    authenticated: bool
    username: str


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """The password as it is, and as it shall be."""

    current_password: Password
    new_password: Annotated[str, Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class ApiKeyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a key is for."""

    name: Name


class ApiKeyPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be other than it is."""

    name: Name | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class ApiKeyResponse(msgspec.Struct, kw_only=True):
    """A key's metadata; the counts are a second behind."""

    id: UUID
    name: str
    key_prefix: str
    key_suffix: str
    key_preview: Annotated[str, Meta(description="`xyl_abcd…wxyz`")]
    is_active: bool
    request_count: int
    last_used_at: datetime | None
    created_at: datetime


class ApiKeyCreatedResponse(ApiKeyResponse, kw_only=True):
    """A key's metadata, and the whole key, which is shown here and never again."""

    key: str


class TenantRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A new tenant; 600 calls a minute are ten a second."""

    name: Name
    calls_per_minute: CallsPerMinute = 600
    spoof_rejects: bool = False
    reveals_numbers: bool = False


class TenantPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be other than it is; it holds within 30 seconds."""

    calls_per_minute: CallsPerMinute | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    spoof_rejects: bool | UnsetType = UNSET
    reveals_numbers: bool | UnsetType = UNSET


class TenantResponse(msgspec.Struct):
    """A tenant.

    With `spoof_rejects` a picture in which `withLiveness` finds a spoof matches nobody. With `reveals_numbers` OCR
    gives the numbers of ID documents whole.
    """

    id: int
    name: str
    calls_per_minute: int
    is_active: bool
    spoof_rejects: bool
    reveals_numbers: bool
    created_at: datetime


class AccessKeyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What the key is for, as a reminder."""

    label: Annotated[str, Meta(max_length=128, pattern=NO_CONTROLS)] = ""


class AccessKeyResponse(msgspec.Struct, kw_only=True):
    """An access key without its secret."""

    access_key: str
    label: str
    is_active: bool
    created_at: datetime
    revoked_at: datetime | None


class AccessKeyCreatedResponse(AccessKeyResponse, kw_only=True):
    """An access key with its secret, which is shown here and never again."""

    secret_key: str


class UserResponse(msgspec.Struct):
    """An enrolled user; `engines` are those with a template of theirs."""

    user_code: str
    name: str | None
    created_at: datetime
    templates: int
    engines: list[str]


class TransactionResponse(msgspec.Struct):
    """One call. `outcome` is `ok` or what went wrong; `tenant_id` is null for the calls of API keys."""

    tx_id: str
    operation: str
    created_at: datetime
    tenant_id: int | None
    dialect: Dialect
    outcome: str
    engine: str | None
    model: str | None
    score: float | None
    matched: bool | None
    wait_ms: Milliseconds | None
    total_ms: Milliseconds | None


# Named, or the OpenAPI document would call them by their modules.
ApiKeyPage = Annotated[PaginatedResponse[ApiKeyResponse], Parameter(schema_component_key="ApiKeyPage")]
TenantPage = Annotated[PaginatedResponse[TenantResponse], Parameter(schema_component_key="TenantPage")]
AccessKeyPage = Annotated[PaginatedResponse[AccessKeyResponse], Parameter(schema_component_key="AccessKeyPage")]
UserPage = Annotated[PaginatedResponse[UserResponse], Parameter(schema_component_key="UserPage")]
TransactionPage = Annotated[PaginatedResponse[TransactionResponse], Parameter(schema_component_key="TransactionPage")]
