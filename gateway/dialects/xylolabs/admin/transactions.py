"""What was asked for, by whom, and what came of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get
from litestar.params import Parameter

from gateway.auth.admins import AdminUser
from gateway.calls import call_of, or_unavailable
from gateway.dialects.xylolabs.admin import schemas
from gateway.dialects.xylolabs.admin.common import (
    ERRORS,
    ROOT,
    AdminController,
    From,
    PageNumber,
    PerPage,
    To,
    paginated,
    time_of,
)
from gateway.text import NO_CONTROLS
from shared.contracts import Dialect
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
            since=time_of("from", since),
            until=time_of("to", until),
        )
        found = await or_unavailable(call_of(request).services.transactions.search(window, wanted))
        return paginated(found, window, _response)


def _response(row: Transaction) -> schemas.TransactionResponse:
    return msgspec.convert(row, schemas.TransactionResponse, from_attributes=True)
