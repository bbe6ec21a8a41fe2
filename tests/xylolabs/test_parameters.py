"""Parameters of detect and mask: taken from the query or from the form, and never ignored."""

import pytest

from tests.conftest import SHARED, need
from tests.support.face_api import error
from tests.xylolabs.test_requests import BOUNDARY, form, send

ONE = "obama/obama.jpg"
IMAGE = 'form-data; name="image"; filename="photo.jpg"'


def masked(faces, jpeg, fields: dict[str, str], query: dict[str, str] | None = None):
    return faces.client.post("/api/v1/mask", params=query or {}, files={"image": jpeg(ONE)}, data=fields)


def test_fields_of_the_form_are_parameters(faces, jpeg):
    by_query = faces.mask(jpeg(ONE), method="solid", format="png", padding="0.3")
    by_form = masked(faces, jpeg, {"method": "solid", "format": "png", "padding": " 0.3 "})
    assert by_form.headers["content-type"] == "image/png"
    assert by_form.content == by_query.content
    mixed = masked(faces, jpeg, {"method": "solid", "padding": "0.3"}, {"format": "png"})
    assert mixed.content == by_query.content


def test_fields_may_come_behind_the_picture_or_before_it(faces, jpeg):
    method = ('form-data; name="max_faces"', b"1")
    before, behind = (
        send(faces, form(*parts)) for parts in ([method, (IMAGE, jpeg(ONE))], [(IMAGE, jpeg(ONE)), method])
    )
    assert before.status_code == behind.status_code == 200
    assert before.json()["detections"] == behind.json()["detections"]


def test_detect_takes_its_own(faces, jpeg):
    answer = faces.client.post(
        "/api/v1/detect", files={"image": jpeg(ONE)}, data={"confidence": "0.9", "nms_threshold": "0.3"}
    )
    assert answer.json()["processing"]["confidence_threshold"] == 0.9
    assert answer.json()["processing"]["nms_threshold"] == 0.3


@pytest.mark.parametrize(
    ("call", "name", "words"),
    [
        ("mask", "methd", "methd: there is no such parameter; did you mean method?"),
        ("mask", "Method", "Method: there is no such parameter; did you mean method?"),
        ("mask", "nmsThreshold", "nmsThreshold: there is no such parameter; did you mean nms_threshold?"),
        ("mask", "x", "x: there is no such parameter; known are confidence, nms_threshold, max_faces, method"),
        ("detect", "method", "method: there is no such parameter; known are confidence, nms_threshold, max_faces"),
        ("mask", "<b>x</b>", "a parameter: there is no such parameter"),
        ("mask", "x" * 33, "a parameter: there is no such parameter"),
        ("mask", "", "a parameter: there is no such parameter"),
    ],
)
@pytest.mark.parametrize("where", ["query", "form"])
def test_an_unknown_one_is_refused_by_its_name(faces, jpeg, call, name, words, where):
    if where == "query":
        answer = faces.send(call, jpeg(ONE), {name: "solid"})
    else:
        answer = send(faces, form((IMAGE, jpeg(ONE)), (f'form-data; name="{name}"', b"solid")), call=call)
    status, detail = error(answer)
    assert status == 400
    assert words in detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", "1.1"),
        ("confidence", "nan"),
        ("nms_threshold", "-0.1"),
        ("max_faces", "1.5"),
        ("strength", "0"),
        ("strength", "1000"),
        ("padding", "a"),
        ("quality", ""),
        ("quality", "9" * 300),
        ("method", "gauss"),
        ("format", "\xff"),
    ],
)
def test_fields_have_the_bounds_of_the_query(faces, jpeg, name, value):
    status, detail = error(masked(faces, jpeg, {name: value}))
    assert status == 400
    assert f"{name}: " in detail
    assert error(faces.mask(jpeg(ONE), **{name: value}))[0] == 400


def test_one_parameter_in_two_places_is_refused(faces, jpeg):
    status, detail = error(masked(faces, jpeg, {"method": "solid"}, {"method": "solid"}))
    assert (status, "not in both" in detail) == (400, True)
    twice = ('form-data; name="method"', b"solid")
    assert error(send(faces, form((IMAGE, jpeg(ONE)), twice, twice), call="mask"))[0] == 400


@pytest.mark.parametrize("encoding", ["cp949", "shift_jis", "gb18030", "big5", "latin-1", "utf-8"])
def test_a_file_name_may_be_in_any_code_page(faces, jpeg, encoding):
    name = {"latin-1": "é.jpg", "shift_jis": "表示.jpg", "gb18030": "照片.jpg", "big5": "照片.jpg"}.get(
        encoding, "홍길동.jpg"
    )
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode(encoding)
    assert send(faces, head + jpeg(ONE) + f"\r\n--{BOUNDARY}--\r\n".encode()).status_code == 200


def test_the_form_of_a_korean_windows_program_is_taken(faces):
    body = need(SHARED / "cases" / "multipart_cp949_filename.bin").read_bytes()
    boundary = body[2 : body.index(b"\r\n")].decode()
    assert send(faces, body, f"multipart/form-data; boundary={boundary}").status_code == 200
