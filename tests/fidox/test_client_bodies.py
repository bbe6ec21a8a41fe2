"""Bodies as real clients write them: what is taken, and what is refused in words that say what is wrong."""

import base64
import gzip
import json
import re
import threading
import time

import httpx
import pytest

from gateway.base64text import Base64Error, decode_base64
from tests.conftest import SHARED, need
from tests.fidox.test_requests import ENDPOINTS
from tests.support.face_api import make_key
from tests.support.fidox import error

DATA = bytes(range(256)) * 5 + b"\xfb\xff"
PLAIN = base64.b64encode(DATA).decode()
assert PLAIN.endswith("=")
assert {"+", "/"} <= set(PLAIN)
URL_SAFE = base64.urlsafe_b64encode(DATA).decode()
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("="),
        URL_SAFE,
        URL_SAFE.rstrip("="),
        "\r\n".join(re.findall(".{1,76}", PLAIN.rstrip("="))),
        f" {URL_SAFE}\n",
        f"data:image/png;base64,{PLAIN}",
        f"DATA:image/jpeg;charset=utf-8;base64,{URL_SAFE.rstrip('=')}",
        PLAIN[:400] + URL_SAFE[400:],
    ],
)
def test_base64_is_taken_as_clients_write_it(text):
    assert decode_base64(text) == DATA


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("+", "%2B"), r"percent-encoded, at position \d+; send it as it is"),
        (PLAIN[:30] + "é" + PLAIN[30:], "not ASCII, at position 31"),
        ("한" + PLAIN, "not ASCII, at position 1"),
        (f"data:image/png;base64,{PLAIN[:10]}*", "does not have, at position 33"),
        (f"{PLAIN[:76]}\n{PLAIN[76:80]}*", "does not have, at position 82"),
        (f"image/png;base64,{PLAIN}", "prefix that does not begin with data:"),
        (f"b'{PLAIN}'", "Python bytes literal"),
        (f'"{PLAIN}"', "quotation mark, at position 1"),
        (PLAIN + PLAIN, f"goes on after its padding, at position {len(PLAIN.rstrip('=')) + 1}"),
        (PLAIN.rstrip("=")[: len(PLAIN) // 4 * 4 - 7], "middle of a byte"),
        (PLAIN + "===", "middle of a byte"),
    ],
)
def test_what_is_no_base64_is_told_what_is_wrong(text, words):
    with pytest.raises(Base64Error, match=words):
        decode_base64(text)


@pytest.mark.parametrize("name", ["base64_unpadded.json", "base64_urlsafe.json", "json_utf8_bom.json"])
def test_what_clients_send_is_taken(demo, name):
    answer = demo.client.post("/face/count", content=need(SHARED / "cases" / name).read_bytes(), headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["faceCnt"] == 1


@pytest.mark.parametrize(
    ("name", "headers", "word"),
    [
        ("json_utf16le_powershell.json", {}, "UTF-16"),
        ("json_gzip.json.gz", {}, "gzip"),
        ("json_gzip.json.gz", {"Content-Encoding": "gzip"}, "Content-Encoding: gzip"),
    ],
)
def test_other_encodings_are_refused_by_their_name(demo, name, headers, word):
    content = need(SHARED / "cases" / name).read_bytes()
    answer = demo.client.post("/face/count", content=content, headers=JSON | headers)
    assert error(answer) == (415, "REQ006")
    assert word in answer.json()["message"]
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-32-le", "UTF-32"),
        ("utf-32-be", "UTF-32"),
    ],
)
@pytest.mark.parametrize("path", [ENDPOINTS[0], "/auth/client/token"])
def test_unicode_in_other_bytes_is_named(demo, path, encoding, name):
    answer = demo.client.post(path, content='{"image": "사진"}'.encode(encoding), headers=JSON)
    assert error(answer) == (415, "REQ006")
    assert name in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "code", "where"), [("/v1/fr/count", "41500", "message"), ("/api/v1/detect", None, "detail")]
)
def test_every_dialect_refuses_a_compressed_body(demo, stack, path, code, where):
    headers = {
        "Content-Encoding": "gzip",
        "Content-Type": "multipart/form-data; boundary=x",
        "X-API-Key": make_key(stack.database_url, "compressed")[1],
    }
    answer = demo.client.post(path, content=gzip.compress(b"{}"), headers=headers)
    assert answer.status_code == 415
    assert answer.json().get("code") == code
    assert "Content-Encoding: gzip" in answer.json()[where]


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_body_that_is_said_to_be_plain_is_taken(demo, photo, encoding):
    body = json.dumps({"image": photo("obama/obama.jpg")})
    answer = demo.client.post("/face/count", content=body, headers=JSON | {"Content-Encoding": encoding})
    assert answer.status_code == 200


def test_an_unknown_encoding_is_refused_and_not_told_back(demo):
    answer = demo.client.post("/face/count", content=b"{}", headers=JSON | {"Content-Encoding": "secret-900101"})
    assert error(answer) == (415, "REQ006")
    assert "900101" not in answer.text


def test_an_image_in_base64_twice_is_named(demo, photo):
    twice = base64.b64encode(photo("obama/obama.jpg").encode()).decode()
    answer = demo.post("/face/count", image=twice)
    assert error(answer) == (400, "IMG001")
    assert "twice" in answer.json()["message"]


def test_megabytes_of_odd_base64_do_not_stop_the_gateway(stack, demo, photo):
    """A quadratic or a slow pass over them would: it was 1.4 s for each."""
    # 10 MB, the largest picture, in each of the ways that take the longest.
    plain = photo("obama/obama.jpg")
    odd = [
        "\n".join(re.findall(".{1,76}", "A" * 13_900_000)),
        "A" * 13_900_000 + "é",
        " " * 14_000_000 + plain,
        "-_" * 6_900_000 + "*",
    ]
    longest, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal longest
        with httpx.Client(base_url=stack.base_url, timeout=30) as client:
            while not done.is_set():
                began = time.perf_counter()
                assert client.get("/health/live").status_code == 200
                longest = max(longest, time.perf_counter() - began)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        statuses = [demo.post("/face/count", image=text).status_code for text in odd]
    finally:
        done.set()
        watcher.join()
    assert statuses == [400, 400, 200, 400]
    assert longest < 5, "far above what it takes on a busy machine, and far below a slow pass over all of them"
