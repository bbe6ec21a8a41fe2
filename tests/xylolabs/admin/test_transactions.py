"""The search among the transactions."""

import secrets
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.db.batches import FLUSH_S
from tests.support.admin_api import AdminApi, make_account
from tests.support.face_api import FaceApi, error
from tests.support.gateways import database_beside, gateway_beside
from tests.support.waiting import until

FIELDS = [
    "tx_id",
    "operation",
    "created_at",
    "tenant_id",
    "dialect",
    "outcome",
    "engine",
    "model",
    "score",
    "matched",
    "wait_ms",
    "total_ms",
]
NOON = datetime(2031, 5, 17, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def written(stack) -> int:
    """A tenant's id, whose ten transactions are written here: one a minute, of three kinds; three without a time."""
    tenant_id = 10**12 + secrets.randbelow(10**9)
    rows = [
        (
            f"tx-{tenant_id}-{number}",
            ("register", "verify", "count")[number % 3],
            NOON + timedelta(minutes=number),
            tenant_id,
            ("fidox", "v1")[number % 2],
            ("ok", "no_face")[number % 2],
            None if number < 3 else float(100 - number),
        )
        for number in range(10)
    ]
    with psycopg.connect(stack.database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO transactions (tx_id, operation, created_at, tenant_id, dialect, outcome, total_ms)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            rows,
        )
    return tenant_id


@pytest.fixture
def search(admin, written):
    """The numbers of the rows that a search finds, and the total."""

    def find(**parameters) -> tuple[list[int], int]:
        page = admin.list("/transactions", **{"tenant_id": written, "sort": "created_at", **parameters})
        return [int(item["tx_id"].rpartition("-")[2]) for item in page["items"]], page["total"]

    return find


@pytest.fixture
def row_of(admin):
    """The one row of a call, once it is written."""

    def find(tx_id: str) -> dict:
        (row,) = until(lambda: admin.list("/transactions", tx_id=tx_id)["items"], f"{tx_id} is recorded")
        return row

    return find


def test_a_row_tells_what_came_of_a_call(admin, row_of, api, tenant, photo):
    image = photo("obama/obama.jpg")
    answer = api.post("/face/compare", image1=image, image2=image)
    row = row_of(answer.json()["txId"])
    assert list(row) == FIELDS
    assert (row["operation"], row["dialect"], row["outcome"], row["engine"]) == ("compare", "fidox", "ok", "ezway")
    assert row["matched"] is True
    assert row["score"] == pytest.approx(answer.json()["score"], abs=1e-4)
    assert row["total_ms"] > 0
    names = {item["id"]: item["name"] for item in admin.list("/tenants", q=tenant.name)["items"]}
    assert names[row["tenant_id"]] == tenant.name


def test_a_call_with_an_api_key_has_no_tenant(stack, row_of, jpeg):
    with FaceApi(stack.base_url, stack.demo["API_KEY"]) as faces:
        request_id = faces.detect(jpeg("obama/obama.jpg")).json()["request_id"]
    row = row_of(request_id)
    assert (row["tenant_id"], row["dialect"], row["operation"]) == (None, "xylolabs", "detect")


def test_what_admins_do_is_not_among_them(stack):
    """On a database of the test's own, to which nobody else writes."""
    with (
        database_beside(stack) as database_url,
        gateway_beside(stack, DATABASE_URL=database_url) as url,
        AdminApi(url, make_account(database_url)) as admin,
    ):
        admin.make("/api-keys", name="not a transaction")
        admin.post("/api-keys", name="")
        admin.get("/stats")
        admin.client.get("/auth/session", auth=("nobody", "x"))
        time.sleep(2 * FLUSH_S)  # it would be written by now
        assert admin.list("/transactions")["total"] == 0


def test_each_filter_finds_what_it_says(search, written):
    assert search() == ([*range(10)], 10)
    assert search(tx_id=f"tx-{written}-7") == ([7], 1)
    assert search(dialect="v1") == ([1, 3, 5, 7, 9], 5)
    assert search(operation="verify") == ([1, 4, 7], 3)
    assert search(outcome="no_face") == ([1, 3, 5, 7, 9], 5)
    assert search(tenant_id=written + 1) == ([], 0)
    assert search(operation="verify", outcome="ok") == ([4], 1)
    assert search(operation="none_such") == ([], 0)


def test_from_is_included_and_to_is_not(search):
    def at(minute: int) -> str:
        return (NOON + timedelta(minutes=minute)).isoformat()

    assert search(**{"from": at(7)}) == ([7, 8, 9], 3)
    assert search(to=at(2)) == ([0, 1], 2)
    assert search(**{"from": at(3), "to": at(5)}) == ([3, 4], 2)
    assert search(**{"from": at(5), "to": at(3)}) == ([], 0)


@pytest.mark.parametrize(
    "text", ["2031-05-17T12:07:00Z", "2031-05-17T12:07:00", "2031-05-17T21:07:00+09:00", "2031-05-17T21:07:00 09:00"]
)
def test_a_time_is_iso_8601_and_utc_where_it_names_no_zone(search, text):
    assert search(**{"from": text}) == ([7, 8, 9], 3)


def test_the_latest_come_first_unless_another_order_is_asked_for(admin, search, written):
    assert search(sort="-created_at")[0] == [*reversed(range(10))]
    items = admin.list("/transactions", tenant_id=written)["items"]
    assert [int(item["tx_id"].rpartition("-")[2]) for item in items] == [*reversed(range(10))]


def test_the_slowest_come_first_and_those_without_a_time_last(search):
    assert search(sort="-total_ms")[0] == [3, 4, 5, 6, 7, 8, 9, 2, 1, 0]
    assert search(sort="total_ms")[0] == [0, 1, 2, 9, 8, 7, 6, 5, 4, 3]


def test_pages_go_on_where_the_last_one_ended(search):
    assert search(per_page=4, page=3) == ([8, 9], 10)
    assert search(per_page=4, page=4) == ([], 10)


@pytest.mark.parametrize(
    "parameters",
    [
        {"tenant_id": "demo"},
        {"tenant_id": 0},
        {"tenant_id": 2**63},
        {"dialect": "soap"},
        {"operation": "'; --"},
        {"outcome": "OK"},
        {"tx_id": "a\0b"},
        {"tx_id": "x" * 65},
        {"from": "yesterday"},
        {"to": "2031-13-01T00:00:00Z"},
        {"to": "99999-01-01T00:00:00Z"},
    ],
)
def test_any_other_filter_is_400(admin, parameters):
    status, detail = error(admin.get("/transactions", **parameters))
    assert status == 400
    assert next(iter(parameters)) in detail


def test_a_day_is_its_beginning(search):
    assert search(**{"from": "2031-05-17"})[1] == 10
    assert search(to="2031-05-17")[1] == 0


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_times_at_the_ends_of_the_calendar_are_times(admin, text):
    for name in ("from", "to"):
        assert admin.get("/transactions", **{name: text}).status_code == 200
