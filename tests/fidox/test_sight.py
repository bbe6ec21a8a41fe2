"""Turned pictures and pictures too bad to compare, through the API: known again, or told apart from "somebody else"."""

import base64
import io

import pytest
from PIL import Image, ImageFilter

from tests.conftest import SHARED, need
from tests.support.fidox import error
from tests.support.pictures import encoded


@pytest.fixture(scope="module")
def turned(people):
    """A photo turned counter-clockwise: turned("obama/obama2.jpg", 180)."""

    def make(name: str, degrees: int) -> str:
        with Image.open(people / name) as picture:
            return encoded(picture.convert("RGB").rotate(degrees, expand=True))

    return make


@pytest.fixture(scope="module")
def bad(people) -> str:
    """Of him, and nobody can say so."""
    with Image.open(people / "obama" / "obama2.jpg") as picture:
        small = picture.convert("RGB")
        small.thumbnail((40, 40))
        return encoded(small.resize((600, 600 * small.height // small.width)).filter(ImageFilter.GaussianBlur(8)))


def case(name: str) -> str:
    return base64.b64encode(need(SHARED / "cases" / name).read_bytes()).decode()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_picture_is_registered_verified_and_identified(api, photo, turned, degrees):
    assert api.post("/face/register", userCode="u", image=turned("obama/obama.jpg", degrees)).status_code == 200
    assert api.post("/face/verify", userCode="u", image=photo("obama/obama2.jpg")).json()["matched"] is True
    assert api.post("/face/verify", userCode="u", image=turned("obama/test1.jpg", 360 - degrees)).json()["matched"]
    assert api.post("/face/identify", image=turned("obama/obama2.jpg", degrees)).json()["uid"] == "u"


@pytest.mark.parametrize("name", ["upside_down_selfie.jpg", "id_card_upside_down.jpg"])
def test_a_selfie_and_a_card_on_their_head_are_the_person_in_them(api, photo, name):
    answer = api.post("/face/compare", image1=case(name), image2=photo("obama/obama2.jpg"))
    assert answer.json()["matched"] is True


def test_a_probe_too_bad_to_tell_is_fr005_and_says_what_to_change(api, photo, bad):
    api.post("/face/register", userCode="u", image=photo("obama/obama.jpg"))
    for answer in (
        api.post("/face/verify", userCode="u", image=bad),
        api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=bad),
    ):
        assert error(answer) == (400, "FR005")
        assert "sharp" in answer.json()["message"].lower()


def test_two_people_in_good_pictures_are_two(api, photo):
    answer = api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=photo("biden/biden.jpg"))
    assert (answer.status_code, answer.json()["matched"]) == (200, False)


def test_a_picture_in_which_nobody_is_to_be_seen_has_no_face(api):
    for path in ("register", "count"):
        answer = api.post(
            f"/face/{path}", image=case("all_transparent.png"), **({"userCode": "u"} if path == "register" else {})
        )
        if path == "register":
            assert error(answer) == (400, "FR001")
        else:
            assert answer.json()["faceCnt"] == 0


def test_a_whole_jpeg_without_its_end_is_a_picture(api, photo):
    answer = api.post("/face/compare", image1=case("samsung_noeoi_trailer.jpg"), image2=photo("obama/obama2.jpg"))
    assert answer.status_code == 200


def test_a_crowd_is_counted(api):
    with Image.open(need(SHARED / "testdata" / "crowds" / "crowd_0.jpg")) as picture:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=95)
    answer = api.post("/face/count", image=base64.b64encode(buffer.getvalue()).decode())
    assert answer.json()["faceCnt"] > 60
