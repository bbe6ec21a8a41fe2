"""What the admin API's routes share: who may call them, how they end, their errors, and their listings' pages."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from litestar import Controller, Request
from litestar.datastructures import CacheControlHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from gateway.auth.admins import admin_guard
from gateway.bodies import SMALL_BYTES
from gateway.calls import call_of
from gateway.dialects.xylolabs.errors import ErrorBody
from gateway.refusals import refuse
from gateway.text import NO_CONTROLS
from shared.contracts import Failure
from shared.db.transactions import OK

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.db.pages import Page, Window

T = TypeVar("T")
R = TypeVar("R")

ROOT = "/api/v1/admin"
NO_STORE = CacheControlHeader(no_store=True)

ERRORS = {
    400: ResponseSpec(ErrorBody, description="The request is not usable; detail says why"),
    401: ResponseSpec(ErrorBody, description="No session, or an ended one, and no right HTTP Basic credentials"),
    403: ResponseSpec(ErrorBody, description="Another site's page asks for it"),
    413: ResponseSpec(ErrorBody, description="The body is too large"),
    415: ResponseSpec(ErrorBody, description="The body is compressed, or not in UTF-8"),
    429: ResponseSpec(ErrorBody, description="Too many logins, or wrong credentials; Retry-After says for how long"),
    500: ResponseSpec(ErrorBody, description="A fault of the service"),
    501: ResponseSpec(ErrorBody, description="Switched off here: the database, or storage; detail says what to set"),
    503: ResponseSpec(ErrorBody, description="Not available now; Retry-After says when to try again"),
}
UNKNOWN = {404: ResponseSpec(ErrorBody, description="There is none of this id")}
TAKEN = {409: ResponseSpec(ErrorBody, description="There is one of this name already")}


def finish(request: Request[Any, Any, Any]) -> None:
    """End a call that was answered. One that was made a transaction has been ended by its job."""
    call = call_of(request)
    if not call.is_recorded:
        call.finish(OK, recorded=False)


class AdminController(Controller):
    """Routes for admins alone."""

    guards = [admin_guard]  # noqa: RUF012 — Litestar declares it on the instance
    security = [{"basic": []}, {"session": []}]  # noqa: RUF012
    cache_control = NO_STORE
    request_max_body_size = SMALL_BYTES
    after_response = finish


# Rows are skipped one by one, so a page is never far; and so large a number still fits PostgreSQL's.
PageNumber = Annotated[int, Parameter(ge=1, le=1_000_000_000, description="The first is 1")]
PerPage = Annotated[int, Parameter(ge=1, le=100, description="Items a page")]
Contains = Annotated[
    str | None,
    Parameter(
        min_length=1, max_length=128, pattern=NO_CONTROLS, description="Only names with this in them, in any case"
    ),
]
IsActive = Annotated[bool | None, Parameter(description="Only those that are active, or that are not")]


TIME: dict[str, Any] = {"format": "date-time"}
From = Annotated[
    str | None,
    QueryParameter(
        name="from", max_length=64, schema_extra=TIME, description="From then on, ISO 8601; UTC where it names no zone"
    ),
]
To = Annotated[
    str | None,
    QueryParameter(
        name="to", max_length=64, schema_extra=TIME, description="Before then, ISO 8601; UTC where it names no zone"
    ),
]


class PaginatedResponse(msgspec.Struct, Generic[T]):
    """One page of a listing; a page after the last has no items."""

    items: list[T]
    total: Annotated[int, Meta(ge=0, description="Items on all pages")]
    page: Annotated[int, Meta(ge=1)]
    per_page: Annotated[int, Meta(ge=1, le=100)]
    pages: Annotated[int, Meta(ge=1, description="At least 1, of nothing, too")]


def paginated(found: Page[R], window: Window, translate: Callable[[R], T]) -> PaginatedResponse[T]:
    """A page of rows as the document has it."""
    return PaginatedResponse(
        items=[translate(row) for row in found.items],
        total=found.total,
        page=window.page,
        per_page=window.per_page,
        pages=max(1, math.ceil(found.total / window.per_page)),
    )


def given(value: T | UnsetType) -> T | None:
    """What a PATCH says of a field; None where it says nothing."""
    return None if value is UNSET else value


def time_of(parameter: str, text: str | None) -> datetime | None:
    """A time with a zone. Raises RefusedError, which Litestar would do with our word for the parameter."""
    if text is None:
        return None
    try:
        # A "+" that was not percent-encoded came as a space, and the only one after a T can have been that.
        date, t, rest = text.partition("T")
        time = datetime.fromisoformat(f"{date}{t}{rest.replace(' ', '+')}")
    except ValueError:
        raise refuse(
            Failure.BAD_REQUEST, f"{parameter}: not a time in ISO 8601, such as 2026-01-31T09:00:00Z"
        ) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
