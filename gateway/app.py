"""The whole gateway on one page: what is mounted, what wraps it, and where an error goes.

trusted proxies ─> one path ─> its dialect ─> bodies end ─> Litestar ─┬─ a dialect's routes ─> queue ─> worker
                                                                      ├─ the console: /admin
                                                                      ├─ documents: /, /docs, /openapi.json
                                                                      └─ probes: /health/live, /health/ready
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from granian.utils import proxies
from litestar import Litestar, Request, Response
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send

from gateway.bodies import bound_bodies
from gateway.calls import call_of, refusal
from gateway.console.access import show_refusal
from gateway.console.mounted import CONSOLE
from gateway.dialects import DialectSpec
from gateway.dialects.fidox import FIDOX
from gateway.dialects.v1 import V1
from gateway.dialects.xylolabs import XYLOLABS
from gateway.dialects.xylolabs.operations import KEPT_HEADERS, MASK_HEADERS
from gateway.documents import document_routes
from gateway.health import live, ready
from gateway.look.render import compile_pages
from gateway.paths import read_paths
from gateway.refusals import STATUSES, failure_of
from gateway.requests import ApiRequest
from gateway.services import open_services
from gateway.surface import Surface
from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# Granian's helper is not typed.
_Wrap: TypeAlias = Callable[[ASGIApp, list[str]], ASGIApp]

# A fourth dialect is a folder beside these and a line here.
DIALECTS: tuple[DialectSpec, ...] = (FIDOX, V1, XYLOLABS)
SURFACES: tuple[Surface, ...] = (*DIALECTS, CONSOLE)


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The ASGI application. Without `settings` the environment's are read."""
    settings = settings or Settings.from_env()
    compile_pages()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        async with open_services(settings) as services:
            app.state.services = services
            yield

    routes = [route for surface in SURFACES for route in surface.routes]
    app: ASGIApp = Litestar(
        [*routes, *document_routes(DIALECTS), live, ready],
        lifespan=[lifespan],
        state=State(),
        exception_handlers={Exception: answer_error},
        cors_config=_cors(settings.http.cors_origins),
        request_class=ApiRequest,
        request_max_body_size=settings.http.max_body_bytes,
        openapi_config=None,
        # Set up by the process (shared/telemetry.py); Litestar would replace it.
        logging_config=None,
        debug=False,
    )
    app = bound_bodies(app, settings.http.body_timeout_s, settings.http.max_body_bytes)
    app = know_dialect(app)
    app = read_paths(app, [tail for dialect in DIALECTS for tail in dialect.raw_tails])
    if settings.http.trusted_proxies:
        app = cast("_Wrap", proxies.wrap_asgi_with_proxy_headers)(app, list(settings.http.trusted_proxies))
    return app


def know_dialect(app: ASGIApp) -> ASGIApp:
    """Wrap `app` so that a request's state says whose path it hit; nobody's is None."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            scope.setdefault("state", {})["dialect"] = next((s for s in SURFACES if s.owns(path)), None)
        await app(scope, receive, send)

    return wrapped


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Any error, in the form of the dialect whose path it hit; `{"detail": …}` outside every prefix."""
    surface: Surface | None = request.scope["state"].get("dialect")
    if surface is not None:
        call = call_of(request)
        refused = refusal(call, error)
        response = surface.render(refused, call) if isinstance(surface, DialectSpec) else show_refusal(request, refused)
        response.headers["X-Transaction-Id"] = call.tx_id
        return response
    outcome = failure_of(error)
    status = error.status_code if isinstance(error, HTTPException) else STATUSES.get(outcome.failure, 500)
    return Response({"detail": outcome.failure.replace("_", " ")}, status_code=status)


def _cors(origins: tuple[str, ...]) -> CORSConfig | None:
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        expose_headers=["Retry-After", "X-Transaction-Id", *MASK_HEADERS, *KEPT_HEADERS],
        max_age=600,
    )
