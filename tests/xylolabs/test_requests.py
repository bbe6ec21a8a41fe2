"""Bad and hostile requests to the xylolabs API: always `{"detail": …}`, and nothing of what was sent comes back."""

import io
import socket
import time
import zipfile
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.support.face_api import error
from tests.support.gateways import gateway_beside
from tests.support.waiting import until

BOUNDARY = "b0undary"
ONE = "obama/obama.jpg"


def form(*parts: tuple[str, bytes], end: str = "--") -> bytes:
    """Parts as (Content-Disposition, content)."""
    made = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"
        for disposition, content in parts
    )
    return made + f"--{BOUNDARY}{end}\r\n".encode()


def send(faces, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}", call: str = "detect"):
    return faces.client.post(f"/api/v1/{call}", content=body, headers={"Content-Type": kind})


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("photo.jpg", b"\xff\xd8\xff")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("nothing", b""),
        ("no part at all", form()),
        ("another name", form(('form-data; name="file"; filename="a.jpg"', b"\xff\xd8\xff"))),
        (
            "two images",
            form(('form-data; name="image"', b"\xff\xd8\xff"), ('form-data; name="image"', b"\xff\xd8\xff")),
        ),
        ("no end", form(('form-data; name="image"', b"\xff\xd8\xff"), end="")),
        ("no boundary in it", b"\xff\xd8\xff" * 100),
        ("a part without headers", f"--{BOUNDARY}\r\n\r\nabc\r\n--{BOUNDARY}--\r\n".encode()),
        ("a header without an end", f"--{BOUNDARY}\r\nContent-Disposition: {'a' * 10_000}".encode()),
        ("a hundred fields", form(*[(f'form-data; name="f{n}"', b"x") for n in range(100)])),
        ("an empty image", form(('form-data; name="image"; filename="a.jpg"', b""))),
        ("a null name", form(('form-data; name="im\0age"', b"\xff\xd8\xff"))),
    ],
)
def test_a_body_that_is_no_such_form_is_400(faces, name, body):
    status, detail = error(send(faces, body))
    assert status == 400, name
    assert BOUNDARY not in detail


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        "multipart/mixed; boundary=" + BOUNDARY,
        "",
    ],
)
def test_a_content_type_that_is_no_form_is_400(faces, jpeg, kind):
    status, detail = error(send(faces, form(('form-data; name="image"', jpeg(ONE))), kind))
    assert status == 400
    assert "multipart/form-data" in detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive(), "format is not supported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "format is not supported"),
        (b"%PDF-1.7\n" + bytes(100), "format is not supported"),
        (b"GIF89a" + bytes(100), "format is not supported"),
        (b"\xff\xd8\xff" + bytes(100), "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "cannot be read"),
        (b"", "empty"),
    ],
    ids=["ZIP", "SVG", "PDF", "GIF", "JPEG's first bytes", "PNG's first bytes", "zero bytes"],
)
@pytest.mark.parametrize("call", ["detect", "mask"])
def test_what_is_no_picture_is_400_whatever_it_is_called(faces, content, words, call):
    status, detail = error(faces.send(call, content, {}, name="photo.jpg"))
    assert status == 400
    assert words in detail


@pytest.mark.parametrize("call", ["detect", "mask"])
def test_51_megapixels_are_400(faces, call):
    buffer = io.BytesIO()
    Image.new("L", (7142, 7142)).save(buffer, "PNG")
    status, detail = error(faces.send(call, buffer.getvalue(), {}))
    assert status == 400
    assert "megapixels" in detail


@pytest.mark.parametrize("call", ["detect", "mask"])
def test_more_than_10_mb_are_400(faces, call):
    status, detail = error(faces.send(call, b"\xff\xd8\xff" + bytes(10 << 20), {}))
    assert status == 400
    assert "10 MB" in detail


def test_more_than_the_bodys_bound_is_413(faces):
    body = form(('form-data; name="other"', bytes(33 << 20)), ('form-data; name="image"', b"\xff\xd8\xff"))
    assert error(send(faces, body))[0] == 413


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "a\\..\\b.jpg",
        "photo.jpg\r\nX-Injected: yes",
        "%0d%0aX-Injected:%20yes",
        "\u202egpj.exe",
        "<script>alert(1)</script>",
        "a" * 3000,
        "사진.jpg",
        "",
    ],
)
def test_a_files_name_does_nothing(faces, jpeg, name):
    disposition = f'form-data; name="image"; filename="{name}"'.replace("\r\n", "%0D%0A")
    answer = send(faces, form((disposition, jpeg(ONE))), call="mask")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert "X-Injected" not in answer.headers
    assert not any(name in value for value in answer.headers.values() if name)


def test_a_wrong_part_type_is_no_harm(faces, jpeg):
    body = form(
        ('form-data; name="image"; filename="a.txt"\r\nContent-Type: text/html', jpeg(ONE)),
    )
    assert send(faces, body).json()["summary"]["face_count"] == 1


def test_a_polyglot_comes_out_as_the_picture_alone(faces, jpeg):
    """A JPEG that is a ZIP and a page of HTML, too."""
    sent = jpeg(ONE) + b"<html><script>alert(1)</script></html>" + archive()
    answer = faces.mask(sent)
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"script" not in answer.content
    assert not zipfile.is_zipfile(io.BytesIO(answer.content))


@pytest.fixture(scope="module")
def impatient(stack):
    with gateway_beside(stack, FIDOX_BODY_TIMEOUT_S="1", FIDOX_MAX_BODY_BYTES=str(1 << 20)) as url:
        yield url


def begin(url: str, key: str, length: str) -> socket.socket:
    """A request whose body has begun."""
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port), timeout=60)
    head = (
        f"POST /api/v1/detect HTTP/1.1\r\nHost: {where.netloc}\r\nX-API-Key: {key}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{length}\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection


def test_a_body_that_stalls_is_refused_in_time(impatient, key):
    with begin(impatient, key[1], "Content-Length: 1000") as connection:
        connection.sendall(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"\r\n\r\n'.encode())
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"did not arrive within 1 s" in answer


def test_a_body_that_trickles_for_ever_is_refused_in_time(impatient, key):
    with begin(impatient, key[1], "Transfer-Encoding: chunked") as connection:
        connection.settimeout(0.2)

        def told() -> bytes:
            """What comes back for one piece more."""
            try:
                connection.sendall(b"1\r\nx\r\n")
                return connection.recv(65536)
            except TimeoutError:
                return b""

        answer = until(told, "it is refused")
    assert answer.startswith(b"HTTP/1.1 400"), answer


def test_a_body_that_never_ends_is_413(impatient, key):
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    with begin(impatient, key[1], "Transfer-Encoding: chunked") as connection:
        first = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\n'.encode()
        connection.sendall(f"{len(first):x}\r\n".encode() + first + b"\r\n")
        try:
            for _ in range(64):
                connection.sendall(piece)
        except OSError:  # it hung up on us, which is as good
            pass
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413"), answer


def test_the_other_dialects_bodies_end_in_time_too(impatient, stack, demo):
    where = urlsplit(impatient)
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        connection.sendall(
            f"POST /face/count HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {demo.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"REQ001" in answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/detect", 405),
        ("DELETE", "/api/v1/mask", 405),
        ("POST", "/api/v1/nothing", 404),
        ("GET", "/api/v1", 404),
        ("POST", "/api/v1/detect/", 401),
    ],
)
def test_paths_and_methods_that_are_none_have_the_form_too(anybody, method, path, status):
    assert error(anybody.request(method, path))[0] == status


def refused_early(stack, length: str, *later: bytes) -> tuple[bytes, socket.socket]:
    """A call without a key, whose body comes after it was refused: what it was told, and its connection."""
    connection = begin(stack.base_url, "none of ours", length)
    time.sleep(0.2)
    for piece in later:
        connection.sendall(piece)
    return connection.recv(65536), connection


def test_a_call_refused_before_its_body_came_keeps_its_connection(stack):
    def is_kept() -> bool:
        """On a busy machine the body may come too late for that."""
        answer, connection = refused_early(stack, "Content-Length: 30", bytes(30))
        with connection:
            assert answer.startswith(b"HTTP/1.1 401"), answer
            if b"connection: close" in answer.lower():
                return False
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            return True

    until(is_kept, "the connection is kept")


@pytest.mark.parametrize("length", ["Content-Length: 1000000", "Transfer-Encoding: chunked", "Content-Length: 30"])
def test_a_call_refused_while_its_body_is_long_or_late_is_told_that_the_connection_ends(stack, length):
    answer, connection = refused_early(stack, length)
    with connection:
        assert answer.startswith(b"HTTP/1.1 401"), answer
        assert b"connection: close" in answer.lower()
        while connection.recv(65536):
            pass
