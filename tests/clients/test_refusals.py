"""A call that is refused before its body has come is told so, whichever program sent it.

The programs in `refused/` send bodies of "x" with the HTTP client that their language's users have. A connection that
is closed over an unread body is reset, and the reset takes the answer with it: in about half of the tries where the
program writes and reads at once (Node, Java, Go), in all of them where it writes first.
"""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.lingering import MOST_AT_ONCE, MOST_OF_ADDRESS, TIMES_LARGEST, Lingering
from tests.conftest import need_program

HERE = Path(__file__).parent / "refused"
TRIES = 4
MB = 1_000_000
JSON, FORM = "application/json", "multipart/form-data; boundary=x"
TOKEN, KEY = "Authorization: Bearer expired", "X-API-Key: xyl_" + 43 * "a"
# Path, bytes, content type, header, and the status that is documented for it.
CASES = [
    ("/face/compare", 600_000, JSON, TOKEN, 401),
    ("/v1/fr/compare", 7 * MB, JSON, TOKEN, 401),
    ("/v1/fr/compare", 12 * MB, "text/plain", TOKEN, 401),
    ("/api/v1/detect", 300_000, FORM, KEY, 401),
    ("/api/v1/mask", 5 * MB, FORM, KEY, 401),
    ("/api/v1/admin/test/mask", 5 * MB, FORM, "X-No: key", 401),
    ("/v1/nothing", 7 * MB, JSON, TOKEN, 404),
    ("/nothing", 7 * MB, JSON, TOKEN, 404),
    ("/face/compare", 72 * MB, JSON, TOKEN, 401),
    ("/auth/client/token", 40 * MB, JSON, "X-No: key", 413),
]
CLIENTS = {
    "node": ("node", HERE / "post.mjs"),
    "java": ("java", HERE / "Post.java"),
    "go": ("go", "run", HERE / "post.go"),
    "php": ("php", HERE / "post.php"),
    "python": (sys.executable, HERE / "post.py"),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_refusal_reaches_every_client(stack, client):
    program, *rest = CLIENTS[client]
    need_program({"java": "javac"}.get(client, str(program)))
    cases = "".join(f"{path}\t{size}\t{kind}\t{header}\n" for path, size, kind, header, _ in CASES)
    done = subprocess.run(
        [program, *rest, stack.base_url, str(TRIES)], input=cases, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [" ".join([str(status)] * TRIES) for *_, status in CASES]


def told(stack, head: str, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """What comes back once all pieces are written, to the connection's end; nothing is read before."""
    where = urlsplit(stack.base_url)
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        connection.sendall(head.format(host=where.netloc).encode())
        for piece in pieces:
            time.sleep(pause_s)
            connection.sendall(piece)
        came = b""
        while piece := connection.recv(65536):
            came += piece
        return came


def test_dotnet_is_told_too(stack):
    """The bytes of .NET's HttpClient, with a part that it writes piece by piece."""
    boundary = "d1fe4d0a-5b1c-4c8e-9d5a-4f6f7b3d2c11"
    part = (
        f"--{boundary}\r\nContent-Disposition: form-data; name=image; filename=photo.jpg; filename*=utf-8''photo.jpg"
        f"\r\n\r\n"
    ).encode()
    pieces = [part, *[bytes(65536)] * 100, f"\r\n--{boundary}--\r\n".encode()]
    head = (
        "POST /api/v1/detect HTTP/1.1\r\nHost: {host}\r\n" + KEY + "\r\n"
        f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n'
        f"Content-Length: {sum(map(len, pieces))}\r\n\r\n"
    )
    answer = told(stack, head, *pieces)
    assert answer.startswith(b"HTTP/1.1 401"), answer
    assert answer.endswith(b'"}')


def test_a_slow_chunked_body_is_read_to_its_end(stack):
    head = "POST /face/compare HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (300_000, bytes(300_000))
    answer = told(stack, head, *[chunk] * 8, b"0\r\n\r\n", pause_s=0.2)
    assert answer.startswith(b"HTTP/1.1 401"), answer
    assert b'"errorCode":"AUTH001"' in answer


def test_a_client_that_asks_first_is_refused_and_not_told_to_go_on(stack):
    head = (
        "POST /face/compare HTTP/1.1\r\nHost: {host}\r\nContent-Length: 7000000\r\nExpect: 100-continue\r\n"
        "Authorization: Bearer expired\r\n\r\n"
    )
    answer = told(stack, head)
    assert answer.startswith(b"HTTP/1.1 401"), answer
    assert b"100 Continue" not in answer


def test_refused_calls_whose_bodies_never_come_hold_nobody(stack):
    where = urlsplit(stack.base_url)
    head = f"POST /face/compare HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 7000000\r\n\r\n"
    silent = [socket.create_connection((where.hostname, where.port), timeout=60) for _ in range(MOST_OF_ADDRESS + 8)]
    try:
        for connection in silent:
            connection.sendall(head.encode())
        for connection in silent:
            assert connection.recv(65536).startswith(b"HTTP/1.1 401")
        assert httpx.get(f"{stack.base_url}/health/live", timeout=5).status_code == 200
        for connection in silent:
            while connection.recv(65536):
                pass
    finally:
        for connection in silent:
            connection.close()


def discarded(lingering: Lingering, address: str, chunk: int, pieces: int) -> int:
    """How many pieces of a body of so many are read."""
    read = 0

    async def receive():
        nonlocal read
        read += 1
        return {"type": "http.request", "body": bytes(chunk), "more_body": read < pieces}

    asyncio.run(lingering.discard(receive, (address, 1)))
    return read


def test_what_is_thrown_away_ends_with_the_body_or_with_its_bound():
    assert discarded(Lingering(1000), "a", 1000, 3) == 3
    assert discarded(Lingering(1000), "a", 1000, 30) == TIMES_LARGEST


def test_bodies_are_thrown_away_for_so_many_callers_at_once_and_no_more():
    async def count() -> tuple[int, int, int]:
        lingering, read, end = Lingering(1000), Counted(), asyncio.Event()

        async def receive():
            read.count += 1
            await end.wait()
            return {"type": "http.disconnect"}

        async def begun(addresses) -> int:
            before = read.count
            tasks.extend(asyncio.create_task(lingering.discard(receive, (address, 1))) for address in addresses)
            await asyncio.sleep(0)
            return read.count - before

        tasks: list[asyncio.Task[None]] = []
        one = await begun(["198.51.100.1"] * (MOST_OF_ADDRESS + 3))
        others = await begun(f"192.0.2.{number}" for number in range(MOST_AT_ONCE))
        end.set()
        await asyncio.gather(*tasks)
        again = await begun(["198.51.100.1"])
        await asyncio.gather(*tasks)
        return one, others, again

    assert asyncio.run(count()) == (MOST_OF_ADDRESS, MOST_AT_ONCE - MOST_OF_ADDRESS, 1)


class Counted:
    """A number that several tasks raise."""

    count = 0
