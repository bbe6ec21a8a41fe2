"""The v1 API: `/v1`, faces by an engine of the caller's choice, ID-card OCR and liveness."""

from uuid import uuid4

from gateway.dialects import DialectSpec, DocumentSpec
from gateway.dialects.v1.errors import render
from gateway.dialects.v1.fr import FaceController
from gateway.dialects.v1.ocr import recognize
from gateway.dialects.v1.routes import detect_liveness, issue_token
from gateway.openapi import BEARER
from gateway.paths import RawTail
from shared.contracts import Dialect

V1 = DialectSpec(
    name=Dialect.V1,
    prefixes=("/v1",),
    routes=(issue_token, FaceController, detect_liveness, recognize),
    render=render,
    new_tx_id=lambda: str(uuid4()),
    raw_tails=(RawTail("DELETE", "/v1/fr/register/"),),
    document=DocumentSpec(
        path="/v1/openapi.json",
        ui_path="/v1/docs",
        title="FIDOX v1",
        version="1.0",
        description=(
            "Register, verify, compare and count faces with an engine of your choice, read Korean ID documents, and"
            " check that a face is a living person's. Get a token from /v1/auth/client/token, press Authorize and paste"
            " it (without 'Bearer'), then choose a call, Try it out, Execute."
        ),
        security_schemes={"bearer": BEARER},
    ),
)
