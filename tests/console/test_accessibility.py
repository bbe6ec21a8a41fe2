"""axe finds nothing to complain of on any page, in either theme, wide and narrow, and the keyboard gets everywhere."""

import pytest

WIDTHS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture(scope="module", params=WIDTHS)
def shaped(request, window):
    """One page on a desk, or on a phone."""
    # A test's own script is no page's: axe is put in beside the policy that would keep it out. Without motion, since
    # colours on their way from one theme to the other are neither's.
    with window(viewport=WIDTHS[request.param], bypass_csp=True, reduced_motion="reduce") as page:
        yield page


def complaints(page, rules: str = "{}") -> list[str]:
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], ...{rules}}})")
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


def test_axe_finds_nothing(shaped, filled, page_name):
    shaped.emulate_media(color_scheme="light")
    shaped.goto(filled.pages()[page_name])
    assert complaints(shaped) == []
    # The same page in the other colours: nothing else of it changes.
    shaped.emulate_media(color_scheme="dark")
    assert complaints(shaped, "{runOnly: ['color-contrast']}") == []


def test_axe_finds_nothing_on_the_login_with_an_error(window):
    with window(logged_in=False, bypass_csp=True) as page:
        page.goto("/admin/login")
        page.get_by_label("Username").fill("nobody")
        page.get_by_label("Password").fill("nothing")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").wait_for()
        assert complaints(page) == []


def test_the_first_tab_skips_to_the_content_and_focus_is_seen(page):
    page.goto("/admin")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_targets_are_large_enough_for_a_thumb(window, filled):
    small = """[...document.querySelectorAll('button, .button, .side a, .choice a, select, input:not([type=hidden])')]
        .filter(one => one.offsetParent && one.type !== 'checkbox' && one.getBoundingClientRect().height < 43.5)
        .map(one => one.outerHTML.slice(0, 120))"""
    with window(viewport={"width": 390, "height": 844}) as page:
        for name in ("overview", "api-keys", "tenant", "users", "transactions", "images", "image", "job"):
            page.goto(filled.pages()[name])
            assert page.evaluate(small) == [], name
