"""The first page: how it is now, and how the last day was."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, get

from gateway.calls import call_of, or_unavailable
from gateway.console.charts import calls_chart, latency_chart, rows_of
from gateway.console.live import now
from gateway.console.shown import shell
from gateway.look.render import HEADERS, page
from shared.db.traffic import Tally, together
from shared.db.transactions import OK
from shared.weights import licences


class OperationRow(NamedTuple):
    """One operation over the day."""

    name: str
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@get("/")
async def overview(request: Request[Any, Any, Any]) -> Response[Any]:
    """Live figures that a script refreshes, charts of the last 24 hours, and their numbers in tables."""
    services = call_of(request).services
    known = await or_unavailable(services.day.look())
    current = await now(services)
    hours = known.hours if known else ()
    whole, rows = together(hours), rows_of(hours)
    names = {name for hour in hours for name in hour.operations}
    operations = [_row(name, together(hours, name)) for name in names]
    outcomes = [(outcome, count) for outcome, count in whole.outcomes.most_common() if outcome != OK]
    return page(
        request,
        "overview.html",
        now=current,
        restricted=licences.non_commercial(
            (model for kind in current.kinds for part in kind.parts for model in (part.model, part.detector)),
            services.weights.manifest,
        ),
        day_at=known.at if known else None,
        day=_row("", whole),
        calls=calls_chart(rows),
        latency=latency_chart(rows),
        operations=sorted(operations, key=lambda row: (-row.calls, row.name)),
        outcomes=outcomes,
        **shell(request, "overview"),
    )


@get("/live")
async def live(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What the overview's script asks for every few seconds."""
    content = msgspec.json.encode(await now(call_of(request).services))
    return Response(content, media_type="application/json", headers=HEADERS)


def _row(name: str, tally: Tally) -> OperationRow:
    return OperationRow(name, tally.count, tally.errors, tally.quantile_ms(0.5), tally.quantile_ms(0.95))


ROUTES = (overview, live)
