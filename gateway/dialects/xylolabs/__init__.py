"""The xylolabs face API: `/api/v1`, finding and masking faces, API keys, and the admin API behind the console."""

from uuid import uuid4

from litestar.openapi.spec import SecurityScheme

from gateway.auth.admins import SESSION_COOKIE
from gateway.dialects import DialectSpec, DocumentSpec
from gateway.dialects.xylolabs.admin import ADMIN_ROUTES
from gateway.dialects.xylolabs.errors import render
from gateway.dialects.xylolabs.files import stored_file
from gateway.dialects.xylolabs.health import health
from gateway.dialects.xylolabs.routes import detect, mask, preview_mask
from shared.contracts import Dialect

XYLOLABS = DialectSpec(
    name=Dialect.XYLOLABS,
    prefixes=("/api/v1",),
    routes=(health, detect, mask, preview_mask, stored_file, *ADMIN_ROUTES),
    render=render,
    new_tx_id=lambda: str(uuid4()),
    document=DocumentSpec(
        path="/api/v1/openapi.json",
        ui_path="/api/v1/docs",
        title="xylolabs Face API",
        version="1.0",
        description=(
            "Find faces in a picture, or get it back without them. Press Authorize and paste an API key, then choose a"
            " call, Try it out, Execute. Those under /api/v1/admin are for operators, who log in or send HTTP Basic."
        ),
        security_schemes={
            "apiKey": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
            "basic": SecurityScheme(type="http", scheme="basic", description="An admin's name and password"),
            "session": SecurityScheme(type="apiKey", name=SESSION_COOKIE, security_scheme_in="cookie"),
        },
    ),
)
