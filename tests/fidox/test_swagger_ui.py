"""The documented steps in a browser: Authorize with the bare token, Try it out, Execute; and no other host asked."""

import base64

import pytest

from tests.conftest import need_program

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def page():
    chromium = need_program("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def test_authorize_try_it_out_execute(stack, demo, people, page):
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{stack.base_url}/docs")

    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.locator("input").fill(demo.token)
    dialog.get_by_role("button", name="Apply credentials").or_(dialog.locator("button.authorize")).first.click()
    dialog.get_by_role("button", name="Close").click()

    count = page.locator("#operations-face-countFaces")
    count.locator(".opblock-summary").click()
    count.get_by_role("button", name="Try it out").click()
    image = base64.b64encode((people / "obama" / "obama.jpg").read_bytes()).decode()
    count.locator("textarea.body-param__text").fill(f'{{"image": "{image}"}}')
    count.get_by_role("button", name="Execute").click()

    answer = count.locator(".live-responses-table")
    answer.wait_for()
    assert answer.locator("tbody .response-col_status").first.inner_text().startswith("200")
    assert '"faceCnt": 1' in answer.inner_text()
    assert complaints == []
    assert all(url.startswith((stack.base_url, "data:", "blob:")) for url in asked), asked


def test_the_page_at_the_root_links_the_documents(stack, page):
    page.goto(stack.base_url)
    page.get_by_role("link", name="FIDOX REST API").click()
    page.wait_for_url(f"{stack.base_url}/docs")
