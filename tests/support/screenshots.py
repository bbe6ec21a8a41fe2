"""Pictures of every page of the console, for docs/console/: `make screenshots`.

Both languages, wide and light, narrow and dark; small files (scaled, few colours), so that a repository can hold them.
Whoever is seen in them is drawn: nobody's photo belongs into the repository, and none is sent to this console.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from deploy.local.stack import LocalStack
from tests.support.console import CHROMIUM_OPTIONS, Filled, fill
from tests.support.drawings import drawing
from tests.support.gateways import gateway_beside

FOLDER = Path(__file__).parents[2] / "docs" / "console"
SHAPES = {
    "light-wide": ({"width": 1280, "height": 800}, 900, 1600),
    "dark-narrow": ({"width": 390, "height": 844}, 390, 1700),
}
LANGUAGES = {"en": "en-GB", "ko": "ko-KR"}
COLOURS = 128
SHOW_ALL = """Promise.all([...document.images].map(image => {
    image.loading = 'eager';
    return image.decode().catch(() => {});
}))"""


def save(page: Page, name: str, width: int, tallest: int) -> None:
    """The page from its top, at most `tallest` pixels of it, with every picture that is below the fold."""
    page.evaluate(SHOW_ALL)
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as shot:
        cut = shot.convert("RGB").crop((0, 0, shot.width, min(shot.height, tallest)))
        small = cut.resize((width, round(cut.height * width / cut.width)), Image.Resampling.LANCZOS)
        few = small.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(FOLDER / f"{name}.png", optimize=True)


def log_in(page: Page, stack: LocalStack) -> None:
    page.locator("[name=username]").fill(stack.demo["ADMIN_USERNAME"])
    page.locator("[name=password]").fill(stack.demo["ADMIN_PASSWORD"])
    page.locator("main button").click()
    page.wait_for_url("**/admin")


def tried(page: Page) -> None:
    """The test page with a picture masked."""
    page.goto("/admin/test")
    file = {"name": "drawn.jpg", "mimeType": "image/jpeg", "buffer": drawing(4, faces=2)}
    page.set_input_files("input[name=image]", file)
    page.locator(".try button").click()
    page.locator("[data-timing]").wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)


def draw(base_url: str, stack: LocalStack, filled: Filled) -> None:
    """Every page in every shape and language."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_OPTIONS)
        for lang, locale in LANGUAGES.items():
            for shape, (viewport, width, tallest) in SHAPES.items():
                context = browser.new_context(
                    base_url=base_url,
                    viewport=viewport,
                    locale=locale,
                    timezone_id="Asia/Seoul",
                    color_scheme=shape.partition("-")[0],
                )
                page = context.new_page()
                for name, path in filled.pages().items():
                    page.goto(path)
                    save(page, f"{name}.{lang}-{shape}", width, tallest)
                    if name == "login":
                        log_in(page, stack)
                tried(page)
                save(page, f"tried-mask.{lang}-{shape}", width, tallest)
                context.close()
        browser.close()


def main() -> None:
    """Into docs/console/, whatever was there before."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), port=0) as stack:
        filled = fill(stack, hostile=False, pictures=14)
        # One that has not counted the last day yet: what `fill` writes happened before it was there.
        with gateway_beside(stack) as base_url:
            draw(base_url, stack, filled)
    print(f"{sum(file.stat().st_size for file in FOLDER.glob('*.png')) / 1e6:.1f} MB in {FOLDER}")


if __name__ == "__main__":
    main()
