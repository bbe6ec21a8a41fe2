"""withLiveness: what a spoof changes, and what it changes where the tenant wants it to."""

import base64
import time

import psycopg
import pytest

from shared.db.batches import FLUSH_S
from tests.conftest import SHARED, need
from tests.support.waiting import until


@pytest.fixture(scope="module")
def picture():
    """A picture of the liveness set as base64."""
    folder = need(SHARED / "testdata" / "liveness" / "photo")
    return lambda name: base64.b64encode((folder / name).read_bytes()).decode()


@pytest.fixture
def enrolled(api, picture):
    """The root API as a tenant whose only user was enrolled with a spoof: the face is theirs."""
    assert api.post("/face/register", userCode="u", image=picture("image_F1.jpg"), name="n").status_code == 200
    return api


def both(api, image: str) -> tuple[dict, dict]:
    """verify's and identify's answers."""
    answers = (
        api.post("/face/verify", userCode="u", image=image, withLiveness=True),
        api.post("/face/identify", image=image, withLiveness=True),
    )
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    return tuple(answer.json() for answer in answers)


def test_a_spoof_is_told_of_and_matched_is_as_the_face_says(enrolled, picture):
    verified, identified = both(enrolled, picture("image_F1.jpg"))
    for answer in (verified, identified):
        assert set(answer["liveness"]) == {"isLive", "score", "threshold"}
        assert answer["liveness"]["isLive"] is False
        assert answer["liveness"]["score"] < answer["liveness"]["threshold"] == 0.5
        assert answer["matched"] is True
    assert (identified["uid"], identified["name"]) == ("u", "n")


def test_where_the_tenant_wants_it_a_spoof_matches_nobody(stack, tenant, enrolled, picture):
    stack.fidox("tenants", "set", tenant.name, "--spoof-rejects")
    until(lambda: not both(enrolled, picture("image_F1.jpg"))[0]["matched"], "the gateway knows of it")
    verified, identified = both(enrolled, picture("image_F1.jpg"))
    assert (verified["matched"], identified["matched"]) == (False, False)
    assert not {"uid", "name"} & set(identified)
    assert verified["liveness"]["isLive"] is False
    # Whoever does not ask for liveness is not told of a spoof, and a live face matches as ever.
    answer = enrolled.post("/face/verify", userCode="u", image=picture("image_F1.jpg"))
    assert answer.json()["matched"] is True


def test_a_call_of_two_jobs_is_one_transaction(stack, enrolled, picture):
    answer = enrolled.post("/face/verify", userCode="u", image=picture("image_F1.jpg"), withLiveness=True)
    assert answer.status_code == 200, answer.text

    def rows() -> list[tuple]:
        query = "SELECT operation, outcome, engine, matched FROM transactions WHERE tx_id = %s"
        with psycopg.connect(stack.database_url) as connection:
            return connection.execute(query, (answer.json()["txId"],)).fetchall()

    until(rows, "it is recorded")
    time.sleep(2 * FLUSH_S)  # a second one would be written by now
    assert rows() == [("verify", "ok", "ezway", True)]
