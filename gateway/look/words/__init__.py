"""Every text of the pages, by a key such as `keys.create`; one module a language, and both have the same keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.look.words import en, ko

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "ko": ko.WORDS}


def say(lang: str, key: str, **values: object) -> str:
    """The text of a key, with `{name}` filled in. Raises KeyError: a page never shows a key."""
    text = LANGUAGES[lang][key]
    return text.format(**values) if values else text


def knows(key: str) -> bool:
    """Is there such a key? For words of a worker or a database that this version may not know."""
    return all(key in words for words in LANGUAGES.values())
