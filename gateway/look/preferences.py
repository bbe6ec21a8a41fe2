"""The language and the theme of a page: chosen by a link (`?lang=ko`, `?theme=dark`), and kept in a cookie.

language   ?lang=  ─ cookie ─ Accept-Language ─ English
theme      ?theme= ─ cookie ─ auto: what the system of whoever reads prefers
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from litestar.datastructures import Cookie

from gateway.look.words import LANGUAGES

if TYPE_CHECKING:
    from litestar import Request

LANG, THEME = "lang", "theme"
THEMES = ("auto", "light", "dark")
COOKIES = {LANG: "fidox_lang", THEME: "fidox_theme"}
CHOICES: dict[str, tuple[str, ...]] = {LANG: tuple(LANGUAGES), THEME: THEMES}
YEAR_S = 365 * 24 * 3600
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,32})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")


@dataclass(frozen=True, slots=True)
class Preferences:
    """One of LANGUAGES, one of THEMES, and the cookies that keep what was chosen just now."""

    lang: str
    theme: str
    cookies: tuple[Cookie, ...] = ()


def preferences_of(request: Request[Any, Any, Any]) -> Preferences:
    """What this request asks for. What it names and there is not counts as not named."""
    chosen = {name: _known(name, request.query_params.get(name)) for name in CHOICES}
    kept = {name: _known(name, request.cookies.get(cookie)) for name, cookie in COOKIES.items()}
    cookies = tuple(
        # Not hidden from scripts: the theme is switched by one, without loading the page again.
        Cookie(
            key=COOKIES[name], value=value, max_age=YEAR_S, samesite="lax", secure=request.scope["scheme"] == "https"
        )
        for name, value in chosen.items()
        if value
    )
    lang = chosen[LANG] or kept[LANG] or accepted(request.headers.get("accept-language", ""))
    return Preferences(lang, chosen[THEME] or kept[THEME] or THEMES[0], cookies)


def accepted(header: str) -> str:
    """The best of LANGUAGES for an Accept-Language header (RFC 9110, 12.5.4); the first where none is named."""
    best, weight = next(iter(LANGUAGES)), 0.0
    for part in header.split(",")[:32]:
        match = _RANGE.fullmatch(part)
        if match and match[1].lower() in LANGUAGES and (quality := float(match[2] or 1)) > weight:
            best, weight = match[1].lower(), quality
    return best


def _known(name: str, value: str | None) -> str | None:
    return value if value in CHOICES[name] else None
