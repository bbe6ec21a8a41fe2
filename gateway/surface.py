"""What the gateway mounts under paths of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from litestar.types import ControllerRouterHandler

    from shared import contracts


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What is mounted under paths of its own: a dialect, or the console, whose calls count as the dialect's `name`.

    `prefixes` are the paths whose errors outside a route (404, 405, a body too large) take this surface's form.
    Without `records` its calls are logged, and are no transactions but where a route says so.
    """

    name: contracts.Dialect
    prefixes: tuple[str, ...]
    routes: Sequence[ControllerRouterHandler]
    new_tx_id: Callable[[], str]
    records: bool = True

    def owns(self, path: str) -> bool:
        """Is this one of its paths?"""
        return any(path == prefix or path.startswith(prefix + "/") for prefix in self.prefixes)
