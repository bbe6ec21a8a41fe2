"""A list whose page, order and filters are in its address, so that it can be bookmarked and sent to a colleague.

A form leaves `?q=` behind for a field that was not filled in, which asks for nothing; a value that no such field can
have is an error page, as it is an error of the admin API.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from gateway.refusals import refuse
from gateway.text import NO_CONTROLS
from shared.contracts import Failure
from shared.db.pages import Window

if TYPE_CHECKING:
    from collections.abc import Collection

    from litestar import Request

    from shared.db.pages import Page

PER_PAGE = 25
# Whole rows of a gallery that is two, three, four or six pictures wide.
PICTURES_A_PAGE = 24

PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "all": None,
}

# The bounds of the admin API's parameters.
PageNumber = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=128, pattern=NO_CONTROLS)]
Word = Annotated[str, Meta(max_length=64, pattern="^[a-z_]+$")]


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a page stands among the others."""

    page: int
    pages: int
    total: int
    sort: str


def asked(request: Request[Any, Any, Any], name: str, kind: Any) -> Any:
    """A parameter of the address as `kind`; None where it is not there or empty. Raises RefusedError."""
    text = (request.query_params.get(name) or "").strip()
    if not text:
        return None
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        raise refuse(Failure.BAD_REQUEST, f"{name}: not a value that it can have") from None


def window_of(
    request: Request[Any, Any, Any], sorts: Collection[str], default: str, *, per_page: int = PER_PAGE
) -> Window:
    """The page that is asked for. A column that there is not is as good as none."""
    sort = request.query_params.get("sort", default)
    return Window(asked(request, "page", PageNumber) or 1, per_page, sort if sort.lstrip("-") in sorts else default)


def period_of(request: Request[Any, Any, Any], default: str) -> tuple[str, datetime | None]:
    """The name of the period that is asked for, and when it began; None for all time."""
    name = request.query_params.get("period", default)
    name = name if name in PERIODS else default
    length = PERIODS[name]
    return name, datetime.now(UTC) - length if length else None


def pager_of(window: Window, found: Page[Any]) -> Pager:
    """For the links below a list."""
    return Pager(window.page, max(1, math.ceil(found.total / window.per_page)), found.total, window.sort)
