"""Register, verify, identify, compare, count, delete: what the document says of each, on real faces."""

import re
import threading

import pytest

from tests.support.fidox import Fidox, error, make_tenant

TX = re.compile(r"tx_[0-9a-f]{12}")


def done(answer, *fields: str) -> dict:
    """The body of a success, after checking that it has exactly these fields beside the common four."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"success", "txId", "code", "message", *fields}
    assert body["success"] is True
    assert TX.fullmatch(body["txId"])
    assert (body["code"], body["message"]) == ("00000", "OK")
    return body


def test_register_verify_identify_delete(api, photo):
    done(api.post("/face/register", userCode="user-001", image=photo("obama/obama.jpg"), name="홍길동"))
    verified = done(
        api.post("/face/verify", userCode="user-001", image=photo("obama/obama2.jpg"), context="login"),
        "score",
        "matched",
        "threshold",
    )
    assert verified["matched"] is True
    assert verified["threshold"] == 0.7 <= verified["score"] <= 1
    found = done(api.post("/face/identify", image=photo("obama/test1.jpg")), "score", "matched", "uid", "name")
    assert (found["uid"], found["name"], found["matched"]) == ("user-001", "홍길동", True)
    done(api.delete("user-001"))
    assert error(api.post("/face/verify", userCode="user-001", image=photo("obama/obama2.jpg"))) == (400, "FR003")
    nobody = done(api.post("/face/identify", image=photo("obama/obama.jpg")), "score", "matched")
    assert nobody["matched"] is False


def test_an_answer_has_no_spaces_and_the_documents_order(api, photo):
    text = api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=photo("obama/obama2.jpg")).text
    assert re.fullmatch(
        r'\{"success":true,"txId":"tx_[0-9a-f]{12}","score":[0-9.]+,"matched":true,"code":"00000","message":"OK"\}',
        text,
    )


def test_a_user_without_a_name_is_identified_without_one(api, photo):
    done(api.post("/face/register", userCode="nameless", image=photo("biden/biden.jpg")))
    found = done(api.post("/face/identify", image=photo("biden/biden2.jpg")), "score", "matched", "uid")
    assert found["uid"] == "nameless"


@pytest.mark.parametrize(("context", "threshold"), [("login", 0.7), ("general", 0.7), ("monitoring", 0.6), (None, 0.7)])
def test_each_context_has_its_threshold_and_general_is_the_default(api, photo, context, threshold):
    api.post("/face/register", userCode="u", image=photo("obama/obama.jpg"))
    body = {"userCode": "u", "image": photo("obama/obama2.jpg")} | ({"context": context} if context else {})
    assert done(api.post("/face/verify", **body), "score", "matched", "threshold")["threshold"] == threshold


def test_verify_with_another_person_is_no_error(api, photo):
    api.post("/face/register", userCode="u", image=photo("obama/obama.jpg"))
    other = done(
        api.post("/face/verify", userCode="u", image=photo("biden/biden.jpg")), "score", "matched", "threshold"
    )
    assert other["matched"] is False
    assert other["score"] < other["threshold"]


def test_identify_where_nobody_matches_is_no_error_and_names_nobody(api, photo):
    api.post("/face/register", userCode="u", image=photo("obama/obama.jpg"), name="x")
    assert done(api.post("/face/identify", image=photo("biden/biden.jpg")), "score", "matched")["matched"] is False


def test_compare_tells_one_person_from_two(api, photo):
    same = done(
        api.post("/face/compare", image1=photo("rose_leslie/img1.jpg"), image2=photo("rose_leslie/img2.jpg")),
        "score",
        "matched",
    )
    assert same["matched"] is True
    other = done(
        api.post("/face/compare", image1=photo("rose_leslie/img1.jpg"), image2=photo("obama/obama.jpg")),
        "score",
        "matched",
    )
    assert other["matched"] is False
    assert other["score"] < 0.7 <= same["score"]


@pytest.mark.parametrize(("group", "count"), [("kit_with_rose.jpg", 2), ("obama_and_biden.jpg", 3)])
def test_count_counts_and_locates(api, photo, group, count):
    body = done(api.post("/face/count", image=photo(f"_groups/{group}")), "faceCnt", "faces")
    assert body["faceCnt"] == count == len(body["faces"])
    for face in body["faces"]:
        assert len(face) == 4
        assert all(isinstance(number, int) for number in face)
        assert face[2] > 10 < face[3]


def test_count_of_a_picture_without_faces_is_zero(api, grey):
    assert done(api.post("/face/count", image=grey), "faceCnt", "faces")["faceCnt"] == 0


def test_no_face_is_fr001_and_says_so(api, grey, photo):
    answer = api.post("/face/register", userCode="u", image=grey)
    assert error(answer) == (400, "FR001")
    assert answer.json()["message"].startswith("Face not detected in image")
    assert error(api.post("/face/identify", image=grey)) == (400, "FR001")
    assert error(api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=grey)) == (400, "FR001")


def test_several_faces_are_fr002(api, photo):
    pair = photo("_groups/kit_with_rose.jpg")
    assert error(api.post("/face/register", userCode="u", image=pair)) == (400, "FR002")
    assert error(api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=pair)) == (400, "FR002")


def test_an_unknown_user_is_fr003(api, photo):
    assert error(api.post("/face/verify", userCode="nobody", image=photo("obama/obama.jpg"))) == (400, "FR003")
    assert error(api.delete("nobody")) == (400, "FR003")


def test_a_known_user_is_fr004(api, photo):
    done(api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")))
    assert error(api.post("/face/register", userCode="u", image=photo("obama/obama2.jpg"))) == (400, "FR004")


def test_a_deleted_user_may_be_registered_again(api, photo):
    for _ in range(2):
        done(api.post("/face/register", userCode="u", image=photo("obama/obama.jpg")))
        done(api.delete("u"))


def test_a_picture_of_poor_quality_is_fr005_and_says_what_to_change(api, blurred):
    answer = api.post("/face/register", userCode="u", image=blurred)
    assert error(answer) == (400, "FR005")
    assert "sharp" in answer.json()["message"].lower()


def test_one_face_may_have_several_user_codes(api, photo):
    for code in ("a", "b"):
        done(api.post("/face/register", userCode=code, image=photo("obama/obama.jpg")))
        assert done(
            api.post("/face/verify", userCode=code, image=photo("obama/obama2.jpg")), "score", "matched", "threshold"
        )["matched"]


def test_of_two_registers_at_the_same_moment_one_wins_and_the_other_is_fr004(api, photo):
    image = photo("obama/obama.jpg")
    for code in ("race-1", "race-2", "race-3"):
        start, answers = threading.Barrier(4), []

        def register(code=code, start=start, answers=answers):
            with Fidox(api.base_url, api.token) as client:
                start.wait()
                answers.append(client.post("/face/register", userCode=code, image=image))

        threads = [threading.Thread(target=register) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
        assert {error(answer)[1] for answer in answers if answer.status_code == 400} == {"FR004"}


def test_tenants_never_see_one_another_on_any_endpoint(stack, api, photo, login):
    keys = make_tenant(stack.database_url, f"other-{api.token[-8:]}")
    other = login(keys)
    done(api.post("/face/register", userCode="same", image=photo("obama/obama.jpg"), name="ours"))
    assert error(other.post("/face/verify", userCode="same", image=photo("obama/obama2.jpg"))) == (400, "FR003")
    assert done(other.post("/face/identify", image=photo("obama/obama.jpg")), "score", "matched")["matched"] is False
    assert error(other.delete("same")) == (400, "FR003")
    done(other.post("/face/register", userCode="same", image=photo("biden/biden.jpg"), name="theirs"))
    assert (
        done(api.post("/face/identify", image=photo("obama/obama2.jpg")), "score", "matched", "uid", "name")["name"]
        == "ours"
    )
    found = done(api.post("/face/identify", image=photo("biden/biden2.jpg")), "score", "matched")
    assert found["matched"] is False
    done(other.delete("same"))
    assert done(
        api.post("/face/verify", userCode="same", image=photo("obama/obama2.jpg")), "score", "matched", "threshold"
    )["matched"]


def test_with_liveness_false_and_absent_have_no_liveness_object(api, photo):
    api.post("/face/register", userCode="u", image=photo("obama/obama.jpg"))
    body = {"userCode": "u", "image": photo("obama/obama2.jpg")}
    for more in ({}, {"withLiveness": False}, {"withLiveness": None}):
        done(api.post("/face/verify", **body, **more), "score", "matched", "threshold")
