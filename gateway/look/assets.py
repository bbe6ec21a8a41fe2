"""Style sheets, scripts and pictures of the pages: read once, held in memory, and asked for again only when changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, get

from gateway.refusals import refuse
from shared.contracts import Failure

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and a tag that changes with it."""

    content: bytes
    media_type: str
    tag: str


def read_assets(package: str) -> dict[str, Asset]:
    """Every file of `package`'s folder `static`, by name."""
    assets: dict[str, Asset] = {}
    for file in files(package).joinpath("static").iterdir():
        ending = file.name[file.name.rfind(".") :]
        content = file.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        assets[file.name] = Asset(content, TYPES[ending], tag)
    return assets


def asset_route(path: str, package: str) -> HTTPRouteHandler:
    """`path`/NAME for each of them; open to everybody, since a login page needs them."""
    assets = read_assets(package)

    @get(f"{path}/{{name:str}}", include_in_schema=False, sync_to_thread=False)
    def asset(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        found = assets.get(name)
        if found is None:
            raise refuse(Failure.NOT_FOUND)
        # Checked each time: scripts import one another by plain names, and old ones must not meet new pages.
        headers = {"Cache-Control": "no-cache", "ETag": found.tag, "X-Content-Type-Options": "nosniff"}
        known = request.headers.get("if-none-match") == found.tag
        return Response(
            b"" if known else found.content,
            status_code=304 if known else 200,
            media_type=found.media_type,
            headers=headers,
        )

    return asset
