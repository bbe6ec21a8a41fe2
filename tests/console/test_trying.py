"""The test page: a picture goes in, and boxes, scores and timings come out."""

import pytest
from playwright.sync_api import expect

from shared.contracts import IdType
from tests.specimens import specimen


def run(page, **files) -> None:
    for name, file in files.items():
        page.set_input_files(f"input[name={name}]", file)
    page.get_by_role("button", name="Run").click()
    page.locator("[data-timing]").wait_for()


def test_a_photo_is_masked_and_shown_before_and_after_with_boxes_and_timings(page, people):
    page.goto("/admin/test")
    page.get_by_label("Method").select_option("pixelate")
    run(page, image=people / "obama" / "obama.jpg")
    expect(page.locator("[data-shot=image] .edge")).to_have_count(1)
    assert page.locator("[data-shot=after] img").evaluate("image => image.naturalWidth") > 0
    expect(page.locator("[data-bars]")).to_contain_text("Inference")


def test_two_photos_are_compared(page, people):
    page.goto("/admin/test?try=compare")
    run(page, image=people / "obama" / "obama.jpg", other=people / "biden" / "biden.jpg")
    expect(page.locator("[data-verdict]")).to_contain_text("Different people")
    expect(page.locator("[data-shot=other] .edge")).to_have_count(1)
    assert page.locator(".gauge .limit").count() == 1


def test_liveness_says_each_check(page, people):
    page.goto("/admin/test?try=liveness")
    run(page, image=people / "obama" / "obama.jpg")
    expect(page.locator("[data-verdict]")).to_contain_text("Print or screen")


def test_a_card_is_read_with_its_number_masked(page, tmp_path):
    card = specimen(0, IdType.RESIDENT)
    picture = tmp_path / "card.jpg"
    picture.write_bytes(card.jpeg)
    page.goto("/admin/test?try=ocr")
    run(page, image=picture)
    expect(page.locator("[data-verdict]")).to_contain_text("Read as: Resident card")
    number = page.get_by_role("row").filter(has_text="ID number")
    expect(number).to_contain_text("*")
    assert page.locator("[data-shot=image] .edge").count() >= 3


def test_a_picture_without_what_is_looked_for_is_said_in_the_readers_language(window, tmp_path):
    from PIL import Image

    grey = tmp_path / "grey.png"
    Image.new("RGB", (320, 240), (120, 120, 120)).save(grey)
    with window(locale="ko-KR") as page:
        page.goto("/admin/test?try=liveness")
        page.set_input_files("input[name=image]", grey)
        page.get_by_role("button", name="실행").click()
        expect(page.locator("[data-error]")).to_contain_text("얼굴 없음")


@pytest.mark.parametrize("kind", ["compare", "ocr", "liveness", "detect"])
def test_what_is_no_picture_is_refused(client, kind):
    files = {"image": b"text", "other": b"text"}
    answer = client.post(f"/admin/test/{kind}", files=files, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["failure"]) == (400, "unsupported_image")
