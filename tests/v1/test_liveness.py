"""/v1/liveness/detect on real, photographed, forged and masked faces."""

import base64

import pytest

from tests.conftest import SHARED, need
from tests.support.v1 import error

FIELDS = {"deepfake": "deepfake", "photo": "photoAttack", "mask": "mask"}


@pytest.fixture(scope="module")
def picture():
    """A picture of the liveness set as base64: picture("photo/image_T1.jpg")."""
    folder = need(SHARED / "testdata" / "liveness")
    return lambda name: base64.b64encode((folder / name).read_bytes()).decode()


def detected(answer) -> dict:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [name for name in body if name != "notice"] == ["success", "isReal", "confidence", "checks", "trxId"]
    assert body["success"] is True
    assert 0 <= body["confidence"] <= 1
    assert body["isReal"] == (not any(body["checks"].values()))
    return body


@pytest.mark.parametrize("check_type", FIELDS)
def test_only_the_check_that_was_asked_for_appears(demo_v1, photo, check_type):
    answer = demo_v1.post("/liveness/detect", image=photo("obama/obama.jpg"), checkType=check_type)
    assert list(detected(answer)["checks"]) == [FIELDS[check_type]]


def test_what_the_deepfake_check_misses_is_said_where_it_ran_and_only_there(demo_v1, photo):
    image = photo("obama/obama.jpg")
    for check_type, is_said in (("deepfake", True), ("all", True), ("photo", False), ("mask", False)):
        body = detected(demo_v1.post("/liveness/detect", image=image, checkType=check_type))
        assert ("notice" in body) is is_said
        assert not is_said or body["notice"].startswith("deepfake: in a trial the networks in use found none of 133")


@pytest.mark.parametrize("body", [{}, {"checkType": "all"}, {"checkType": None}])
def test_all_is_every_check_and_the_default(demo_v1, photo, body):
    answer = demo_v1.post("/liveness/detect", image=photo("obama/obama.jpg"), **body)
    assert set(detected(answer)["checks"]) == set(FIELDS.values())


def test_the_confidence_of_all_is_the_lowest_of_the_checks(demo_v1, photo):
    image = photo("obama/obama.jpg")
    each = [detected(demo_v1.post("/liveness/detect", image=image, checkType=name))["confidence"] for name in FIELDS]
    of_all = detected(demo_v1.post("/liveness/detect", image=image, checkType="all"))["confidence"]
    assert of_all == pytest.approx(min(each), abs=1e-3)


@pytest.mark.parametrize(("name", "attack"), [("image_T1.jpg", False), ("image_F1.jpg", True), ("image_F2.jpg", True)])
def test_a_photographed_face_is_told_from_a_real_one(demo_v1, picture, name, attack):
    found = detected(demo_v1.post("/liveness/detect", image=picture(f"photo/{name}"), checkType="photo"))
    assert found["checks"] == {"photoAttack": attack}
    assert found["isReal"] is not attack


def test_4040a_is_no_face(demo_v1, grey):
    need(SHARED / "models")
    assert error(demo_v1.post("/liveness/detect", image=grey)) == (404, "4040A")


def test_40923_is_several_comparable_faces(demo_v1, photo):
    assert error(demo_v1.post("/liveness/detect", image=photo("_groups/kit_with_rose.jpg"))) == (409, "40923")
