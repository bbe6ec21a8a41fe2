"""What was asked for, by whom, and what came of it: by its id first, else by time, tenant, operation and outcome."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from gateway.auth.admins import AdminUser
from gateway.calls import call_of, or_unavailable
from gateway.console.choices import tenant_choices
from gateway.console.listing import PERIODS, Id, Text, Word, asked, pager_of, period_of, window_of
from gateway.console.shown import shell
from gateway.look.render import page
from shared.contracts import Dialect, Failure
from shared.db.transactions import OK, Wanted

HERE = "transactions"
SORTS = frozenset({"created_at", "total_ms"})
# All time is a question that counts every row.
DEFAULT = "day"
OPERATIONS = (
    "register",
    "verify",
    "identify",
    "compare",
    "count",
    "delete",
    "detect",
    "mask",
    "liveness",
    "ocr",
    "token",
    "engines",
    "unknown",
)
OUTCOMES = (OK, *(str(failure) for failure in Failure))


@get("/transactions")
async def list_transactions(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A page of calls. An id is looked for in all time, whatever else the form says."""
    services, window = call_of(request).services, window_of(request, SORTS, "-created_at")
    tx_id = asked(request, "tx", Text)
    period, since = period_of(request, DEFAULT)
    tenants, tenant = await tenant_choices(services, asked(request, "tenant", Id))
    filters = {
        "dialect": asked(request, "dialect", Dialect),
        "operation": asked(request, "operation", Word),
        "outcome": asked(request, "outcome", Word),
    }
    wanted = Wanted(tenant_id=tenant.id if tenant else None, since=since, **filters)
    found = await or_unavailable(services.transactions.search(window, Wanted(tx_id=tx_id) if tx_id else wanted))
    ids = {row.tenant_id for row in found.items if row.tenant_id is not None}
    return page(
        request,
        "transactions.html",
        rows=found.items,
        pager=pager_of(window, found),
        names=await or_unavailable(services.tenants.names(ids)),
        tx_id=tx_id,
        period=period,
        periods=tuple(PERIODS),
        tenants=tenants,
        tenant=tenant,
        filters=filters,
        dialects=tuple(Dialect),
        operations=OPERATIONS,
        outcomes=OUTCOMES,
        **shell(request, HERE),
    )


ROUTES = (list_transactions,)
