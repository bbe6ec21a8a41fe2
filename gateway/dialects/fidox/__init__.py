"""The FIDOX root API: `/auth` and `/face`."""

from gateway.dialects import DialectSpec, DocumentSpec
from gateway.dialects.fidox.errors import render
from gateway.dialects.fidox.routes import FaceController, issue_token, new_tx_id
from gateway.openapi import BEARER
from gateway.paths import RawTail
from shared.contracts import Dialect

FIDOX = DialectSpec(
    name=Dialect.FIDOX,
    prefixes=("/auth", "/face"),
    routes=(issue_token, FaceController),
    render=render,
    new_tx_id=new_tx_id,
    raw_tails=(RawTail("DELETE", "/face/"),),
    document=DocumentSpec(
        path="/openapi.json",
        ui_path="/docs",
        title="FIDOX REST API",
        version="1.0",
        description=(
            "Register, verify, identify, compare and count faces. Get a token from /auth/client/token, press Authorize"
            " and paste it (without 'Bearer'), then choose a call, Try it out, Execute."
        ),
        security_schemes={"bearer": BEARER},
    ),
)
