"""What people read: each dialect's OpenAPI document and Swagger UI, and the page at `/`.

Everything is served from this machine: no page here asks anything of another host, and its policy forbids it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from litestar import Request, Response, get
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType] — PathLike
from swagger_ui_bundle import swagger_ui_path

from gateway.look.assets import asset_route
from gateway.look.render import POLICY, page
from gateway.openapi import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ControllerRouterHandler

    from gateway.dialects import DialectSpec

ASSETS = "/docs/assets"
# Swagger UI writes style attributes and draws its icons from data: URLs; scripts come from files only.
UI_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


class DocumentLink(NamedTuple):
    """A document as the pages link it; `name` is its dialect's."""

    name: str
    title: str
    path: str
    ui_path: str


def document_routes(dialects: Sequence[DialectSpec]) -> list[ControllerRouterHandler]:
    """`/`, and each dialect's document and UI."""
    links = [DocumentLink(d.name, d.document.title, d.document.path, d.document.ui_path) for d in dialects]

    @get("/", include_in_schema=False, sync_to_thread=False)
    def home(request: Request[Any, Any, Any]) -> Response[str]:
        return page(request, "index.html", documents=links)

    routes: list[ControllerRouterHandler] = [home, asset_route(f"{ASSETS}/look", "gateway.look")]
    for dialect, link in zip(dialects, links, strict=True):
        routes += _of(dialect, link, links)
    assets = Path(str(swagger_ui_path))
    routes.append(create_static_files_router(f"{ASSETS}/ui", directories=[assets], include_in_schema=False))
    return routes


def _of(dialect: DialectSpec, link: DocumentLink, links: Sequence[DocumentLink]) -> list[ControllerRouterHandler]:
    body = msgspec.json.encode(document(dialect))

    @get(link.path, include_in_schema=False, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        return Response(body, media_type="application/json")

    @get(link.ui_path, include_in_schema=False, sync_to_thread=False)
    def swagger(request: Request[Any, Any, Any]) -> Response[str]:
        return page(request, "swagger.html", policy=UI_POLICY, document=link, documents=links)

    handlers: list[Any] = [openapi, swagger]
    return handlers
