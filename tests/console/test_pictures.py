"""Images and jobs: a picture is looked at with its boxes, and deleted with its files; nobody else sees either."""

import re
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from tests.support.drawings import drawing
from tests.support.face_api import FaceApi
from tests.support.gateways import gateway_beside
from tests.support.storing import unique
from tests.support.waiting import until


@pytest.fixture(scope="module")
def couple() -> bytes:
    return drawing(4, faces=2)


@pytest.fixture
def masked(stack, couple) -> httpx.Response:
    """A picture of two drawn faces that nobody has sent yet, masked."""
    with FaceApi(stack.base_url, stack.demo["API_KEY"]) as faces:
        return faces.mask(unique(couple), method="pixelate")


def files_of(stack, image_id: str) -> list[Path]:
    """Where a picture's files lie."""
    query = (
        "SELECT original_key FROM images WHERE id = %(id)s UNION SELECT processed_key FROM jobs WHERE image_id = %(id)s"
    )
    with psycopg.connect(stack.database_url) as database:
        rows = database.execute(query, {"id": image_id}).fetchall()
    return [Path(stack.environment["FACE_API_STORAGE_DIR"]) / key for (key,) in rows]


def test_an_image_is_found_looked_at_and_deleted_with_its_files(stack, client, masked, page):
    image_id, job_id = masked.headers["X-Image-Id"], masked.headers["X-Job-Id"]
    files = files_of(stack, image_id)
    assert len(files) == 2
    assert all(file.exists() for file in files)
    link = client.get(f"/api/v1/admin/images/{image_id}").json()["original_url"]
    assert httpx.get(link, timeout=60).status_code == 200

    page.goto("/admin/images")
    shown = page.locator(f"a[href='/admin/images/{image_id}']")
    expect(shown.locator("img")).to_have_js_property("complete", value=True)
    assert shown.locator("img").evaluate("image => image.naturalWidth") > 0
    shown.click()
    expect(page.locator(".overlay .edge")).to_have_count(2)
    expect(page.locator(".overlay .mark")).to_have_count(10)
    expect(page.locator(".shot .stage img").first).to_have_js_property("complete", value=True)
    places = [page.locator(f".shot .stage {one}").first.bounding_box() for one in ("img", ".overlay")]
    assert places[0] == pytest.approx(places[1], abs=0.5)
    page.get_by_label("Show boxes").uncheck()
    expect(page.locator(".overlay")).to_be_hidden()

    page.get_by_role("button", name="Delete image").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete image").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    expect(page.locator(f"a[href='/admin/images/{image_id}']")).to_have_count(0)
    until(lambda: not any(file.exists() for file in files), "its files are removed")
    assert httpx.get(link, timeout=60).status_code == 404
    gone = (f"images/{image_id}", f"images/{image_id}/original", f"jobs/{job_id}", f"jobs/{job_id}/result")
    assert {path: client.get(f"/admin/{path}").status_code for path in gone} == dict.fromkeys(gone, 404)


def test_deleting_an_image_asks_without_script_too(stack, client, masked, window):
    image_id = masked.headers["X-Image-Id"]
    with window(java_script_enabled=False) as page:
        page.goto(f"/admin/images/{image_id}")
        page.get_by_role("button", name="Delete image").click()
        page.get_by_role("link", name="Cancel").click()
        page.get_by_role("button", name="Delete image").click()
        page.get_by_role("button", name="Delete image").click()
        expect(page.get_by_text("Deleted.")).to_be_visible()
    assert client.get(f"/admin/images/{image_id}").status_code == 404


def test_a_job_is_shown_before_and_after_with_its_timings_and_its_transaction(masked, page):
    job_id = masked.headers["X-Job-Id"]
    page.goto("/admin/jobs?job_type=mask&method=pixelate")
    page.locator(f"a[href='/admin/jobs/{job_id}']").click()
    for image in page.locator(".stage img").all():
        assert image.evaluate("async image => (await image.decode(), image.naturalWidth)") > 0
    expect(page.locator(".stage img")).to_have_count(2)
    for step in ("Inference", "Mask", "Store"):
        expect(
            page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=step, exact=True))
        ).to_contain_text("ms")
    page.get_by_role("link", name=job_id).click()
    expect(page.get_by_role("row").filter(has_text=job_id)).to_contain_text("mask")


def test_lists_are_filtered_sorted_and_turned(client, masked):
    image_id = masked.headers["X-Image-Id"]
    assert image_id in client.get("/admin/images?processed=true&format=jpeg&period=hour").text
    assert image_id not in client.get("/admin/images?processed=false").text
    assert image_id not in client.get("/admin/images?format=webp").text
    assert client.get("/admin/images?sort=-size_bytes&page=2").status_code == 200
    ours = client.get(f"/admin/jobs?image={image_id}").text
    assert set(re.findall(r'href="/admin/jobs/([0-9a-f-]{36})"', ours)) == {masked.headers["X-Job-Id"]}
    assert client.get("/admin/jobs?method=blur").status_code == 400


def test_a_picture_comes_from_this_host_to_who_is_logged_in_and_is_asked_for_again(stack, client, masked):
    path = f"/admin/jobs/{masked.headers['X-Job-Id']}/result"
    answer = client.get(path)
    assert answer.content == masked.content
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-disposition"].startswith('inline; filename="')
    assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    kept = client.get(f"{path}?download=1")
    assert kept.headers["content-disposition"].startswith('attachment; filename="')
    stranger = httpx.get(stack.base_url + path, headers={"If-None-Match": answer.headers["etag"]}, timeout=60)
    assert (stranger.status_code, stranger.headers["location"][:18]) == (303, "/admin/login?next=")


def test_where_storage_is_off_the_pages_say_so_and_how_it_is_turned_on(stack, root):
    with (
        gateway_beside(stack, FACE_API_STORAGE_ENABLED="false") as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        client.post("/admin/login", data=root.body)
        assert "/admin/images" not in client.get("/admin").text
        for path in ("images", "jobs", "images/0b5e7a8e-0000-4000-8000-000000000000"):
            answer = client.get(f"/admin/{path}")
            assert answer.status_code == 501
            assert "FACE_API_STORAGE_ENABLED=true" in answer.text
