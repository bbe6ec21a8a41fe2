"""Connections that say nothing, and bodies that stall: nobody else waits for them, and memory stays bounded."""

import base64
import json
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx

from shared.settings import Settings
from tests.support.fidox import Fidox, make_tenant
from tests.support.gateways import gateway_beside
from tests.support.waiting import until

# More than a process took before its probes stood still, which was 512.
SILENT = 600


def opened(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port), timeout=30)


def test_silent_connections_hold_nobody_up_and_end(stack):
    assert Settings().http.header_timeout_s == 5
    with gateway_beside(stack) as url, ExitStack() as connections:
        silent = [connections.enter_context(opened(url)) for _ in range(SILENT)]
        for number, connection in enumerate(silent):
            if number % 2:
                connection.sendall(b"POST /face/count HTTP/1.1\r\nHos")
        began = time.monotonic()
        assert httpx.get(f"{url}/health/live", timeout=30).status_code == 200
        keys = stack.demo["ACCESS_KEY"], stack.demo["SECRET_KEY"]
        with Fidox.login(url, *keys) as api:
            assert api.post("/face/count", image="").status_code == 400
        # It was 30 s, the header's time; now nobody waits for any header.
        assert time.monotonic() - began < 4.5
        assert silent[0].recv(1) == silent[-1].recv(1) == b""


def test_bodies_in_hand_have_a_bound_together_and_free_it(stack):
    """Eight times the largest body."""
    tenant = make_tenant(stack.database_url, "holds-much")
    size = 100_000
    with gateway_beside(stack, FIDOX_MAX_BODY_BYTES=str(size)) as url, ExitStack() as connections:
        api = connections.enter_context(Fidox.login(url, tenant.access_key, tenant.secret_key))
        head = (
            "POST /face/count HTTP/1.1\r\nHost: h\r\n"
            f"Authorization: Bearer {api.token}\r\nContent-Length: {size}\r\n\r\n"
        )
        stalled = [connections.enter_context(opened(url)) for _ in range(8)]
        for connection in stalled:
            connection.sendall(head.encode() + bytes(size - 1))
        body = json.dumps({"image": base64.b64encode(bytes(1000)).decode()})

        def status() -> int:
            return api.client.post("/face/count", content=body).status_code

        until(lambda: status() == 503, "one more is refused")
        assert httpx.get(f"{url}/health/live", timeout=5).status_code == 200
        for connection in stalled:
            connection.close()
        until(lambda: status() == 400, "it is taken again")
