"""The console shows pictures of either place as its own, and says why one has no file."""

import time

import httpx
import pytest

from workers.face.keeping import RETRY_S


@pytest.fixture
def console(side):
    """Its pages, logged in; no redirect is followed."""
    with httpx.Client(base_url=side.base_url, timeout=30) as client:
        assert client.post("/admin/login", data=side.account.body).status_code == 303
        yield client


@pytest.fixture
def outage(in_s3):
    """S3, whose server a test stops; at the end nothing has leaked."""
    yield in_s3.s3
    in_s3.s3.stop()
    in_s3.s3.start()
    # The workers that saw it stay away for so long.
    time.sleep(RETRY_S)
    in_s3.clean()
    assert in_s3.files() == in_s3.wanted()


def test_pictures_come_through_the_gateway_wherever_they_lie(side, faces, console, one):
    answer = faces.mask(one)
    image_id, job_id = answer.headers["X-Image-Id"], answer.headers["X-Job-Id"]
    assert console.get(f"/admin/images/{image_id}/original").content == one
    assert console.get(f"/admin/images/{image_id}/result").content == answer.content
    assert console.get(f"/admin/jobs/{job_id}/result").content == answer.content
    for path in ("images", f"images/{image_id}", f"jobs/{job_id}"):
        text = console.get(f"/admin/{path}").text
        assert f"/admin/images/{image_id}/original" in text
        assert "X-Amz-Signature" not in text


def test_a_picture_that_an_outage_left_without_a_file_says_why_and_is_deleted_all_the_same(in_s3, outage, one):
    with in_s3.api() as faces, httpx.Client(base_url=in_s3.base_url, timeout=30) as console:
        console.post("/admin/login", data=in_s3.account.body)
        outage.stop()
        answer = faces.mask(one)
        image_id, job_id = answer.headers["X-Image-Id"], answer.headers["X-Job-Id"]
        for path in (f"images/{image_id}", f"jobs/{job_id}"):
            text = console.get(f"/admin/{path}").text
            assert "Not stored:" in text
            assert "the storage" in text
        for path in ("images", "jobs"):
            assert "Not stored" in console.get(f"/admin/{path}").text
        assert console.get(f"/admin/images/{image_id}/original").status_code == 404
        assert console.post(f"/admin/images/{image_id}/delete", data={"confirmed": "1"}).status_code == 303
        assert console.get(f"/admin/images/{image_id}").status_code == 404


def test_while_s3_is_away_a_picture_is_503_and_its_page_is_there(in_s3, outage, one):
    with in_s3.api() as faces, httpx.Client(base_url=in_s3.base_url, timeout=30) as console:
        console.post("/admin/login", data=in_s3.account.body)
        image_id = faces.detect(one).json()["image_id"]
        outage.stop()
        assert console.get(f"/admin/images/{image_id}/original").status_code == 503
        assert console.get(f"/admin/images/{image_id}").status_code == 200
        outage.start()
        assert console.get(f"/admin/images/{image_id}/original").content == one
