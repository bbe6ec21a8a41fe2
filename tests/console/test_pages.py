"""What an operator does: each in a browser, with real forms."""

import re
import secrets
from urllib.parse import quote

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from tests.support.admin_api import AdminApi
from tests.support.console import HOSTILE
from tests.support.face_api import transactions
from tests.support.waiting import until


def name_of(thing: str) -> str:
    return f"{thing} {secrets.token_hex(4)}"


def test_a_key_is_made_shown_once_and_works_until_it_is_turned_off(stack, people, page):
    name = name_of("Shop")
    page.goto("/admin/api-keys")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create key").click()
    key = page.locator("#key").inner_text()
    assert key not in page.url

    def call() -> int:
        image = {"image": (people / "obama" / "obama.jpg").read_bytes()}
        return httpx.post(
            f"{stack.base_url}/api/v1/detect", files=image, headers={"X-API-Key": key}, timeout=60
        ).status_code

    assert call() == 200
    page.reload()  # the key's own page now, and not the form again
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert key not in page.content()
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Turned off. Calls are refused")).to_be_visible()
    until(lambda: call() == 401, "the key is refused")

    page.get_by_role("button", name="Delete key").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete key").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    assert name not in page.content()


def test_a_wrong_field_says_what_it_takes_and_keeps_what_was_typed(client):
    answer = client.post("/admin/tenants", data={"name": "Kept & typed", "calls_per_minute": "0"})
    assert answer.status_code == 400
    assert 'value="Kept &amp; typed"' in answer.text
    assert 'aria-describedby="calls_per_minute-error"' in answer.text
    assert "A whole number from 1 to 1,000,000." in answer.text


def test_a_tenant_is_made_gets_a_key_is_turned_off_and_deleted_by_its_name(stack, page):
    name = name_of("Bank")
    page.goto("/admin/tenants/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create tenant").click()
    page.wait_for_url(re.compile(r"/admin/tenants/\d+"))
    tenant = page.url.partition("?")[0]
    page.get_by_label("Label").fill("production")
    page.get_by_role("button", name="Create access key").click()
    keys = {"accessKey": page.locator("#access").inner_text(), "secretKey": page.locator("#secret").inner_text()}
    assert keys["secretKey"] not in page.url

    def token() -> int:
        return httpx.post(f"{stack.base_url}/auth/client/token", json=keys, timeout=60).status_code

    assert token() == 200
    page.goto(tenant)
    assert keys["secretKey"] not in page.content()
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Turned off. Calls are refused")).to_be_visible()
    assert token() != 200

    page.get_by_role("link", name="Delete tenant").click()
    page.get_by_label("Name").fill("another")
    page.get_by_role("button", name="Delete tenant").click()
    expect(page.get_by_text("That is not the tenant's name.")).to_be_visible()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Delete tenant").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()


def test_a_tenant_of_a_name_that_is_taken_is_refused_beside_the_field(client, filled, stack):
    client.post("/admin/tenants", data={"name": "Twice", "calls_per_minute": "5"})
    answer = client.post("/admin/tenants", data={"name": "Twice", "calls_per_minute": "5"})
    assert answer.status_code == 409
    assert "There is a tenant of this name already." in answer.text


def test_a_user_is_deleted_with_every_template(stack, root, api, tenant, photo, page):
    assert api.post("/face/register", userCode="EMP/7", image=photo("obama/obama.jpg")).status_code == 200
    with AdminApi(stack.base_url, root) as admin:
        tenant_id = admin.list("/tenants", q=tenant.name)["items"][0]["id"]
        page.goto(f"/admin/users?tenant={tenant_id}")
        page.get_by_role("button", name="Delete user: EMP/7").click()
        page.get_by_role("dialog").get_by_role("button", name="Yes, do it").click()
        expect(page.get_by_text("Nobody is enrolled yet")).to_be_visible()
        assert admin.list(f"/tenants/{tenant_id}/users")["total"] == 0


def test_deleting_asks_without_script_too(window, filled):
    with window(java_script_enabled=False) as page:
        page.goto(f"/admin/users?tenant={filled.tenant_id}")
        page.get_by_role("button", name="Delete user: EMP-1003").click()
        page.get_by_role("button", name="Delete user").click()
        expect(page.get_by_text("Deleted.")).to_be_visible()
        expect(page.get_by_text("EMP-1003")).to_have_count(0)


def test_a_transaction_is_found_by_its_id_whatever_else_is_chosen(stack, demo, photo, page):
    tx_id = demo.post("/face/count", image=photo("obama/obama.jpg")).json()["txId"]
    assert transactions(stack.database_url, tx_id)
    page.goto("/admin/transactions?period=hour&outcome=overloaded")
    page.get_by_label("Transaction id").fill(tx_id)
    page.get_by_role("button", name="Find").click()
    row = page.get_by_role("row").filter(has_text=tx_id)
    expect(row).to_contain_text("count")
    expect(row).to_contain_text("OK")


@pytest.fixture
def many_calls(stack):
    """many_calls() writes more transactions than all tests make in a minute, which stay in the last one for longer."""
    marked = f"tx_{secrets.token_hex(4)}_"
    columns = "tx_id, operation, dialect, outcome, created_at"
    values = "%s || n, 'count', 'v1', 'ok', now() + interval '5 minutes'"
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        insert = f"INSERT INTO transactions ({columns}) SELECT {values} FROM generate_series(1, 5000) AS n"
        yield lambda: database.execute(insert, (marked,))
        database.execute("DELETE FROM transactions WHERE starts_with(tx_id, %s)", (marked,))


def test_the_overview_counts_what_is_in_the_table_and_follows_the_queue(client, many_calls, page):
    page.goto("/admin")
    figure = page.locator("[data-figure='minute.calls']")
    expect(figure).to_have_text(re.compile(r"^\d{1,3}$"))
    many_calls()
    expect(figure).to_have_text(re.compile(r"^5,\d{3}$"))

    def kinds() -> list[dict]:
        return client.get("/admin/live", headers={"Accept": "application/json"}).json()["kinds"]

    idle = {"face": 0, "liveness": 0, "ocr": 0}
    until(lambda: {kind["kind"]: kind["waiting"] for kind in kinds()} == idle, "nothing waits")
    assert all(kind["workers"] >= 1 for kind in kinds())


def test_hostile_names_are_text_and_break_no_layout(window, filled):
    with window(viewport={"width": 390, "height": 844}) as page:
        for name in ("jobs", "job", "image", "images", "tenant", "users", "tenants", "api-keys"):
            page.goto(filled.pages()[name])
            beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert beyond <= 0, f"{name} is {beyond} px too wide"
            assert page.locator("script:not([src])").count() == 0
        # By the search: other tests' keys may have taken it off the first page.
        page.goto(f"/admin/api-keys?q={quote(HOSTILE[0])}")
        assert page.get_by_text(HOSTILE[0]).first.is_visible()


def test_weights_are_listed_with_their_licences(page):
    page.goto("/admin/engines")
    row = page.get_by_role("row").filter(has_text="scrfd_500m").filter(has_text="InsightFace")
    expect(row.first).to_contain_text("Not allowed")
    expect(page.get_by_text("found none of 133 generated or swapped faces")).to_be_visible()


def test_a_password_is_changed_and_a_wrong_one_is_said(account, stranger):
    stranger.goto("/admin/login?next=/admin/account")
    stranger.get_by_label("Username").fill(account.username)
    stranger.get_by_label("Password").fill(account.password)
    stranger.get_by_role("button", name="Log in").click()
    stranger.get_by_label("Current password").fill("wrong")
    stranger.get_by_label("New password").fill("a much better one")
    stranger.get_by_role("button", name="Change password").click()
    expect(stranger.get_by_text("The current password is wrong.")).to_be_visible()
    stranger.get_by_label("Current password").fill(account.password)
    stranger.get_by_label("New password").fill("a much better one")
    stranger.get_by_role("button", name="Change password").click()
    expect(stranger.get_by_text("The password is changed")).to_be_visible()


def test_the_overview_says_in_one_line_which_weights_are_not_for_commercial_use(page):
    page.goto("/admin")
    notice = page.locator("p.notice")
    expect(notice).to_contain_text("Non-commercial weights are in use:")
    expect(notice).to_contain_text("scrfd_")
    notice.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Engines and weights")
