"""For probes: `/health/live` says that this process answers, `/health/ready` that a call would be answered."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get
from redis.exceptions import RedisError

from gateway.services import Services
from shared.contracts import Kind
from shared.db.pool import StoreUnavailableError, connection

OK, NO_WORKER, UNAVAILABLE = "ok", "no live worker", "unavailable"
# Kubernetes gives a probe four seconds (k8s/base/gateway), other probes less often more than five.
PATIENCE_S = 3.0


@get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@get("/health/ready", include_in_schema=False)
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """200 where Redis, PostgreSQL and a worker of any kind are there, else 503; each part's state.

    One kind is enough: an installation need not run all three, and while one of them is away the others' calls want
    gateways all the same. It answers within PATIENCE_S, whatever stands still.
    """
    services: Services = request.app.state.services
    workers, database = await asyncio.gather(_workers(services), _database(services))
    parts = {"redis": OK if workers else UNAVAILABLE}
    parts |= {kind: (OK if workers[kind] else NO_WORKER) if workers else UNAVAILABLE for kind in Kind}
    parts["database"] = database
    fine = any(workers.values()) and database == OK
    return Response({"status": OK if fine else UNAVAILABLE, **parts}, status_code=200 if fine else 503)


async def _workers(services: Services) -> dict[Kind, int]:
    """How many live workers each kind has; nothing where Redis does not answer."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return {kind: await services.queue.live_workers(kind) for kind in Kind}
    except (RedisError, OSError):
        return {}


async def _database(services: Services) -> str:
    try:
        # A connection is looked at when it is taken, and the wait for one has an end of its own.
        async with connection(services.pool):
            return OK
    except StoreUnavailableError:
        return UNAVAILABLE
