"""withLiveness in verify and identify: the liveness object only then, and what a spoof is."""

import base64
import secrets

import pytest

from tests.conftest import SHARED, need
from tests.fidox.test_faces import done
from tests.support.fidox import Fidox, error, make_tenant
from tests.support.ports import own_port

PHOTOS = SHARED / "testdata" / "liveness" / "photo"
VERIFIED = ("score", "matched", "threshold")


@pytest.fixture(scope="module")
def shot():
    """A picture of the print and screen samples as base64."""
    return lambda name: base64.b64encode(need(PHOTOS / name).read_bytes()).decode()


def test_a_living_face_has_the_documents_liveness_object(api, photo):
    done(api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")))
    body = {"userCode": "u", "image": photo("obama/obama2.jpg"), "withLiveness": True}
    liveness = done(api.post("/face/verify", **body), *VERIFIED, "liveness")["liveness"]
    assert set(liveness) == {"isLive", "score", "threshold"}
    assert liveness["isLive"] is True
    assert liveness["threshold"] == 0.5 <= liveness["score"] <= 1


def test_identify_has_it_too(api, photo):
    done(api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")))
    answer = api.post("/face/identify", image=photo("obama/obama2.jpg"), withLiveness=True)
    found = done(answer, "score", "matched", "uid", "liveness")
    assert found["uid"] == "u"
    assert found["liveness"]["isLive"] is True


def test_a_stranger_has_it_too(api, photo):
    answer = api.post("/face/identify", image=photo("obama/obama2.jpg"), withLiveness=True)
    assert done(answer, "score", "matched", "liveness")["liveness"]["isLive"] is True


@pytest.mark.parametrize("spoof", ["image_F1.jpg", "image_F2.jpg"])
def test_a_spoof_is_no_error_and_matches_as_the_face_says(api, shot, photo, spoof):
    done(api.post("/face/register", userCode="same", image=shot(spoof)))
    done(api.post("/face/register", userCode="other", image=photo("obama/obama.jpg")))
    for user, matched in (("same", True), ("other", False)):
        answer = api.post("/face/verify", userCode=user, image=shot(spoof), withLiveness=True)
        told = done(answer, *VERIFIED, "liveness")
        assert told["matched"] is matched
        assert told["liveness"]["isLive"] is False
        assert told["liveness"]["score"] < told["liveness"]["threshold"]
    found = done(
        api.post("/face/identify", image=shot(spoof), withLiveness=True), "score", "matched", "uid", "liveness"
    )
    assert (found["uid"], found["liveness"]["isLive"]) == ("same", False)


def test_what_is_wrong_with_the_call_is_told_as_without(api, photo, grey):
    for _ in range(5):  # either worker may be the first to answer
        assert error(
            api.post("/face/verify", userCode="nobody", image=photo("obama/obama.jpg"), withLiveness=True)
        ) == (400, "FR003")
        assert error(api.post("/face/verify", userCode="nobody", image=grey, withLiveness=True)) == (400, "FR003")
    assert error(api.post("/face/identify", image=grey, withLiveness=True)) == (400, "FR001")
    pair = photo("_groups/kit_with_rose.jpg")
    assert error(api.post("/face/identify", image=pair, withLiveness=True)) == (400, "FR002")


@pytest.fixture(scope="module")
def without_photo(tmp_path_factory):
    """A stack whose operator has taken the check out."""
    from deploy.local.stack import LocalStack

    environment = {"FIDOX_LIVENESS_CHECKS": "mask", "FIDOX_FACE_PROCESSES": "1"}
    with LocalStack(tmp_path_factory.mktemp("without"), port=own_port(), environment=environment) as running:
        yield running


@pytest.fixture
def user(without_photo, photo):
    """A tenant of that stack, with one user."""
    tenant = make_tenant(without_photo.database_url, f"test-{secrets.token_hex(4)}")
    with Fidox.login(without_photo.base_url, tenant.access_key, tenant.secret_key) as api:
        done(api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")))
        yield api


def refused(user, photo) -> None:
    for path in ("/face/verify", "/face/identify"):
        answer = user.post(path, userCode="u", image=photo("obama/obama2.jpg"), withLiveness=True)
        assert error(answer) == (503, "SYS001")
        assert int(answer.headers["Retry-After"]) >= 1
    assert done(user.post("/face/verify", userCode="u", image=photo("obama/obama2.jpg")), *VERIFIED)["matched"]


def test_without_the_check_it_is_503_and_names_it(user, photo):
    refused(user, photo)
    answer = user.post("/face/identify", image=photo("obama/obama2.jpg"), withLiveness=True)
    assert "photo" in answer.json()["message"]


def test_without_a_liveness_worker_it_is_503(without_photo, user, photo):
    without_photo.children["liveness"].stop()
    refused(user, photo)
