"""PaginatedResponse: the same for every listing."""

import secrets

import pytest

from tests.support.face_api import error

LISTINGS = ("/api-keys", "/tenants", "/tenants/1/access-keys", "/tenants/1/users", "/transactions")


@pytest.fixture(scope="module")
def made(stack, root) -> str:
    """25 API keys whose names have this in them, three of each name but the last."""
    from tests.support.admin_api import AdminApi

    mark = secrets.token_hex(6)
    with AdminApi(stack.base_url, root) as admin:
        for number in range(25):
            admin.make("/api-keys", name=f"{mark} {number // 3}")
    return mark


@pytest.mark.parametrize("path", LISTINGS)
def test_a_page_has_the_documents_fields_and_no_others(admin, path):
    page = admin.list(path)
    assert list(page) == ["items", "total", "page", "per_page", "pages"]
    assert (page["page"], page["per_page"]) == (1, 20)
    assert len(page["items"]) == min(page["total"], 20)


def test_nothing_is_one_page_of_nothing(admin):
    """The document's own sample."""
    found = admin.list("/api-keys", q=secrets.token_hex(12))
    assert found == {"items": [], "total": 0, "page": 1, "per_page": 20, "pages": 1}


def test_the_pages_together_have_every_item_once(admin, made):
    pages = [admin.list("/api-keys", q=made, per_page=10, page=number, sort="name") for number in (1, 2, 3)]
    assert [len(page["items"]) for page in pages] == [10, 10, 5]
    assert {(page["total"], page["pages"], page["per_page"]) for page in pages} == {(25, 3, 10)}
    items = [item for page in pages for item in page["items"]]
    assert len({item["id"] for item in items}) == 25
    assert [item["name"] for item in items] == sorted(item["name"] for item in items)


def test_ties_come_in_the_same_order_each_time_and_in_reverse(admin, made):
    def ids(sort: str) -> list[str]:
        return [item["id"] for item in admin.list("/api-keys", q=made, per_page=100, sort=sort)["items"]]

    assert ids("name") == ids("name") == ids("-name")[::-1]
    # All of them null.
    assert ids("last_used_at") == ids("-last_used_at")[::-1]


def test_a_page_after_the_last_is_empty_and_tells_the_true_total(admin, made):
    found = admin.list("/api-keys", q=made, page=4, per_page=10)
    assert found == {"items": [], "total": 25, "page": 4, "per_page": 10, "pages": 3}
    assert admin.list("/api-keys", q=made, page=1_000_000_000, per_page=100)["total"] == 25


@pytest.mark.parametrize("path", LISTINGS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"page": 0},
        {"page": -1},
        {"page": 1_000_000_001},
        {"page": 10**40},
        {"page": "first"},
        {"per_page": 0},
        {"per_page": 101},
        {"sort": "key_hash"},
        {"sort": "secret_hash"},
        {"sort": "--created_at"},
        {"sort": "+created_at"},
        {"sort": "created_at; DROP TABLE users"},
        {"sort": "created_at,name"},
    ],
)
def test_what_is_out_of_bounds_is_400(admin, path, parameters):
    status, detail = error(admin.get(path, **parameters))
    assert status == 400
    assert next(iter(parameters)) in detail


@pytest.mark.parametrize("path", LISTINGS)
def test_every_documented_order_works(stack, admin, path):
    document = admin.client.get(f"{stack.base_url}/api/v1/openapi.json").json()
    template = path.replace("/1/", "/{tenant_id}/")
    parameters = document["paths"][f"/api/v1/admin{template}"]["get"]["parameters"]
    (sort,) = (parameter["schema"] for parameter in parameters if parameter["name"] == "sort")
    assert sort["default"] in sort["enum"]
    assert len(sort["enum"]) >= 4
    for order in sort["enum"]:
        admin.list(path, sort=order)
