"""API keys by the admin API: made, listed, renamed, turned off, deleted."""

import json
import re
import secrets
import time
from datetime import datetime
from uuid import UUID

import pytest

from tests.support.face_api import FaceApi, error
from tests.support.waiting import until

METADATA = [
    "id",
    "name",
    "key_prefix",
    "key_suffix",
    "key_preview",
    "is_active",
    "request_count",
    "last_used_at",
    "created_at",
]


@pytest.fixture
def made(admin) -> dict:
    """A key of the test's own, as the answer that made it."""
    return admin.make("/api-keys", name=f"key {secrets.token_hex(4)}")


def status_with(stack, key: str, jpeg) -> int:
    with FaceApi(stack.base_url, key) as faces:
        return faces.detect(jpeg("obama/obama.jpg")).status_code


def settles(read, wanted) -> None:
    until(lambda: read() == wanted, f"it is {wanted}")


def test_a_new_key_is_201_with_its_metadata_and_the_whole_key(admin):
    answer = admin.post("/api-keys", name="Production App")
    body = answer.json()
    assert answer.status_code == 201
    assert list(body) == [*METADATA, "key"]
    assert re.fullmatch(r"xyl_[A-Za-z0-9_-]{43}", body["key"])
    assert body["name"] == "Production App"
    assert (body["is_active"], body["request_count"], body["last_used_at"]) == (True, 0, None)
    assert datetime.fromisoformat(body["created_at"]).tzinfo
    assert UUID(body["id"])


def test_the_preview_is_the_keys_beginning_and_end(made):
    key = made["key"]
    assert (made["key_prefix"], made["key_suffix"]) == (key[:8], key[-4:])
    assert made["key_preview"] == f"{key[:8]}…{key[-4:]}"


def test_a_new_key_works_at_once(stack, made, jpeg):
    assert status_with(stack, made["key"], jpeg) == 200


def test_the_whole_key_is_never_shown_again(stack, admin, made):
    path = f"/api-keys/{made['id']}"
    answers = [admin.get(path), admin.get("/api-keys", per_page=100), admin.patch(path, name="another")]
    logs = "".join(file.read_text("utf-8", errors="replace") for file in stack.folder.logs.iterdir())
    for text in (*(answer.text for answer in answers), logs):
        assert made["key"] not in text
        assert made["key"][12:-4] not in text


def test_the_list_has_metadata_only_the_latest_first(admin, made):
    first = admin.list("/api-keys")["items"][0]
    assert list(first) == METADATA
    assert first == {name: made[name] for name in METADATA}


def test_one_key_is_its_metadata(admin, made):
    answer = admin.get(f"/api-keys/{made['id']}")
    assert (answer.status_code, answer.json()) == (200, {name: made[name] for name in METADATA})


def test_requests_are_counted_and_the_last_one_noted(stack, admin, made, jpeg):
    began = time.time()
    for _ in range(3):
        status_with(stack, made["key"], jpeg)
    settles(lambda: admin.get(f"/api-keys/{made['id']}").json()["request_count"], 3)
    last = datetime.fromisoformat(admin.get(f"/api-keys/{made['id']}").json()["last_used_at"])
    assert began <= last.timestamp() <= time.time()


def test_a_key_is_renamed_and_turned_off_in_one(stack, admin, made, jpeg):
    """The document's own sample."""
    assert status_with(stack, made["key"], jpeg) == 200
    answer = admin.patch(f"/api-keys/{made['id']}", name="Renamed App", is_active=False)
    assert answer.status_code == 200
    assert list(answer.json()) == METADATA
    assert (answer.json()["name"], answer.json()["is_active"]) == ("Renamed App", False)
    settles(lambda: status_with(stack, made["key"], jpeg), 401)


def test_a_key_that_is_turned_on_again_works_again(stack, admin, made, jpeg):
    admin.patch(f"/api-keys/{made['id']}", is_active=False)
    assert status_with(stack, made["key"], jpeg) == 401
    admin.patch(f"/api-keys/{made['id']}", is_active=True)
    settles(lambda: status_with(stack, made["key"], jpeg), 200)


@pytest.mark.parametrize("changes", [{}, {"name": "another"}, {"is_active": False}])
def test_what_a_patch_does_not_name_stays(admin, made, changes):
    answer = admin.patch(f"/api-keys/{made['id']}", **changes)
    assert answer.json() == {name: made[name] for name in METADATA} | changes


def test_a_deleted_key_is_204_then_404_and_its_calls_are_401(stack, admin, made, jpeg):
    assert status_with(stack, made["key"], jpeg) == 200
    answer = admin.delete(f"/api-keys/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error(admin.get(f"/api-keys/{made['id']}"))[0] == 404
    assert error(admin.delete(f"/api-keys/{made['id']}"))[0] == 404
    settles(lambda: status_with(stack, made["key"], jpeg), 401)


@pytest.mark.parametrize(
    "key_id", ["cfaa635a-53a6-4d17-b772-fab77a3aded0", "1", "not-a-uuid", "' OR 1=1 --", "%00", "x" * 5000]
)
def test_an_unknown_id_and_one_that_is_none_are_404(admin, key_id):
    for answer in (
        admin.get(f"/api-keys/{key_id}"),
        admin.patch(f"/api-keys/{key_id}", name="x"),
        admin.delete(f"/api-keys/{key_id}"),
    ):
        assert error(answer)[0] == 404


@pytest.mark.parametrize("name", ["가" * 128, "'; DROP TABLE api_keys; --", "<script>", "100%_", "🙂"])
def test_a_name_may_be_anything_of_1_to_128_characters(admin, name):
    assert admin.make("/api-keys", name=name)["name"] == name


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 129},
        {"name": None},
        {"name": 7},
        {"name": "a\0b"},
        {"name": "a\nb"},
        {"name": "ends with a line break\n"},
        {"name": "\x7f"},
        {"name": "x", "is_active": False},
        {"Name": "x"},
    ],
)
def test_any_other_name_or_field_is_400(admin, body):
    assert error(admin.post("/api-keys", **body))[0] == 400


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": None}, {"is_active": None}, {"is_active": "no"}, {"isActive": False}]
)
def test_a_patch_that_says_nothing_sensible_is_400_and_changes_nothing(admin, made, body):
    assert error(admin.patch(f"/api-keys/{made['id']}", **body))[0] == 400
    assert admin.get(f"/api-keys/{made['id']}").json() == {name: made[name] for name in METADATA}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"name": "\\ud800"}', b'{"name": "\xff"}'])
def test_a_body_that_is_no_object_is_400(admin, body):
    answer = admin.client.post("/api-keys", content=body, headers={"Content-Type": "application/json"})
    assert error(answer)[0] == 400


def test_the_list_is_filtered_by_state(admin):
    mark = secrets.token_hex(6)
    on, off = (admin.make("/api-keys", name=f"{mark} {state}") for state in ("on", "off"))
    admin.patch(f"/api-keys/{off['id']}", is_active=False)
    for state, key in (("true", on), ("false", off)):
        found = admin.list("/api-keys", q=mark, is_active=state)
        assert ([item["id"] for item in found["items"]], found["total"]) == ([key["id"]], 1)


def test_q_is_a_part_of_the_name_in_any_case_and_no_pattern(admin):
    mark = secrets.token_hex(6)
    names = [f"{mark} 100% Äpfel", f"{mark} 100 _birnen", f"{mark} back\\slash"]
    for name in names:
        admin.make("/api-keys", name=name)

    def found(q: str) -> list[str]:
        return sorted(item["name"] for item in admin.list("/api-keys", q=q)["items"])

    assert found(f"{mark.upper()} 100% äPF") == [names[0]]
    assert found(f"{mark} 100%") == [names[0]]
    assert found(f"{mark}%") == []
    assert found(f"{mark} 100 _") == [names[1]]
    assert found(f"{mark}_100") == []
    assert found(f"{mark} back\\") == [names[2]]
    assert found(f"{mark}' OR '1'='1") == []


def test_a_body_says_so_in_the_documents_form(admin):
    answer = admin.client.post("/api-keys", content=b"{")
    assert json.loads(answer.text)["detail"].startswith("the request is not valid")
