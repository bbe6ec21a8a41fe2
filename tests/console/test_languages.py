"""Korean and English: the same words in both, none shown by its key, and a choice that is kept."""

import re
import string
from pathlib import Path

import httpx
import pytest

from gateway.console.drawn import STEPS, WAIT
from gateway.console.pages.images import SORTS
from gateway.console.shown import ENTRIES
from gateway.look.preferences import accepted
from gateway.look.words import LANGUAGES
from shared.contracts import CardField, Check, Failure, IdType, ImageFormat, JobType, Kind, MaskMethod, PartState
from shared.weights import Place

ROOT = Path(__file__).parents[2] / "gateway"
EN, KO = LANGUAGES["en"], LANGUAGES["ko"]


def test_both_languages_have_the_same_words_with_the_same_places():
    assert list(EN) == list(KO)

    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert {key for key in EN if places(EN[key]) != places(KO[key])} == set()


def test_every_word_that_a_template_asks_for_is_there_and_every_word_is_asked_for():
    sources = [*ROOT.glob("*/templates/*.html"), *ROOT.glob("console/**/*.py")]
    text = "\n".join(source.read_text("utf-8") for source in sources)
    asked = set(re.findall(r"\bt\('([a-z_]+\.[a-z_0-9A-Z]+)'[,)]", text))
    assert asked - set(EN) == set()
    put_together = set(re.findall(r"\bt\('([a-z_]+)\.(?:about_|lang_|theme_)?' ~", text))
    open_groups = put_together | set(re.findall(r", '([a-z]+)\.'[,)]", text)) | {"done", "rule"}
    unused = {key for key in EN if key not in text and key.partition(".")[0] not in open_groups}
    assert unused == set()


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("outcome", ["ok", *Failure]),
        ("nav", [entry.name for entry in ENTRIES]),
        ("kind", Kind),
        ("part", PartState),
        ("place", Place),
        ("method", MaskMethod),
        ("format", ImageFormat),
        ("job_type", JobType),
        ("order", SORTS),
        ("timing", [WAIT, *STEPS]),
        ("check", Check),
        ("id", IdType),
        ("card", CardField),
    ],
)
def test_whatever_the_product_names_has_a_word(group, names):
    assert [name for name in names if f"{group}.{name}" not in EN] == []


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_no_page_shows_a_key(client, filled, page_name, lang):
    text = client.get(filled.pages()[page_name], headers={"Accept-Language": lang}).text
    assert f'<html lang="{lang}"' in text
    shown = re.sub(r"<[^>]*>", " ", text)
    assert [key for key in EN if re.search(rf"(?<![\w./]){re.escape(key)}(?![\w.])", shown)] == []


def test_a_language_is_chosen_by_the_browser_then_by_a_link_and_kept(stack):
    with httpx.Client(
        base_url=stack.base_url, headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}, timeout=60
    ) as browser:
        assert "로그인" in browser.get("/admin/login").text
        assert "Log in" in browser.get("/admin/login?lang=en").text
        assert "Log in" in browser.get("/admin/login").text
        assert 'data-theme="dark"' in browser.get("/admin/login?theme=dark").text
        assert 'data-theme="dark"' in browser.get("/").text
        assert 'data-theme="dark"' in browser.get("/admin/login?theme=<script>").text


@pytest.mark.parametrize(
    ("header", "lang"),
    [("", "en"), ("ko", "ko"), ("fr, ko;q=0.2", "ko"), ("en;q=0.3,ko;q=0.8", "ko"), ("ko;q=0", "en"), ("*;;;", "en")],
)
def test_accept_language(header, lang):
    assert accepted(header) == lang
