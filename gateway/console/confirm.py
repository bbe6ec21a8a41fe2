"""Asking before something is done that cannot be undone: with script in a dialog, without it on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.console.shown import shell
from gateway.look.render import page

if TYPE_CHECKING:
    from litestar import Request, Response

    from gateway.console.forms import Form


def is_confirmed(form: Form) -> bool:
    """Has it been asked, and answered?"""
    return form.get("confirmed") == "1"


def ask(
    request: Request[Any, Any, Any], here: str, *, question: str, what: str, action: str, back: str, form: Form
) -> Response[str]:
    """The page that asks; `question` and `action` are words, `what` is the name of the thing."""
    return page(
        request,
        "confirm.html",
        question=question,
        what=what,
        action=action,
        back=back,
        fields={name: value for name, value in form.values.items() if name != "confirmed"},
        **shell(request, here),
    )
