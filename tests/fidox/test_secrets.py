"""How access-key secrets are kept and verified, and that nobody's wrong ones stand in the way of the right one."""

import asyncio
import json
import secrets
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest

from gateway.auth.addresses import counted_as
from shared.db.passwords import MOST_OF_ONE, PasswordsBusyError, Turn
from shared.db.tenants import digest_of
from tests.support.fidox import error, make_tenant

PATH = "/auth/client/token"


@pytest.fixture
def old(stack, tenant):
    """The tenant, whose key is from before there were digests."""
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("UPDATE access_keys SET secret_digest = NULL WHERE access_key = %s", (tenant.access_key,))
    return tenant


def digest(stack, access_key: str) -> bytes | None:
    with psycopg.connect(stack.database_url) as connection:
        query = "SELECT secret_digest FROM access_keys WHERE access_key = %s"
        return connection.execute(query, (access_key,)).fetchone()[0]


def keys(tenant, secret: str | None = None) -> dict[str, str]:
    return {"accessKey": tenant.access_key, "secretKey": secret or tenant.secret_key}


def test_a_secret_is_256_random_bits_and_kept_as_its_digest(stack, tenant):
    assert tenant.secret_key.startswith("fxs_")
    assert len(tenant.secret_key) == len("fxs_") + len(secrets.token_urlsafe(32))
    assert digest(stack, tenant.access_key) == digest_of(tenant.secret_key)


def test_an_old_key_goes_on_working_and_gets_its_digest_when_it_is_used(stack, anybody, old):
    assert anybody.post(PATH, json=keys(old, "wrong")).status_code == 401
    assert digest(stack, old.access_key) is None
    assert anybody.post(PATH, json=keys(old)).status_code == 200
    assert digest(stack, old.access_key) == digest_of(old.secret_key)
    assert anybody.post(PATH, json=keys(old)).status_code == 200
    assert anybody.post(PATH, json=keys(old, "wrong")).status_code == 401


def test_a_known_access_key_in_strangers_hands_does_not_lock_its_owner_out(anybody, tenant):
    answers = [anybody.post(PATH, json=keys(tenant, "guess")) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert anybody.post(PATH, json=keys(tenant)).status_code == 200
    assert error(anybody.post(PATH, json=keys(tenant, "guess")))[0] == 429


def test_an_old_keys_wrong_secrets_are_limited_before_they_are_hashed(anybody, old):
    answers = [anybody.post(PATH, json=keys(old, "guess")) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2


def test_a_hundred_wrong_secrets_at_once_hold_nobody_up(stack, tenant):
    """Nor may more of them be answered than the limit says. It was 37 s until another tenant had its token."""
    other = make_tenant(stack.database_url, f"other-{secrets.token_hex(4)}")

    def ask(body: dict[str, str]) -> tuple[int, float]:
        began = time.monotonic()
        status = httpx.post(f"{stack.base_url}{PATH}", json=body, timeout=60).status_code
        return status, time.monotonic() - began

    with ThreadPoolExecutor(32) as pool:
        wrong = [pool.submit(ask, keys(tenant, f"guess {number}")) for number in range(100)]
        right = pool.submit(ask, keys(other))
        statuses = [found.result()[0] for found in wrong]
    assert statuses.count(401) == 10
    assert statuses.count(429) == 90
    assert right.result()[0] == 200


def test_guesses_at_one_old_key_leave_room_for_another(old, stack, anybody):
    """Those too many at once are told to come again: 503."""
    other = make_tenant(stack.database_url, f"other-{secrets.token_hex(4)}")
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("UPDATE access_keys SET secret_digest = NULL WHERE access_key = %s", (other.access_key,))
    with ThreadPoolExecutor(32) as pool:
        wrong = [pool.submit(anybody.post, PATH, json=keys(old, f"guess {number}")) for number in range(60)]
        assert httpx.post(f"{stack.base_url}{PATH}", json=keys(other), timeout=60).status_code == 200
        statuses = [found.result().status_code for found in wrong]
    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(401) <= 10 + MOST_OF_ONE


def test_who_waits_for_argon2_is_bounded():
    async def come(number: int) -> list[str]:
        turn, end, told = Turn(most_waiting=2), asyncio.Event(), []

        async def one() -> None:
            try:
                async with turn:
                    await end.wait()
                told.append("served")
            except PasswordsBusyError:
                told.append("turned away")

        tasks = [asyncio.create_task(one()) for _ in range(number)]
        await asyncio.sleep(0.01)
        end.set()
        await asyncio.gather(*tasks)
        return sorted(told)

    assert asyncio.run(come(3)) == ["served"] * 3
    assert asyncio.run(come(5)) == ["served"] * 3 + ["turned away"] * 2


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_address_is_counted_by_its_network(host, counted):
    assert counted_as(host) == counted


@pytest.mark.parametrize("path", [PATH, "/v1/auth/client/token"])
def test_a_login_is_4_kb_at_most(anybody, tenant, path):
    body = keys(tenant)
    room = 4096 - len(json.dumps(body))
    for padding, status in ((room, 200), (room + 1, 413)):
        content = json.dumps(body) + " " * padding
        answer = anybody.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == status


@pytest.mark.parametrize("path", [PATH, "/api/v1/admin/auth/login"])
def test_a_login_that_does_not_come_is_refused_within_seconds(stack, path):
    where = urlsplit(stack.base_url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 100\r\n\r\n{{"
        connection.sendall(head.encode())
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"the body did not arrive within 5 s" in answer


def test_twenty_logins_of_31_mb_take_no_memory(stack):
    """They were read, 20 of them into 743 MB."""
    process = psutil.Process(stack.children["gateway"].pid)
    family = [process, *process.children(recursive=True)]
    before = sum(one.memory_info().rss for one in family)
    where = urlsplit(stack.base_url)
    head = f"POST {PATH} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 31000000\r\n\r\n".encode()
    stalled = [socket.create_connection((where.hostname, where.port), timeout=30) for _ in range(20)]
    try:
        for connection in stalled:
            # From one address so many are read on, and the others are closed.
            with suppress(ConnectionError):
                connection.sendall(head + bytes(4_000_000))
        assert stalled[0].recv(65536).startswith(b"HTTP/1.1 413")
        assert httpx.get(f"{stack.base_url}/health/live", timeout=5).status_code == 200
        assert sum(one.memory_info().rss for one in family) - before < 50 << 20
    finally:
        for connection in stalled:
            connection.close()
