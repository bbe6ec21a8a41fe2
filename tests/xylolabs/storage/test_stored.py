"""With storage on every detect and mask leaves its picture and a job; the answer names both."""

import io
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest
from PIL import Image

from tests.support.waiting import until


def ids(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["image_id"], told["job_id"]


def test_detect_names_the_picture_and_the_job_and_says_how_long_it_took(faces, one):
    told = faces.detect(one).json()
    assert UUID(told["image_id"])
    assert UUID(told["job_id"])
    assert 0 < told["profiling"]["storage_ms"] <= told["profiling"]["total_ms"]


def test_mask_names_them_in_its_headers(faces, admin, one):
    answer = faces.mask(one, method="pixelate", format="png")
    image = admin.get(f"/images/{answer.headers['X-Image-Id']}").json()
    job = admin.get(f"/jobs/{answer.headers['X-Job-Id']}").json()
    assert job["image_id"] == image["id"]
    assert (job["job_type"], job["method"], job["output_format"]) == ("mask", "pixelate", "png")
    assert job["output_bytes"] == len(answer.content)
    assert httpx.get(job["processed_url"], timeout=60).content == answer.content


def test_the_preview_is_stored_too_as_nobodys(admin, one):
    told = admin.client.post("/test/mask", files={"image": ("photo.jpg", one)}).json()
    job = admin.get(f"/jobs/{told['job_id']}").json()
    assert job["image_id"] == told["image_id"]
    assert job["api_key_id"] is None
    assert told["profiling"]["storage_ms"] > 0


def test_the_original_is_kept_as_it_came_and_the_result_without_metadata(faces, admin, jpeg):
    exif = Image.Exif()
    exif[0x010E] = "taken by somebody"
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(jpeg("obama/obama.jpg"))) as opened:
        opened.save(buffer, "JPEG", exif=exif, quality=90)
    answer = faces.mask(buffer.getvalue())
    image = admin.get(f"/images/{answer.headers['X-Image-Id']}").json()
    assert httpx.get(image["original_url"], timeout=60).content == buffer.getvalue()
    assert b"taken by somebody" not in httpx.get(image["processed_url"], timeout=60).content


def test_the_same_picture_is_one_row_with_several_jobs_and_its_newest_result(faces, admin, one, side):
    first, _ = ids(faces.detect(one))
    assert admin.get(f"/images/{first}").json()["processed_url"] is None
    files = side.files()
    masked = [faces.mask(one, method=method) for method in ("gaussian", "solid")]
    assert {answer.headers["X-Image-Id"] for answer in masked} == {first}
    image = admin.get(f"/images/{first}").json()
    assert image["job_count"] == 3
    assert [job["id"] for job in image["jobs"][:2]] == [answer.headers["X-Job-Id"] for answer in reversed(masked)]
    assert httpx.get(image["processed_url"], timeout=60).content == masked[1].content
    assert len(side.files() - files) == 2


def test_16_callers_with_the_same_new_picture_leave_one_row_and_one_file(faces, admin, one, side):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ids(faces.detect(one)), range(16)))
    (image_id,) = {image_id for image_id, _ in answers}
    assert len({job_id for _, job_id in answers}) == 16
    assert admin.get(f"/images/{image_id}").json()["job_count"] == 16
    # Those that came second leave a file that nobody wants; the cron removes it by itself.
    until(lambda: side.files() == side.wanted())


def test_what_cannot_be_read_is_not_kept(faces, side, one):
    files, rows = side.files(), side.rows("SELECT count(*) FROM images")
    assert faces.detect(one[: len(one) // 2]).status_code == 400
    assert side.files() <= files
    assert side.rows("SELECT count(*) FROM images") == rows


def test_keys_say_nothing_of_the_file_and_end_in_its_format(faces, side, one):
    before = side.files()
    faces.send("mask", one, {"format": "webp"}, name="../../kim's passport.exe")
    new = side.files() - before
    assert {(key.partition("/")[0], key.rpartition(".")[2]) for key in new} == {
        ("originals", "jpg"),
        ("processed", "webp"),
    }
    assert all(len(key.partition("/")[2].partition(".")[0]) == 32 for key in new)


def test_files_of_the_folder_are_their_owners_alone(in_folder, jpeg):
    with in_folder.api() as faces:
        faces.detect(jpeg("obama/obama.jpg"))
    for path in (in_folder.place, *in_folder.place.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_s3_gives_nothing_away_without_a_signature(in_s3, one):
    with in_s3.api() as faces:
        answer = faces.mask(one)
    keys = in_s3.rows(
        "SELECT original_key, jobs.processed_key FROM jobs JOIN images ON images.id = image_id WHERE jobs.id = %s",
        answer.headers["X-Job-Id"],
    )[0]
    for key in keys:
        assert httpx.get(f"{in_s3.s3.endpoint}/pictures/{key}", timeout=60).status_code >= 400


@pytest.mark.parametrize("call", ["detect", "mask"])
def test_the_job_knows_its_key_and_what_it_was_asked(faces, admin, side, two, call):
    answer = faces.send(call, two, {"confidence": 0.6, "max_faces": 1})
    job_id = answer.headers["X-Request-Id"] if call == "mask" else answer.json()["request_id"]
    job = admin.get(f"/jobs/{job_id}").json()
    assert job["parameters"] | {"confidence": 0.6, "max_faces": 1} == job["parameters"]
    assert "keep" not in job["parameters"]
    assert side.rows("SELECT count(*) FROM api_keys WHERE id = %s", job["api_key_id"]) == [(1,)]


def test_what_a_job_found_is_what_its_call_answered(faces, admin, two):
    told = faces.detect(two).json()
    job = admin.get(f"/jobs/{told['job_id']}").json()
    assert job["detections"] == told["detections"]
    assert job["face_count"] == 2
    measured = {"total_ms", "storage_ms"}
    same = {name: value for name, value in told["profiling"].items() if name not in measured}
    assert {name: value for name, value in job["profiling"].items() if name not in measured} == same
