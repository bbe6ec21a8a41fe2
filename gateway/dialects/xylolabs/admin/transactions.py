"""What was asked for, by whom, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get
from litestar.params import Parameter, QueryParameter

from gateway.auth.admins import AdminUser
from gateway.calls import call_of, or_unavailable
from gateway.dialects.fields import NO_CONTROLS
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    AdminController,
    PageNumber,
    PerPage,
    paginated,
)
from gateway.refusals import refuse
from shared.contracts import Dialect, Failure
from shared.db.pages import Window
from shared.db.transactions import Transaction, Wanted

Sort = Literal["created_at", "-created_at", "total_ms", "-total_ms"]
TxId = Annotated[
    str | None,
    Parameter(min_length=1, max_length=64, pattern=NO_CONTROLS, description="txId, trxId or request_id of an answer"),
]
TenantFilter = Annotated[int | None, Parameter(ge=1, le=2**63 - 1)]
OperationName = Annotated[
    str | None, Parameter(max_length=64, pattern="^[a-z_]+$", description="`register`, `verify`, `detect` and so on")
]
Outcome = Annotated[
    str | None, Parameter(max_length=64, pattern="^[a-z_]+$", description="`ok`, or what went wrong, such as `no_face`")
]
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


class TransactionController(AdminController):
    """Search."""

    path = f"{ROOT}/transactions"
    tags = ["admin: transactions"]  # noqa: RUF012 — Litestar declares it on the instance

    @get(
        "",
        operation_id="listTransactions",
        summary="Search the transactions",
        response_description="A page",
        responses=ERRORS,
    )
    async def list(
        self,
        request: Request[AdminUser, Any, Any],
        page: PageNumber = 1,
        per_page: PerPage = 20,
        sort: Sort = "-created_at",
        tx_id: TxId = None,
        tenant_id: TenantFilter = None,
        dialect: Dialect | None = None,
        operation: OperationName = None,
        outcome: Outcome = None,
        since: From = None,
        until: To = None,
    ) -> schemas.TransactionPage:
        """Every call of the public endpoints, the latest first. What admins do is logged, and is not among them."""
        window = Window(page, per_page, sort)
        wanted = Wanted(
            tx_id=tx_id,
            tenant_id=tenant_id,
            dialect=dialect,
            operation=operation,
            outcome=outcome,
            since=_time("from", since),
            until=_time("to", until),
        )
        found = await or_unavailable(call_of(request).services.transactions.search(window, wanted))
        return paginated(found, window, _response)


def _time(parameter: str, text: str | None) -> datetime | None:
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


def _response(row: Transaction) -> schemas.TransactionResponse:
    return msgspec.convert(row, schemas.TransactionResponse, from_attributes=True)
