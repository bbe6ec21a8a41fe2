"""Register, verify, compare, count, delete: what the document says of each, on real faces."""

from uuid import UUID

import pytest
from PIL import Image, ImageDraw, ImageEnhance

from tests.support import fidox
from tests.support.fidox import make_tenant
from tests.support.pictures import encoded
from tests.support.v1 import error


def done(answer, *fields: str) -> dict:
    """The body of a success, after checking its fields and their order."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["success", *fields]
    assert body["success"] is True
    if "trxId" in fields:
        assert UUID(body["trxId"]).version == 4
    return body


VERIFIED = COMPARED = ("score", "isMatch", "threshold", "engine", "trxId")


def test_register_verify_delete(v1, photo):
    made = done(v1.post("/fr/register", userCode="u", image=photo("obama/obama.jpg")), "message", "trxId")
    assert made["message"] == "등록 완료"
    verified = done(v1.post("/fr/verify", userCode="u", image=photo("obama/obama2.jpg"), context="login"), *VERIFIED)
    assert verified["isMatch"] is True
    assert verified["threshold"] == 0.7 <= verified["score"] <= 1
    assert verified["engine"] == "ezway"
    assert done(v1.delete("u"), "message")["message"] == "삭제 완료"
    assert error(v1.post("/fr/verify", userCode="u", image=photo("obama/obama2.jpg"))) == (409, "40915")


@pytest.mark.parametrize(("context", "threshold"), [("login", 0.7), ("general", 0.7), ("monitoring", 0.6), (None, 0.7)])
def test_each_context_has_its_threshold_and_general_is_the_default(v1, photo, context, threshold):
    v1.post("/fr/register", userCode="u", image=photo("obama/obama.jpg"))
    answer = v1.post("/fr/verify", userCode="u", image=photo("obama/obama2.jpg"), context=context)
    assert done(answer, *VERIFIED)["threshold"] == threshold


def test_verify_with_another_person_is_no_error(v1, photo):
    v1.post("/fr/register", userCode="u", image=photo("obama/obama.jpg"))
    other = done(v1.post("/fr/verify", userCode="u", image=photo("biden/biden.jpg")), *VERIFIED)
    assert other["isMatch"] is False
    assert other["score"] < other["threshold"]


def test_compare_tells_one_person_from_two(v1, photo):
    mine, also_mine, other = (photo(name) for name in ("obama/obama.jpg", "obama/obama2.jpg", "biden/biden.jpg"))
    assert done(v1.post("/fr/compare", image1=mine, image2=also_mine), *COMPARED)["isMatch"] is True
    assert done(v1.post("/fr/compare", image1=mine, image2=other), *COMPARED)["isMatch"] is False


@pytest.mark.parametrize(
    ("picture", "count"), [("obama/obama.jpg", 1), ("_groups/kit_with_rose.jpg", 2), ("_groups/obama_and_biden.jpg", 3)]
)
def test_count_counts(v1, photo, picture, count):
    assert done(v1.post("/fr/count", image=photo(picture)), "count", "trxId")["count"] == count


def test_count_of_a_picture_without_faces_is_zero(v1, grey):
    assert done(v1.post("/fr/count", image=grey), "count", "trxId")["count"] == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_jpeg_png_and_webp_are_taken(v1, face, kind):
    assert done(v1.post("/fr/count", image=encoded(face, kind)), "count", "trxId")["count"] == 1


def test_registering_a_known_user_with_the_same_persons_new_photo_renews_them(v1, photo):
    for name in ("obama/obama.jpg", "obama/obama2.jpg"):
        done(v1.post("/fr/register", userCode="u", image=photo(name)), "message", "trxId")
    assert done(v1.post("/fr/verify", userCode="u", image=photo("obama/test1.jpg")), *VERIFIED)["isMatch"] is True


def test_registering_a_known_user_with_another_persons_face_is_40924_and_changes_nothing(v1, photo):
    done(v1.post("/fr/register", userCode="u", image=photo("obama/obama.jpg")), "message", "trxId")
    assert error(v1.post("/fr/register", userCode="u", image=photo("biden/biden.jpg"))) == (409, "40924")
    assert done(v1.post("/fr/verify", userCode="u", image=photo("obama/obama2.jpg")), *VERIFIED)["isMatch"] is True
    assert done(v1.post("/fr/verify", userCode="u", image=photo("biden/biden2.jpg")), *VERIFIED)["isMatch"] is False


def test_who_registers_in_one_dialect_verifies_in_the_other(api, v1, photo):
    assert api.post("/face/register", userCode="root", image=photo("obama/obama.jpg"), name="홍길동").status_code == 200
    done(v1.post("/fr/register", userCode="v1", image=photo("biden/biden.jpg")), "message", "trxId")
    assert done(v1.post("/fr/verify", userCode="root", image=photo("obama/obama2.jpg")), *VERIFIED)["isMatch"] is True
    assert api.post("/face/verify", userCode="v1", image=photo("biden/biden2.jpg")).json()["matched"] is True
    assert api.post("/face/identify", image=photo("biden/biden2.jpg")).json()["uid"] == "v1"
    done(v1.delete("root"), "message")
    assert fidox.error(api.delete("root")) == (400, "FR003")
    assert api.delete("v1").status_code == 200
    assert error(v1.delete("v1")) == (404, "40402")


def test_tenants_never_see_one_another_on_any_endpoint(stack, v1, login_v1, photo):
    other = login_v1(make_tenant(stack.database_url, f"other-{v1.token[-8:]}"))
    done(v1.post("/fr/register", userCode="same", image=photo("obama/obama.jpg")), "message", "trxId")
    assert error(other.post("/fr/verify", userCode="same", image=photo("obama/obama2.jpg"))) == (409, "40915")
    assert error(other.delete("same")) == (404, "40402")
    # No 40924: to the other tenant the code is new.
    done(other.post("/fr/register", userCode="same", image=photo("biden/biden.jpg")), "message", "trxId")
    mine = v1.post("/fr/verify", userCode="same", image=photo("obama/obama2.jpg"))
    assert done(mine, *VERIFIED)["isMatch"] is True
    done(other.delete("same"), "message")
    mine = v1.post("/fr/verify", userCode="same", image=photo("obama/obama2.jpg"))
    assert done(mine, *VERIFIED)["isMatch"] is True


@pytest.mark.parametrize("code", ["홍길동", "a/b", "a//b", "a/", "..", "register", "?x=1#y", "100%", "x" * 128])
def test_a_user_code_round_trips(v1, photo, code):
    done(v1.post("/fr/register", userCode=code, image=photo("obama/obama.jpg")), "message", "trxId")
    assert done(v1.post("/fr/verify", userCode=code, image=photo("obama/obama2.jpg")), *VERIFIED)["isMatch"] is True
    done(v1.delete(code), "message")
    assert error(v1.delete(code)) == (404, "40402")


# --- an ID card against a selfie ----------------------------------------------------------------------------------


def card(portrait: Image.Image, second: Image.Image | None = None, second_share: float = 0.3) -> str:
    """A card of 1012 x 638 with a portrait of 300 x 380 on the left and, fainter, another picture on the right.

    `second_share` is its size in terms of the portrait's.
    """
    page = Image.new("RGB", (1012, 638), (226, 232, 240))
    draw = ImageDraw.Draw(page)
    draw.rectangle((8, 8, 1003, 629), outline=(120, 130, 150), width=3)
    for row in range(6):
        draw.rectangle((400, 90 + 50 * row, 640 + 20 * (row % 3), 108 + 50 * row), fill=(70, 80, 100))
    page.paste(portrait.resize((300, 380)), (50, 120))
    if second is not None:
        size = (int(300 * second_share), int(380 * second_share))
        page.paste(ImageEnhance.Color(second.resize(size)).enhance(0.3), (1012 - size[0] - 20, 638 - size[1] - 20))
    return encoded(page)


@pytest.fixture(scope="module")
def portraits(people) -> dict[str, Image.Image]:
    """The head and shoulders of two people, 3:3.8."""
    found = {}
    for name in ("obama", "biden"):
        with Image.open(people / name / f"{name}.jpg") as picture:
            whole = picture.convert("RGB")
        width = min(whole.width, int(whole.height * 0.6))
        left = (whole.width - width) // 2
        found[name] = whole.crop((left, 0, left + width, int(width / 3 * 3.8)))
    return found


def test_the_portrait_of_a_card_is_compared_with_a_selfie(v1, photo, portraits):
    mine, others = photo("obama/obama2.jpg"), photo("biden/biden2.jpg")
    made = card(portraits["obama"])
    assert done(v1.post("/fr/compare", image1=made, image2=mine), *COMPARED)["isMatch"] is True
    assert done(v1.post("/fr/compare", image1=made, image2=others), *COMPARED)["isMatch"] is False


@pytest.mark.parametrize("second", ["obama", "biden"], ids=["ghost portrait", "another small face"])
def test_a_small_second_face_on_a_card_is_no_40923(v1, photo, portraits, second):
    made = card(portraits["obama"], portraits[second])
    assert done(v1.post("/fr/count", image=made), "count", "trxId")["count"] == 2
    answer = done(v1.post("/fr/compare", image1=made, image2=photo("obama/obama2.jpg")), *COMPARED)
    assert answer["isMatch"] is True


def test_two_comparable_faces_on_a_card_are_40923(v1, photo, portraits):
    made = card(portraits["obama"], portraits["biden"], second_share=0.95)
    answer = v1.post("/fr/compare", image1=made, image2=photo("obama/obama2.jpg"))
    assert error(answer) == (409, "40923")
    assert answer.json()["message"].startswith("다중 얼굴 감지")
