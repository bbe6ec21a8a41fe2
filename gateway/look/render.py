"""Pages from templates, with the rules that a browser holds them to.

Everything in a template is text until it says otherwise (autoescape), a name that is not given is an error, and no page
may run or load anything that is not a file of this host: there is no inline script or style anywhere.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from litestar import Response

from gateway.look import formats
from gateway.look.preferences import THEMES, preferences_of
from gateway.look.words import LANGUAGES, knows, say

if TYPE_CHECKING:
    from litestar import Request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("gateway.look", "templates"),
                PackageLoader("gateway.console", "templates"),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "number": formats.number,
        "ms": formats.milliseconds,
        "size": formats.size,
        "time": formats.time,
        "hour": formats.hour,
    }
    # Jinja2 types it by what it puts in itself.
    own = cast("dict[str, Any]", environment.globals)
    own |= {"percent": formats.percent, "languages": tuple(LANGUAGES), "themes": THEMES, "knows": knows}
    return environment


_ENVIRONMENT = _environment()


def compile_pages() -> None:
    """Compile every template when the process starts: one takes 10 ms, and a page is made of several."""
    for name in _ENVIRONMENT.list_templates(extensions=["html"]):
        _ENVIRONMENT.get_template(name)


def page(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, policy: str = POLICY, **values: object
) -> Response[str]:
    """A template as a response, in the language and the theme of the request."""
    preferences = preferences_of(request)
    text = _ENVIRONMENT.get_template(template).render(
        t=partial(say, preferences.lang),
        lang=preferences.lang,
        theme=preferences.theme,
        path=request.url.path,
        link=partial(link, request),
        **values,
    )
    return Response(
        text,
        status_code=status,
        media_type="text/html",
        headers=HEADERS | {"Content-Security-Policy": policy},
        cookies=list(preferences.cookies),
    )


def link(request: Request[Any, Any, Any], **changes: object) -> str:
    """This page's own address with some parameters changed; None takes one away."""
    kept = {name: value for name, value in request.query_params.items() if name not in changes}
    query = kept | {name: value for name, value in changes.items() if value is not None}
    return f"?{urlencode(query)}"
