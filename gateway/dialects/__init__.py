"""The API dialects, side by side; each is one folder that translates between its document and `shared.contracts`.

routes.py (parse, authorise, ask), schemas.py (bodies as documented), errors.py (a table from Failure to its codes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.surface import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litestar import Response
    from litestar.openapi.spec import SecurityScheme

    from gateway.calls import Call
    from gateway.paths import RawTail
    from shared import contracts


@dataclass(frozen=True, kw_only=True)
class DialectSpec(Surface):
    """All that `app.py` needs to know of a dialect.

    `render` gives an error of a call its status and body; `document` is its OpenAPI document's place and texts.
    """

    render: Callable[[contracts.Failed, Call], Response[Any]]
    document: DocumentSpec
    raw_tails: tuple[RawTail, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class DocumentSpec:
    """Where a dialect's OpenAPI document and its Swagger UI lie, and what it says of itself.

    `security_schemes`, by the names that routes use, are how its callers say who they are.
    """

    path: str
    ui_path: str
    title: str
    version: str
    description: str
    security_schemes: Mapping[str, SecurityScheme]
