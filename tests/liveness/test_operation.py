"""What the worker answers: the checks that were asked for, whichever the picture's form, and what is wrong with it."""

import io

import PIL.Image
import pytest

from shared.contracts import Check, Failure, LivenessChecked


def encoded(picture: PIL.Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def picture(portrait) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(portrait)).convert("RGB")


@pytest.mark.parametrize(
    "asked",
    [(Check.PHOTO,), (Check.DEEPFAKE,), (Check.MASK,), (Check.PHOTO, Check.MASK), (Check.MASK, Check.MASK), ()],
    ids=lambda asked: "+".join(asked) or "all",
)
def test_only_the_checks_asked_for_appear_and_none_named_are_all(check, portrait, asked):
    outcome = check(portrait, *asked)
    assert isinstance(outcome, LivenessChecked)
    assert {result.check for result in outcome.checks} == set(asked or Check)
    assert len(outcome.checks) == len(set(asked or Check))
    lowest = min(outcome.checks, key=lambda result: result.score)
    assert (outcome.score, outcome.threshold) == (lowest.score, lowest.threshold)
    assert outcome.is_live
    assert all(0 <= result.score <= 1 and result.model for result in outcome.checks)


def test_a_check_says_the_same_alone_as_among_all(check, portrait):
    together = {result.check: result.score for result in check(portrait).checks}
    for one in Check:
        assert check(portrait, one).score == together[one]


def test_one_attack_is_enough(check, samples):
    outcome = check((samples / "photo" / "image_F1.jpg").read_bytes())
    assert not outcome.is_live
    assert {result.check for result in outcome.checks if result.attack} == {Check.PHOTO}


def test_where_the_time_went_is_told(check, portrait):
    profile = check(portrait).profile
    assert profile.detector == "scrfd_500m"
    assert 0 < profile.decode_ms + profile.inference_ms < profile.total_ms
    assert (profile.image_size, profile.input_bytes) == ((626, 1200), len(portrait))


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [("L", "PNG", {}), ("RGBA", "PNG", {}), ("LA", "PNG", {}), ("RGB", "WEBP", {"quality": 95}), ("L", "JPEG", {})],
)
def test_grey_alpha_and_webp_are_pictures_like_any_other(check, picture, mode, kind, options):
    outcome = check(encoded(picture.convert(mode), kind, **options), Check.MASK)
    assert isinstance(outcome, LivenessChecked)
    assert outcome.is_live


def test_no_face(check):
    grey = encoded(PIL.Image.new("RGB", (320, 240), (120, 120, 120)), "JPEG")
    outcome = check(grey)
    assert (outcome.failure, outcome.image) == (Failure.NO_FACE, 0)


def test_two_comparable_faces(check, people):
    outcome = check((people / "_groups" / "kit_with_rose.jpg").read_bytes())
    assert (outcome.failure, outcome.image) == (Failure.MULTIPLE_FACES, 0)


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"", Failure.BAD_IMAGE),
        (b"no picture", Failure.BAD_IMAGE),
        (encoded(PIL.Image.new("1", (7072, 7072)), "PNG"), Failure.IMAGE_TOO_LARGE),
    ],
    ids=["empty", "text", "bomb"],
)
def test_a_bad_image_fails_as_in_the_face_operations(check, data, failure):
    assert check(data).failure is failure


def test_a_truncated_file(check, portrait):
    assert check(portrait[:-5000]).failure is Failure.BAD_IMAGE


@pytest.mark.parametrize("corner", [(0, 0), (1, 1)])
def test_a_small_face_in_the_corner_is_answered(check, picture, corner):
    """Every crop reaches far over the edge then."""
    head = picture.crop((150, 60, 500, 560)).resize((42, 60))
    wide = PIL.Image.new("RGB", (640, 480), (90, 110, 130))
    wide.paste(head, (corner[0] * (640 - 42), corner[1] * (480 - 60)))
    outcome = check(encoded(wide, "PNG"))
    assert isinstance(outcome, LivenessChecked)
    assert len(outcome.checks) == 3


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_picture_is_judged_upright(check, picture, degrees):
    upright = check(encoded(picture, "PNG"))
    found = check(encoded(picture.rotate(degrees, expand=True), "PNG"))
    for there, here in zip(upright.checks, found.checks, strict=True):
        assert (here.attack, here.score) == (there.attack, pytest.approx(there.score, abs=0.05))
