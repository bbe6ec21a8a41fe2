"""Links to files: signed, and over after a while."""

import asyncio
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gateway.links import Links
from shared.storage import open_storage
from tests.support.admin_api import AdminApi
from tests.support.face_api import error
from tests.support.gateways import gateway_beside


@pytest.fixture
def link(faces, admin, one) -> str:
    return admin.get(f"/images/{faces.detect(one).json()['image_id']}").json()["original_url"]


@pytest.fixture
def in_folder_link(in_folder, jpeg) -> str:
    with in_folder.api() as faces, in_folder.admin() as admin:
        image_id = faces.detect(jpeg("obama/obama.jpg")).json()["image_id"]
        return admin.get(f"/images/{image_id}").json()["original_url"]


def test_a_link_needs_no_login_and_tells_the_type(link, one):
    answer = httpx.get(link, timeout=60)
    assert answer.status_code == 200
    assert answer.content == one
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith('inline; filename="')


def test_a_link_that_was_changed_is_refused(link):
    assert httpx.get(link[:-1] + ("0" if link[-1] != "0" else "1"), timeout=60).status_code == 403
    path, _, query = link.partition("?")
    assert httpx.get(path, timeout=60).status_code in {400, 403}
    assert httpx.get(f"{path[:-5]}x.jpg?{query}", timeout=60).status_code in {403, 404}


def test_a_link_is_over_after_its_time(side, faces, one):
    key = side.rows("SELECT original_key FROM images WHERE id = %s", faces.detect(one).json()["image_id"])[0][0]
    links = Links(open_storage(side.settings.storage), side.settings.auth.jwt_secrets, 1)
    link = asyncio.run(links.make([key], side.base_url))[key]
    time.sleep(2.1)
    assert httpx.get(link, timeout=60).status_code in {400, 403}


@pytest.mark.parametrize(
    "change",
    [
        {"expires": "99999999999"},
        {"expires": "-1"},
        {"expires": "\N{ARABIC-INDIC DIGIT NINE}" * 10},
        {"expires": ""},
        {"expires": "1" * 5000},
        {"signature": ""},
        {"signature": "nobody.00"},
        {"signature": ".é"},
    ],
    ids=str,
)
def test_a_folders_link_with_something_else_in_it_is_403_in_the_documents_form(in_folder_link, change):
    url = urlsplit(in_folder_link)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    answer = httpx.get(f"{url.scheme}://{url.netloc}{url.path}", params=query | change, timeout=60)
    assert error(answer)[0] == 403


@pytest.mark.parametrize(
    "path",
    ["originals/..%2f..%2fsecrets.env", "originals/%2e%2e", "..%2foriginals/x.jpg", "originals/" + "0" * 32 + ".exe"],
)
def test_no_path_leads_out_of_the_folder(in_folder_link, path):
    base, _, rest = in_folder_link.partition("/originals/")
    assert error(httpx.get(f"{base}/{path}?{rest.partition('?')[2]}", timeout=60))[0] in {403, 404}


def test_a_folders_file_is_nothing_but_a_picture_to_a_browser(in_folder_link):
    headers = httpx.get(in_folder_link, timeout=60).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"
    assert "sandbox" in headers["content-security-policy"]


def test_a_rotation_of_the_secrets_breaks_no_link_and_ends_with_them(in_folder, in_folder_link):
    url = urlsplit(in_folder_link)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    storage, old = open_storage(in_folder.settings.storage), in_folder.settings.auth.jwt_secrets
    new = "new:" + "n" * 40
    for secrets, is_good in ((old, True), ([new, *old], True), ([new], False)):
        links = Links(storage, secrets, 900)
        assert links.is_good(url.path.removeprefix("/api/v1/files/"), query["expires"], query["signature"]) is is_good


def test_what_signs_tokens_signs_no_link_and_the_other_way_round(in_folder_link, in_folder):
    signature = parse_qs(urlsplit(in_folder_link).query)["signature"][0]
    answer = httpx.get(f"{in_folder.base_url}/face/count", headers={"Authorization": f"Bearer {signature}"}, timeout=60)
    assert answer.status_code in {401, 405}


def test_results_lie_open_where_a_public_endpoint_is_set_and_originals_never_do(in_s3, jpeg):
    public = "https://cdn.example/faces/"
    with in_s3.api() as faces, gateway_beside(in_s3, FACE_API_S3_PUBLIC_ENDPOINT=public) as url:
        job_id = faces.mask(jpeg("obama/obama.jpg")).headers["X-Job-Id"]
        with AdminApi(url, in_s3.account) as admin:
            job = admin.get(f"/jobs/{job_id}").json()
            download = admin.get(f"/jobs/{job_id}/download").headers["location"]
    key = in_s3.rows("SELECT processed_key FROM jobs WHERE id = %s", job_id)[0][0]
    assert job["processed_url"] == download == f"https://cdn.example/faces/{key}"
    assert job["original_url"].startswith(in_s3.s3.endpoint)
    assert "X-Amz-Signature" in job["original_url"]
