"""Engines, checks and readers as the workers have them, and every weight with its licence."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar import Request, Response, get

from gateway.calls import call_of
from gateway.console.live import now
from gateway.console.shown import shell
from gateway.look.render import page
from shared.weights import licences
from shared.weights.cautions import caution
from shared.weights.find import Place
from shared.weights.manifest import Weight


class WeightRow(NamedTuple):
    """A weight, where it lies on this machine, and whether a worker says that it has loaded it."""

    weight: Weight
    place: Place | None
    is_loaded: bool


@get("/engines")
async def engines(request: Request[Any, Any, Any]) -> Response[Any]:
    """What runs, and what it may be used for."""
    services = call_of(request).services
    current = await now(services)
    models = [model for kind in current.kinds for part in kind.parts for model in (part.model, part.detector)]
    loaded = set(licences.names_in(models))
    rows = [WeightRow(weight, place, weight.name in loaded) for weight, place in await services.weights.places()]
    rows.sort(key=lambda row: not row.is_loaded)
    restricted = licences.non_commercial(models, services.weights.manifest)
    return page(
        request,
        "engines.html",
        kinds=current.kinds,
        rows=rows,
        restricted=restricted,
        unproven=caution(models) is not None,
        **shell(request, "engines"),
    )


ROUTES = (engines,)
