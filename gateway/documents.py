"""What people read: each dialect's OpenAPI document and Swagger UI, and the page at `/`.

Everything is served from this machine: no page here asks anything of another host, and its policy forbids it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType] — PathLike
from swagger_ui_bundle import swagger_ui_path

from gateway.openapi import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import ControllerRouterHandler

    from gateway.dialects import DialectSpec

ASSETS = "/docs/assets"
PAGES = files("gateway").joinpath("pages")
# Swagger UI writes style attributes and draws its icons from data: URLs; scripts come from files only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def _page(text: str, media_type: str = "text/html") -> Response[str]:
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(text, media_type=media_type, headers=headers)


def document_routes(dialects: Sequence[DialectSpec]) -> list[ControllerRouterHandler]:
    """`/`, and each dialect's document and UI."""
    ui = PAGES.joinpath("swagger.html").read_text("utf-8")
    start = PAGES.joinpath("swagger.js").read_text("utf-8")
    links = "\n".join(
        f'<li><a href="{d.document.ui_path}">{d.document.title}</a> <a href="{d.document.path}">OpenAPI</a></li>'
        for d in dialects
    )
    index = PAGES.joinpath("index.html").read_text("utf-8").replace("{{documents}}", links)

    @get("/", include_in_schema=False, sync_to_thread=False)
    def home() -> Response[str]:
        return _page(index)

    @get(f"{ASSETS}/start.js", include_in_schema=False, sync_to_thread=False)
    def start_script() -> Response[str]:
        return _page(start, "text/javascript")

    @get(f"{ASSETS}/page.css", include_in_schema=False, sync_to_thread=False)
    def style() -> Response[str]:
        return _page(PAGES.joinpath("page.css").read_text("utf-8"), "text/css")

    routes: list[ControllerRouterHandler] = [home, start_script, style]
    for dialect in dialects:
        routes += _of(dialect, ui)
    assets = Path(str(swagger_ui_path))
    routes.append(create_static_files_router(f"{ASSETS}/ui", directories=[assets], include_in_schema=False))
    return routes


def _of(dialect: DialectSpec, ui: str) -> list[ControllerRouterHandler]:
    spec = dialect.document
    body = msgspec.json.encode(document(dialect))
    page = ui.replace("{{title}}", spec.title).replace("{{document}}", spec.path)

    @get(spec.path, include_in_schema=False, sync_to_thread=False)
    def openapi() -> Response[bytes]:
        return Response(body, media_type="application/json")

    @get(spec.ui_path, include_in_schema=False, sync_to_thread=False)
    def swagger() -> Response[str]:
        return _page(page)

    handlers: list[Any] = [openapi, swagger]
    return handlers
