"""Stored pictures and jobs in the admin API, sentence by sentence of its document."""

import httpx
import pytest

from tests.support.face_api import error

IMAGE = [
    "id",
    "original_url",
    "processed_url",
    "width",
    "height",
    "size_bytes",
    "format",
    "job_count",
    "storage_error",
    "created_at",
]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def stored(faces, one) -> dict:
    """A picture that was detected, then masked twice: its id, the jobs' ids by name, and the last masked picture."""
    detected = faces.detect(one).json()
    gaussian, solid = (faces.mask(one, method=method) for method in ("gaussian", "solid"))
    jobs = {"detect": detected["job_id"], "gaussian": gaussian.headers["X-Job-Id"], "solid": solid.headers["X-Job-Id"]}
    return {"id": detected["image_id"], "jobs": jobs, "data": one, "masked": solid.content, **detected["image"]}


def test_images_are_pages_of_urls_size_bytes_job_count_and_time(admin, stored):
    page = admin.list("/images")
    assert list(page) == ["items", "total", "page", "per_page", "pages"]
    assert (page["page"], page["per_page"]) == (1, 20)
    item = page["items"][0]
    assert list(item) == IMAGE
    assert item["id"] == stored["id"]
    assert (item["width"], item["height"]) == (stored["width"], stored["height"])
    assert item["size_bytes"] == len(stored["data"])
    assert (item["format"], item["job_count"], item["storage_error"]) == ("jpeg", 3, None)
    assert httpx.get(item["original_url"], timeout=60).content == stored["data"]
    assert httpx.get(item["processed_url"], timeout=60).content == stored["masked"]


def test_processed_url_is_null_while_there_is_no_result(faces, admin, one):
    image_id = faces.detect(one).json()["image_id"]
    (item,) = [item for item in admin.list("/images")["items"] if item["id"] == image_id]
    assert item["processed_url"] is None
    assert item["original_url"]


def test_pages_have_every_picture_once_and_sorts_go_both_ways(admin, faces, jpeg, stored):
    faces.detect(jpeg("obama/obama.jpg"))
    faces.detect(jpeg("_groups/kit_with_rose.jpg"))
    total = admin.list("/images")["total"]
    pages = [admin.list("/images", page=page, per_page=2)["items"] for page in range(1, -(-total // 2) + 1)]
    assert len({item["id"] for page in pages for item in page}) == total
    for field in ("created_at", "size_bytes", "job_count"):
        for sign, reverse in (("", False), ("-", True)):
            values = [item[field] for item in admin.list("/images", sort=sign + field, per_page=100)["items"]]
            assert values == sorted(values, reverse=reverse)
    assert admin.list("/images", page=1000)["items"] == []


def test_images_are_filtered_by_format_result_and_time(admin, faces, one, stored):
    fresh = faces.detect(one + b"x").json()["image_id"]
    assert admin.list("/images", format="png")["total"] == 0
    with_result = {item["id"] for item in admin.list("/images", processed=True, per_page=100)["items"]}
    without = {item["id"] for item in admin.list("/images", processed=False, per_page=100)["items"]}
    assert stored["id"] in with_result
    assert fresh in without
    assert not with_result & without
    time = admin.get(f"/images/{fresh}").json()["created_at"]
    assert fresh in {item["id"] for item in admin.list("/images", **{"from": time})["items"]}
    assert fresh not in {item["id"] for item in admin.list("/images", to=time, per_page=100)["items"]}


def test_an_image_is_told_of_with_its_jobs_the_newest_first(admin, stored):
    image = admin.get(f"/images/{stored['id']}").json()
    assert list(image) == [*IMAGE, "jobs"]
    jobs = stored["jobs"]
    assert [job["id"] for job in image["jobs"]] == [jobs["solid"], jobs["gaussian"], jobs["detect"]]


def test_jobs_are_filtered_by_type_method_and_picture(admin, stored):
    of_it = {"image_id": stored["id"]}

    def listed(**filters) -> set[str]:
        return {job["id"] for job in admin.list("/jobs", **of_it, **filters)["items"]}

    jobs = stored["jobs"]
    assert listed() == set(jobs.values())
    assert listed(job_type="detect") == {jobs["detect"]}
    assert listed(job_type="mask") == {jobs["gaussian"], jobs["solid"]}
    assert listed(method="solid") == {jobs["solid"]}
    assert listed(job_type="detect", method="solid") == set()
    assert {job["method"] for job in admin.list("/jobs", method="gaussian")["items"]} == {"gaussian"}


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/jobs?job_type=blur", "job_type"),
        ("/jobs?method=blur", "method"),
        ("/jobs?image_id=1", "image_id"),
        ("/images?sort=id", "sort"),
        ("/images?page=0", "page"),
        ("/images?per_page=101", "per_page"),
        ("/images?format=gif", "format"),
        ("/images?from=yesterday", "from"),
    ],
)
def test_a_filter_that_is_none_is_400_and_named(folder_admin, path, word):
    status, detail = error(folder_admin.client.get(path))
    assert status == 400
    assert f": {word}: " in detail


def test_a_job_is_told_of_with_its_detections_and_the_result(admin, stored):
    job = admin.get(f"/jobs/{stored['jobs']['solid']}").json()
    assert len(job["detections"]) == job["face_count"] == 1
    assert httpx.get(job["processed_url"], timeout=60).content == stored["masked"]
    assert admin.get(f"/jobs/{stored['jobs']['detect']}").json()["processed_url"] is None


def test_a_download_is_a_302_to_the_file(admin, stored):
    answer = admin.get(f"/images/{stored['id']}/download")
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(answer.headers["location"], timeout=60).content == stored["data"]
    answer = admin.get(f"/jobs/{stored['jobs']['solid']}/download")
    assert answer.status_code == 302
    assert httpx.get(answer.headers["location"], timeout=60).content == stored["masked"]


def test_a_job_without_a_result_has_no_download(admin, stored):
    assert error(admin.get(f"/jobs/{stored['jobs']['detect']}/download"))[0] == 404


@pytest.mark.parametrize("nobody", [NOBODY, "1", "..%2f..%2fetc", "%00"])
@pytest.mark.parametrize("path", ["/images/{}", "/images/{}/download", "/jobs/{}", "/jobs/{}/download"])
def test_an_id_of_nothing_is_404(folder_admin, path, nobody):
    assert error(folder_admin.get(path.format(nobody)))[0] == 404


def test_delete_forgets_rows_and_files(admin, side, stored):
    image = admin.get(f"/images/{stored['id']}").json()
    answer = admin.delete(f"/images/{stored['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error(admin.get(f"/images/{stored['id']}"))[0] == 404
    for job_id in stored["jobs"].values():
        assert error(admin.get(f"/jobs/{job_id}"))[0] == 404
    for link in (image["original_url"], image["processed_url"]):
        assert httpx.get(link, timeout=60).status_code == 404
    assert side.files() == side.wanted()
    assert side.rows("SELECT key FROM cleanup_tasks") == []
    assert error(admin.delete(f"/images/{stored['id']}"))[0] == 404


def test_a_picture_that_was_deleted_and_is_sent_again_is_another_one(admin, faces, stored):
    admin.delete(f"/images/{stored['id']}")
    again = faces.detect(stored["data"]).json()["image_id"]
    assert again != stored["id"]
    image = admin.get(f"/images/{again}").json()
    assert image["job_count"] == 1
    assert httpx.get(image["original_url"], timeout=60).content == stored["data"]


def test_stats_add_up(admin, side, stored):
    told = admin.get("/stats").json()
    count = {name: side.rows(f"SELECT count(*) FROM {name}")[0][0] for name in ("images", "jobs")}
    assert {name: told[name] for name in count} == told["last_24h"] == count
    assert sum(told["jobs_by_type"].values()) == count["jobs"]
    assert told["jobs_by_type"]["mask"] == sum(told["jobs_by_method"].values()) == told["processed"]
    assert set(told["jobs_by_method"]) == {"gaussian", "pixelate", "solid", "elliptical"}
    assert told["faces"] == side.rows("SELECT sum(face_count) FROM jobs")[0][0]
    sizes = {key: (side.place / key).stat().st_size for key in side.wanted()}
    originals = sum(size for key, size in sizes.items() if key.startswith("originals/"))
    assert told["original_bytes"] == originals
    assert told["processed_bytes"] == sum(sizes.values()) - originals
    side.rows("UPDATE images SET created_at = now() - interval '2 days' WHERE id = %s", stored["id"])
    assert admin.get("/stats").json()["last_24h"]["images"] == count["images"] - 1
