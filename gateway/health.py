"""For probes: `/health/live` says that this process answers, `/health/ready` that a call would be answered."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from redis.exceptions import RedisError

from gateway.services import Services
from shared.contracts import Kind
from shared.db.pool import StoreUnavailableError, connection


@get("/health/live", include_in_schema=False)
async def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@get("/health/ready", include_in_schema=False)
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """200 where Redis, PostgreSQL and a face worker are there, else 503; each part's state."""
    services: Services = request.app.state.services
    parts: dict[str, str] = {}
    try:
        workers = await services.queue.live_workers(Kind.FACE)
        parts["redis"], parts["face"] = "ok", "ok" if workers else "no live worker"
    except (RedisError, OSError):
        parts["redis"] = parts["face"] = "unavailable"
    try:
        async with connection(services.pool) as conn:
            await conn.execute("SELECT 1")
        parts["database"] = "ok"
    except StoreUnavailableError:
        parts["database"] = "unavailable"
    fine = all(state == "ok" for state in parts.values())
    return Response({"status": "ok" if fine else "unavailable", **parts}, status_code=200 if fine else 503)
