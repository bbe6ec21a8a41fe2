"""A tenant's users by the admin API: listed, and deleted as the tenant itself would."""

import secrets
import time

import pytest

from shared.db.batches import FLUSH_S
from tests.support.face_api import error
from tests.support.fidox import Fidox
from tests.support.waiting import until

# What a path could not hold, and what a proxy would make something else of.
ODD = ["a/b", "..", "../../x", "a//b/", "count", " ", "+", "a b", "%", "%2F", "홍길동", "🙂", "a?b=c&d#e", "~", "'--"]


@pytest.fixture
def api(stack, admin, tenant_id):
    """The root API as the tenant."""
    key = admin.make(f"/tenants/{tenant_id}/access-keys")
    with Fidox.login(stack.base_url, key["access_key"], key["secret_key"]) as client:
        yield client


@pytest.fixture
def enrol(api, photo):
    def register(*codes: str) -> None:
        for code in codes:
            answer = api.post("/face/register", userCode=code, image=photo("obama/obama.jpg"))
            assert answer.status_code == 200, answer.text

    return register


@pytest.fixture
def users(admin, tenant_id):
    """A page of the tenant's users."""
    return lambda **parameters: admin.list(f"/tenants/{tenant_id}/users", **parameters)


def codes(page: dict) -> list[str]:
    return [item["user_code"] for item in page["items"]]


def test_a_user_is_listed_with_the_number_of_templates_and_their_engines(api, photo, users):
    api.post("/face/register", userCode="u", name="홍길동", image=photo("obama/obama.jpg"))
    until(lambda: users()["items"][0]["templates"] == 2, "the second engine's comes right after")
    page = users()
    assert page["total"] == 1
    (user,) = page["items"]
    assert list(user) == ["user_code", "name", "created_at", "templates", "engines"]
    assert (user["user_code"], user["name"]) == ("u", "홍길동")
    assert (user["templates"], user["engines"]) == (2, ["applemango", "ezway"])


def test_users_are_sorted_by_code_or_time(users, enrol):
    enrol("b", "C", "a")
    # Bytewise, as codes are compared.
    assert codes(users()) == ["C", "a", "b"]
    assert codes(users(sort="-user_code")) == ["b", "a", "C"]
    assert codes(users(sort="created_at")) == ["b", "C", "a"]
    assert codes(users(sort="-created_at", per_page=2)) == ["a", "C"]
    assert users(per_page=2)["total"] == 3


def test_q_is_how_a_code_starts_and_no_pattern(users, enrol):
    enrol("100%", "100_", "1000", "x100")
    assert codes(users(q="100")) == ["100%", "1000", "100_"]
    assert codes(users(q="100%")) == ["100%"]
    assert codes(users(q="100_")) == ["100_"]
    assert codes(users(q="_")) == []
    assert users(q="100", per_page=1)["total"] == 3


def test_a_tenants_users_are_never_in_anothers_list(admin, users, enrol):
    code = f"only-{secrets.token_hex(6)}"
    enrol(code)
    tenants = admin.list("/tenants", per_page=100)["items"]
    found = [t["id"] for t in tenants if code in codes(admin.list(f"/tenants/{t['id']}/users", per_page=100, q=code))]
    assert len(tenants) > 1
    assert len(found) <= 1
    assert codes(users()) == [code]


def test_a_user_is_deleted_with_every_template(admin, api, tenant_id, users, enrol, photo):
    enrol("u", "stays")
    answer = admin.delete(f"/tenants/{tenant_id}/users", user_code="u")
    assert (answer.status_code, answer.content) == (204, b"")
    assert codes(users()) == ["stays"]
    assert api.post("/face/verify", userCode="u", image=photo("obama/obama.jpg")).status_code == 400


def test_an_unknown_user_is_404(admin, tenant_id):
    answer = admin.delete(f"/tenants/{tenant_id}/users", user_code="nobody")
    assert error(answer) == (404, "there is no such user")


def test_which_parameter_is_missing_is_said(admin, tenant_id):
    assert "user_code: it is missing" in error(admin.delete(f"/tenants/{tenant_id}/users"))[1]


def test_a_user_of_another_tenant_is_404_and_stays(admin, users, enrol):
    enrol("u")
    other = admin.make("/tenants", name=f"admin-{secrets.token_hex(4)}")["id"]
    assert error(admin.delete(f"/tenants/{other}/users", user_code="u"))[0] == 404
    assert codes(users()) == ["u"]


@pytest.mark.parametrize("code", ["u", "nobody"])
def test_it_is_exactly_one_transaction_of_that_tenant(admin, tenant_id, enrol, code):
    enrol("u")
    admin.delete(f"/tenants/{tenant_id}/users", user_code=code)

    def rows() -> list[dict]:
        return admin.list("/transactions", tenant_id=tenant_id, operation="delete")["items"]

    until(rows, "it is recorded")
    time.sleep(2 * FLUSH_S)  # a second one would be written by now
    (row,) = rows()
    assert row["dialect"] == "xylolabs"
    assert row["outcome"] == ("ok" if code == "u" else "not_enrolled")


def test_a_code_may_hold_anything(admin, tenant_id, users, enrol):
    enrol(*ODD)
    assert sorted(codes(users(per_page=100))) == sorted(ODD)
    for code in ODD:
        assert admin.delete(f"/tenants/{tenant_id}/users", user_code=code).status_code == 204, code
    assert users()["total"] == 0


@pytest.mark.parametrize("code", [None, "", "x" * 129, "a\0b", "a\nb", "\x7f"])
def test_what_can_be_no_code_is_400(admin, tenant_id, code):
    parameters = {} if code is None else {"user_code": code}
    assert error(admin.delete(f"/tenants/{tenant_id}/users", **parameters))[0] == 400
    if code:
        assert error(admin.get(f"/tenants/{tenant_id}/users", q=code))[0] == 400
