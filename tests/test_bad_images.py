"""Of every dialect, each endpoint that takes a picture, with each kind of broken one: the documented form and code."""

import base64
from typing import NamedTuple

import pytest
from PIL import Image

from gateway.dialects.fidox.errors import CODES as FIDOX_CODES
from gateway.dialects.v1.errors import CODES as V1_CODES
from gateway.dialects.xylolabs.errors import ROWS as XYLOLABS_ROWS
from shared.contracts import Failure
from tests.support import face_api, fidox, v1
from tests.support.pictures import encoded


class Endpoint(NamedTuple):
    """One that takes pictures, in the fields named `image…`."""

    dialect: str
    path: str
    images: tuple[str, ...] = ("image",)


ENDPOINTS = [
    *(Endpoint("fidox", f"/face/{name}") for name in ("register", "verify", "identify", "count")),
    Endpoint("fidox", "/face/compare", ("image1", "image2")),
    *(Endpoint("v1", f"/fr/{name}") for name in ("register", "verify", "count")),
    Endpoint("v1", "/fr/compare", ("image1", "image2")),
    Endpoint("v1", "/liveness/detect"),
    *(Endpoint("xylolabs", f"/{name}") for name in ("detect", "mask")),
]
# Base64 is not how a picture comes in there.
NO_BASE64 = {"no base64", "half a base64 quantum", "only a data prefix", "spaces"}
LIMIT = 10 << 20


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def cut(face: Image.Image, kind: str) -> str:
    """The first six tenths of a file."""
    whole = base64.b64decode(encoded(face, kind))
    return text_of(whole[: len(whole) * 6 // 10])


MADE = {
    "empty": (lambda _: "", Failure.BAD_IMAGE),
    "spaces": (lambda _: " \r\n", Failure.BAD_IMAGE),
    "no base64": (lambda _: "%%%", Failure.BAD_IMAGE),
    "half a base64 quantum": (lambda _: "AAAAA", Failure.BAD_IMAGE),
    "only a data prefix": (lambda _: "data:image/jpeg;base64,", Failure.BAD_IMAGE),
    "three bytes": (lambda _: "AAAA", Failure.UNSUPPORTED_IMAGE),
    "GIF": (lambda face: encoded(face.resize((64, 64)), "GIF"), Failure.UNSUPPORTED_IMAGE),
    "BMP": (lambda face: encoded(face.resize((64, 64)), "BMP"), Failure.UNSUPPORTED_IMAGE),
    "TIFF": (lambda face: encoded(face.resize((64, 64)), "TIFF"), Failure.UNSUPPORTED_IMAGE),
    "SVG": (lambda _: text_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Failure.UNSUPPORTED_IMAGE),
    "PDF": (lambda _: text_of(b"%PDF-1.7\n" + bytes(50)), Failure.UNSUPPORTED_IMAGE),
    "zip": (lambda _: text_of(b"PK\x03\x04" + bytes(50)), Failure.UNSUPPORTED_IMAGE),
    "a JPEG's first bytes": (lambda _: text_of(b"\xff\xd8\xff\xe0" + bytes(50)), Failure.BAD_IMAGE),
    "a PNG's first bytes": (lambda _: text_of(b"\x89PNG\r\n\x1a\n" + bytes(50)), Failure.BAD_IMAGE),
    "a truncated JPEG": (lambda face: cut(face, "JPEG"), Failure.BAD_IMAGE),
    "a truncated PNG": (lambda face: cut(face, "PNG"), Failure.BAD_IMAGE),
    "over 10 MB": (lambda _: text_of(b"\xff\xd8\xff" + bytes(LIMIT)), Failure.IMAGE_TOO_LARGE),
    "over 50 megapixels": (lambda _: encoded(Image.new("L", (7072, 7072)), "PNG"), Failure.IMAGE_TOO_LARGE),
    # The root API does not take WebP at all; v1 does.
    "a WebP's first bytes": (lambda _: text_of(b"RIFF\x32\x00\x00\x00WEBPVP8 " + bytes(50)), Failure.BAD_IMAGE),
    "a truncated WebP": (lambda face: cut(face, "WEBP"), Failure.BAD_IMAGE),
}


@pytest.fixture(scope="module")
def pictures(face) -> dict[str, str]:
    return {name: make(face) for name, (make, _) in MADE.items()}


@pytest.fixture(scope="module")
def clients(stack, demo, photo):
    """Two dialects as one tenant, with a user to verify, and the third with a key."""
    demo.delete("broken pictures")
    answer = demo.post("/face/register", userCode="broken pictures", image=photo("obama/obama.jpg"))
    assert answer.status_code == 200, answer.text
    _, key = face_api.make_key(stack.database_url, "broken pictures")
    with v1.V1(demo.base_url, demo.token) as client, face_api.FaceApi(demo.base_url, key) as keyed:
        yield {"fidox": demo, "v1": client, "xylolabs": keyed}


def expected(dialect: str, kind: str) -> tuple[int, str]:
    """Status and code, or the words that stand for one, as the dialect's table has them."""
    failure = MADE[kind][1]
    if dialect == "xylolabs":
        return XYLOLABS_ROWS[failure]
    if dialect == "fidox":
        row = FIDOX_CODES[Failure.UNSUPPORTED_IMAGE if "WebP" in kind else failure]
    else:
        row = V1_CODES[failure]
    assert row.status == 400
    return row.status, row.code


CASES = [
    (endpoint, kind)
    for endpoint in ENDPOINTS
    for kind in MADE
    if endpoint.dialect != "xylolabs" or kind not in NO_BASE64
]


def error_of(dialect: str, answer) -> tuple[int, str]:
    """Status and code, or words, after checking the form."""
    if dialect == "xylolabs":
        status, detail = face_api.error(answer)
        return status, detail.partition(":")[0]
    return {"fidox": fidox.error, "v1": v1.error}[dialect](answer)


@pytest.mark.parametrize(("endpoint", "kind"), CASES, ids=[f"{one.dialect} {one.path} {kind}" for one, kind in CASES])
def test_a_broken_picture_is_400_in_the_dialects_form(clients, pictures, photo, endpoint, kind):
    for position, name in enumerate(endpoint.images):
        body = {"userCode": "broken pictures"} | dict.fromkeys(endpoint.images, photo("obama/obama.jpg"))
        if endpoint.path.endswith("register"):
            body["userCode"] = "nobody yet"
        answer = clients[endpoint.dialect].post(endpoint.path, **(body | {name: pictures[kind]}))
        assert error_of(endpoint.dialect, answer) == expected(endpoint.dialect, kind)
        assert ("2" in str(answer.json().get("message")).partition(":")[0]) == (position == 1)
