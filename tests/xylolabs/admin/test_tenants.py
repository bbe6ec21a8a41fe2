"""Tenants and their access keys by the admin API."""

import secrets

import psycopg
import pytest

from tests.support.face_api import error
from tests.support.fidox import Fidox
from tests.support.waiting import until

FIELDS = ["id", "name", "calls_per_minute", "is_active", "spoof_rejects", "reveals_numbers", "created_at"]
KEY = ["access_key", "label", "is_active", "created_at", "revoked_at"]
LAST = 2**63 - 1


@pytest.fixture
def name() -> str:
    return f"admin-{secrets.token_hex(4)}"


@pytest.fixture
def enrolled(stack, admin, tenant_id, photo):
    """A tenant with one user: its root API."""
    key = admin.make(f"/tenants/{tenant_id}/access-keys")
    with Fidox.login(stack.base_url, key["access_key"], key["secret_key"]) as api:
        assert api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")).status_code == 200
        yield api


def test_a_new_tenant_is_201_with_what_it_did_not_choose(admin, name):
    made = admin.make("/tenants", name=name)
    assert list(made) == FIELDS
    chosen = {
        "name": name,
        "calls_per_minute": 600,
        "is_active": True,
        "spoof_rejects": False,
        "reveals_numbers": False,
    }
    assert {field: made[field] for field in chosen} == chosen


def test_a_new_tenant_has_what_it_chose(admin, name):
    chosen = {"name": name, "calls_per_minute": 7, "spoof_rejects": True, "reveals_numbers": True}
    made = admin.make("/tenants", **chosen)
    assert {field: made[field] for field in chosen} == chosen
    assert admin.get(f"/tenants/{made['id']}").json() == made


def test_a_name_that_is_taken_is_409(admin, name):
    admin.make("/tenants", name=name)
    assert error(admin.post("/tenants", name=name))[0] == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 129},
        {"name": "a\0b"},
        {"name": "x", "calls_per_minute": 0},
        {"name": "x", "calls_per_minute": 1_000_001},
        {"name": "x", "calls_per_minute": 1.5},
        {"name": "x", "calls_per_minute": 10**40},
        {"name": "x", "is_admin": True},
    ],
)
def test_any_other_tenant_is_400(admin, body):
    assert error(admin.post("/tenants", **body))[0] == 400


def test_tenants_are_listed_by_name_and_filtered(admin):
    mark = secrets.token_hex(6)
    made = [admin.make("/tenants", name=f"{mark} {letter}") for letter in "cab"]
    admin.patch(f"/tenants/{made[0]['id']}", is_active=False)

    def found(**parameters) -> list[str]:
        return [item["name"][-1] for item in admin.list("/tenants", q=mark.upper(), **parameters)["items"]]

    assert found() == ["a", "b", "c"]
    assert found(sort="-created_at") == ["b", "a", "c"]
    assert found(is_active="true") == ["a", "b"]
    assert found(is_active="false") == ["c"]
    assert admin.list("/tenants", q=f"{mark}%")["total"] == 0


def test_a_patch_changes_what_it_names(admin, tenant_id):
    before = admin.get(f"/tenants/{tenant_id}").json()
    for changes in (
        {"calls_per_minute": 9},
        {"is_active": False},
        {"spoof_rejects": True, "reveals_numbers": True},
        {"spoof_rejects": False, "is_active": True},
        {},
    ):
        before |= changes
        answer = admin.patch(f"/tenants/{tenant_id}", **changes)
        assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize(
    "body", [{"calls_per_minute": 0}, {"is_active": None}, {"name": "another"}, {"isActive": False}]
)
def test_any_other_patch_is_400(admin, tenant_id, body):
    assert error(admin.patch(f"/tenants/{tenant_id}", **body))[0] == 400


def test_a_tenant_that_is_turned_off_is_refused(admin, tenant_id, enrolled):
    admin.patch(f"/tenants/{tenant_id}", is_active=False)
    until(lambda: enrolled.post("/face/count", image="").status_code == 401, "it is refused")


@pytest.mark.parametrize("tenant_id", [str(LAST), "demo", "1.5", "%00", "1 OR 1=1"])
def test_an_unknown_id_and_one_that_is_no_number_are_404(admin, tenant_id):
    assert {error(answer)[0] for answer in with_id(admin, tenant_id)} == {404}


@pytest.mark.parametrize("tenant_id", [0, -1, LAST + 1, 10**40])
def test_a_number_that_can_be_no_id_is_400(admin, tenant_id):
    assert {error(answer)[0] for answer in with_id(admin, tenant_id)} == {400}


def with_id(admin, tenant_id) -> list:
    """What everything below a tenant answers."""
    return [
        admin.get(f"/tenants/{tenant_id}"),
        admin.patch(f"/tenants/{tenant_id}", is_active=True),
        admin.delete(f"/tenants/{tenant_id}", confirm="x"),
        admin.get(f"/tenants/{tenant_id}/access-keys"),
        admin.post(f"/tenants/{tenant_id}/access-keys"),
        admin.delete(f"/tenants/{tenant_id}/access-keys/fxa_1"),
        admin.get(f"/tenants/{tenant_id}/users"),
        admin.delete(f"/tenants/{tenant_id}/users", user_code="u"),
    ]


@pytest.mark.parametrize("confirm", [None, "", "demo", "Admin-", "a\0"])
def test_a_tenant_is_deleted_only_with_its_name(admin, tenant_id, confirm):
    parameters = {} if confirm is None else {"confirm": confirm}
    assert error(admin.delete(f"/tenants/{tenant_id}", **parameters))[0] == 400
    assert admin.get(f"/tenants/{tenant_id}").status_code == 200


def test_a_deleted_tenant_is_gone_with_its_keys_users_and_templates(stack, admin, tenant_id, enrolled):
    name = admin.get(f"/tenants/{tenant_id}").json()["name"]
    answer = admin.delete(f"/tenants/{tenant_id}", confirm=name)
    assert (answer.status_code, answer.content) == (204, b"")
    assert error(admin.get(f"/tenants/{tenant_id}"))[0] == 404
    with psycopg.connect(stack.database_url) as connection:
        for table in ("access_keys", "users", "templates"):
            rows = connection.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", (tenant_id,)).fetchone()
            assert rows == (0,), table
    # What it did is still known.
    known = {"tenant_id": tenant_id, "operation": "register"}
    until(lambda: admin.list("/transactions", **known)["total"], "its transaction is recorded")
    assert admin.list("/transactions", **known)["total"] == 1


def test_an_access_key_is_201_with_its_secret_and_works(stack, admin, tenant_id):
    made = admin.make(f"/tenants/{tenant_id}/access-keys", label="shop")
    assert list(made) == [*KEY, "secret_key"]
    assert (made["label"], made["is_active"], made["revoked_at"]) == ("shop", True, None)
    with Fidox.login(stack.base_url, made["access_key"], made["secret_key"]) as api:
        assert api.post("/face/count", image="").status_code == 400


def test_the_secret_is_never_shown_again(admin, tenant_id):
    made = admin.make(f"/tenants/{tenant_id}/access-keys", label="shop")
    (listed,) = admin.list(f"/tenants/{tenant_id}/access-keys")["items"]
    assert listed == {field: made[field] for field in KEY}


def test_a_revoked_access_key_is_204_and_stays_in_the_list(stack, admin, tenant_id):
    path = f"/tenants/{tenant_id}/access-keys"
    live, revoked = admin.make(path), admin.make(path)
    answer = admin.delete(f"{path}/{revoked['access_key']}")
    assert (answer.status_code, answer.content) == (204, b"")
    body = {"accessKey": revoked["access_key"], "secretKey": revoked["secret_key"]}
    assert admin.client.post(f"{stack.base_url}/auth/client/token", json=body).status_code == 401
    assert error(admin.delete(f"{path}/{revoked['access_key']}"))[0] == 404
    assert admin.list(path)["total"] == 2
    for state, key in (("true", live), ("false", revoked)):
        found = admin.list(path, is_active=state)["items"]
        assert [item["access_key"] for item in found] == [key["access_key"]]
        assert (found[0]["revoked_at"] is None) is found[0]["is_active"] is (state == "true")


def test_one_tenants_keys_are_not_anothers(admin, tenant_id):
    other = admin.make("/tenants", name=f"admin-{secrets.token_hex(4)}")["id"]
    key = admin.make(f"/tenants/{tenant_id}/access-keys")["access_key"]
    assert admin.list(f"/tenants/{other}/access-keys")["total"] == 0
    assert error(admin.delete(f"/tenants/{other}/access-keys/{key}"))[0] == 404
    assert admin.list(f"/tenants/{tenant_id}/access-keys", is_active="true")["total"] == 1


@pytest.mark.parametrize("body", [{"label": "x" * 129}, {"label": "a\0b"}, {"label": None}, {"name": "x"}])
def test_any_other_label_is_400(admin, tenant_id, body):
    assert error(admin.post(f"/tenants/{tenant_id}/access-keys", **body))[0] == 400
