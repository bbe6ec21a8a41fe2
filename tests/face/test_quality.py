"""What register refuses, and in which words: by the plain measures, and with the two networks that join them."""

import hashlib
import logging
from dataclasses import replace

import cv2
import numpy as np
import pytest

from shared.settings import Inference, Weights
from shared.weights import Manifest, WeightStore
from tests.conftest import SHARED, need
from workers.face.judges import CLARITY, PLAIN, POSES, Judges, open_judges
from workers.face.quality import Fault, faults, unfit
from workers.vision.align import tilt
from workers.vision.decode import Image, ImageError, decode
from workers.vision.detection import Detection, DetectOptions
from workers.vision.primary_face import primary_face

MAX = 50_000_000
FRONTAL = ("obama/obama.jpg", "rose_leslie/img1.jpg", "biden/biden2.jpg", "alex_lacamoire/img1.jpg")
# Looking aside by 20 degrees and more as they are.
ASIDE = ("kit_harington/john2.jpeg", "obama/test1.jpg")


def as_image(pixels: np.ndarray) -> Image:
    return Image(pixels, pixels.shape[1], pixels.shape[0], 1.0)


def mirrored(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, ::-1])


def rotated(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """Turned in the plane, counterclockwise, the canvas grown so that nothing is cut off."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine, sine = np.abs(matrix[0, :2])
    size = int(height * sine + width * cosine), int(height * cosine + width * sine)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(pixels, matrix, size)


def turned(pixels: np.ndarray, face: Detection, degrees: float) -> np.ndarray:
    """The photo wrapped round a cylinder as wide as the face, and that turned to the picture's left."""
    x1, _, x2, _ = face.box
    radius, middle = 1.1 * (x2 - x1) / 2, (x1 + x2) / 2
    x = np.arange(pixels.shape[1])
    angle = np.arcsin(np.clip((x - middle) / radius, -1, 1)) + np.radians(degrees)
    seen = (np.abs(x - middle) < radius) & (np.abs(angle) < 1.5)
    source = np.where(seen, middle + radius * np.sin(angle), -1).astype(np.float32)
    rows = np.arange(pixels.shape[0], dtype=np.float32)[:, None]
    return cv2.remap(pixels, np.tile(source, (len(rows), 1)), np.tile(rows, (1, len(source))), cv2.INTER_LINEAR)


def eye_distance(face: Detection) -> float:
    return float(np.hypot(*(face.landmarks[1] - face.landmarks[0])))


def noisy(pixels: np.ndarray, spread: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, spread, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def see(engine):
    """The picture and the one face of pixels."""

    def look(pixels: np.ndarray) -> tuple[Image, Detection]:
        picture = as_image(pixels)
        return picture, primary_face(engine.detect(picture, DetectOptions()).faces)

    return look


@pytest.fixture
def portrait(image, see):
    """A photo of one person and its face."""
    return lambda name: see(image(name).pixels)


@pytest.fixture(params=["plain measures", "with networks"])
def gate(request) -> Judges:
    """Whoever judges: with and without the weights of the networks."""
    return PLAIN if request.param == "plain measures" else request.getfixturevalue("judges")


# --- what passes


def test_every_photo_of_one_person_is_good_enough(engine, people, gate):
    for folder in people.iterdir():
        for path in [] if folder.name.startswith("_") else folder.iterdir():
            image = decode(path.read_bytes(), max_pixels=MAX)
            assert faults(image, engine.detect(image, DetectOptions()).faces[0], gate) == (), path.name


def test_of_bare_faces_that_the_plain_measures_pass_the_networks_refuse_dark_glasses_and_stretched_crops(
    engine, judges
):
    refused, passed = [], 0
    for path in sorted(need(SHARED / "testdata/liveness/mask/without").iterdir()):
        image = decode(path.read_bytes(), max_pixels=MAX)
        try:
            face = primary_face(engine.detect(image, DetectOptions()).faces)
        except ImageError:
            continue
        assert faults(image, face) == (), path.name
        if faults(image, face, judges):
            refused.append(path.name)
        else:
            passed += 1
    assert refused == [
        "0_0_zhangzhenyue_0065.jpg",  # behind dark glasses
        # Close crops that were stretched to another shape.
        "1_0_chenyao_0014.jpg",
        "1_0_liuruilin_0024.jpg",
        "1_0_lvyi_0031.jpg",
    ]
    assert passed >= 25


# --- one word for each thing that may be wrong


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 9), Fault.SHARPNESS),
        (lambda pixels: (pixels * 0.12).astype(np.uint8), Fault.LIGHT),
        (lambda pixels: np.clip(pixels.astype(int) * 2 + 60, 0, 255).astype(np.uint8), Fault.LIGHT),
        (lambda pixels: cv2.resize(pixels, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA), Fault.SIZE),
        (lambda pixels: rotated(pixels, 60), Fault.POSE),
        (lambda pixels: rotated(pixels, -75), Fault.POSE),
    ],
    ids=["blurred", "dark", "burnt", "small", "tilted", "lying"],
)
def test_a_spoilt_photo_is_refused_for_what_is_wrong_with_it(image, see, gate, spoil, fault):
    assert fault in faults(*see(spoil(image("obama/obama.jpg").pixels)), gate)


@pytest.mark.parametrize("name", ASIDE)
def test_a_face_that_is_turned_away_is_refused_for_its_pose_alone(portrait, judges, see, gate, name):
    picture, face = portrait(name)
    away = np.copysign(45, judges.head_pose(picture, face).yaw)
    assert faults(*see(turned(picture.pixels, face, away)), gate) == (Fault.POSE,)


def test_every_fault_says_what_to_change():
    assert all(": " in fault.advice for fault in Fault)


# --- head pose


@pytest.mark.parametrize("name", FRONTAL)
def test_a_head_from_the_front_has_small_angles(portrait, judges, name):
    pose = judges.head_pose(*portrait(name))
    assert max(abs(pose.yaw), abs(pose.pitch), abs(pose.roll)) < 12


@pytest.mark.parametrize("name", [*ASIDE, "obama/obama2.jpg", "biden/biden.jpg"])
def test_a_mirrored_head_looks_the_other_way(portrait, judges, see, name):
    picture, face = portrait(name)
    pose, other = judges.head_pose(picture, face), judges.head_pose(*see(mirrored(picture.pixels)))
    assert abs(pose.yaw) > 10
    assert other.yaw == pytest.approx(-pose.yaw, abs=5)
    assert other.pitch == pytest.approx(pose.pitch, abs=5)
    assert other.roll == pytest.approx(-pose.roll, abs=5)


@pytest.mark.parametrize("name", FRONTAL)
def test_yaw_follows_a_turn_of_the_head(portrait, judges, see, name):
    picture, face = portrait(name)
    left, ahead, right = (judges.head_pose(*see(turned(picture.pixels, face, degrees))).yaw for degrees in (30, 0, -30))
    assert left - ahead > 10 < ahead - right


@pytest.mark.parametrize("degrees", [-45, -30, 30, 45])
def test_a_picture_that_is_turned_in_its_plane_changes_the_roll_and_nothing_else(portrait, judges, see, degrees):
    for name in FRONTAL:
        picture, face = portrait(name)
        pose = judges.head_pose(picture, face)
        picture, face = see(rotated(picture.pixels, degrees))
        again = judges.head_pose(picture, face)
        assert tilt(face.landmarks) == pytest.approx(-degrees, abs=12), name
        assert again.yaw == pytest.approx(pose.yaw, abs=6), name
        assert again.pitch == pytest.approx(pose.pitch, abs=6), name


def test_only_the_networks_see_that_a_face_without_landmarks_is_turned_away(portrait, judges, see):
    picture, face = portrait("kit_harington/john2.jpeg")
    picture, face = see(turned(picture.pixels, face, 45))
    bare = replace(face, landmarks=None)
    assert faults(picture, bare) == ()
    assert faults(picture, bare, judges) == (Fault.POSE,)


# --- face quality


# In the fourth the detector sees no face, neither so nor on its head.
FOUND = ("obama/obama.jpg", "rose_leslie/img1.jpg", "alex_lacamoire/img1.jpg")


@pytest.mark.parametrize("name", FOUND)
def test_only_the_network_sees_that_a_noisy_picture_is_blurred(portrait, judges, see, name):
    picture, face = portrait(name)
    eyes = eye_distance(face)
    spoilt = see(noisy(cv2.GaussianBlur(picture.pixels, (0, 0), eyes / 12), eyes / 3))
    assert faults(*spoilt) == ()
    assert faults(*spoilt, judges) == (Fault.SHARPNESS,)


# Not all of them: on its head, a face has a score of 0.17 to 0.32, by where exactly its landmarks are seen, and 0.3 is
# the limit.
@pytest.mark.parametrize("name", ["obama/obama.jpg", "alex_lacamoire/img1.jpg"])
def test_only_the_network_refuses_a_face_on_its_head(portrait, judges, see, name):
    picture, _ = portrait(name)
    upside_down = see(rotated(picture.pixels, 180))
    assert faults(*upside_down) == ()
    assert faults(*upside_down, judges) == (Fault.SHARPNESS,)


def test_a_worse_picture_has_a_lower_score(portrait, judges, see):
    for name in FRONTAL:
        picture, face = portrait(name)
        eyes = eye_distance(face)
        scores = [judges.how_clear(picture, face)]
        scores += [
            judges.how_clear(*see(cv2.GaussianBlur(picture.pixels, (0, 0), eyes / part))) for part in (14, 10, 8)
        ]
        assert scores == sorted(scores, reverse=True), (name, scores)


# --- weights that are missing or broken


@pytest.fixture
def store_of(tmp_path):
    """A WeightStore that finds these bytes under these names, with the right hashes, and nothing else."""

    def make(files: dict[str, bytes]) -> WeightStore:
        known = WeightStore(Weights(cache=str(tmp_path / "cache")), mirror=None).manifest
        entries = []
        for name in (*POSES, CLARITY):
            weight = known.named(name)
            if name in files:
                (tmp_path / weight.file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / weight.file).write_bytes(files[name])
                changes = {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": None, "probe": None}
                weight = type(weight)(**{field: getattr(weight, field) for field in weight.__struct_fields__} | changes)
            entries.append(weight)
        settings = Weights(folder=str(tmp_path), cache=str(tmp_path / "cache"))
        return WeightStore(settings, known=Manifest(tuple(entries)), mirror=None)

    return make


def model(name: str) -> bytes:
    need(SHARED / "models")
    return WeightStore(Weights()).locate(name).path.read_bytes()


def test_without_their_weights_the_plain_measures_judge_alone(store_of):
    assert open_judges(store_of({}), Inference()) == PLAIN


def test_one_of_the_two_networks_of_head_pose_is_none(store_of):
    found = open_judges(store_of({POSES[0]: model(POSES[0]), CLARITY: model(CLARITY)}), Inference())
    assert found.poses is None
    assert found.clarity is not None


@pytest.mark.parametrize("cut", [0, 100, 500_000])
def test_a_broken_file_is_logged_and_left_out(store_of, caplog, cut):
    with caplog.at_level(logging.WARNING):
        assert open_judges(store_of({name: model(name)[:cut] for name in (*POSES, CLARITY)}), Inference()) == PLAIN
    assert all(any(name in line for line in caplog.messages) for name in (*POSES, CLARITY))


def test_a_file_with_another_hash_is_logged_and_left_out(store_of, tmp_path, caplog):
    store = store_of({name: model(name) for name in (*POSES, CLARITY)})
    for name in (*POSES, CLARITY):
        (tmp_path / store.manifest.named(name).file).write_bytes(model(name)[:-1] + b"X")
    with caplog.at_level(logging.WARNING):
        assert open_judges(store, Inference()) == PLAIN
    assert sum("refused" in line for line in caplog.messages) == 3


def test_a_session_that_fails_leaves_the_plain_measures_and_a_line_in_the_log(store_of, portrait, see, caplog):
    # Networks for another picture, in the same containers: they load, and raise at every run.
    other = model("minifasnet_v2_2.7")
    mask = (need(SHARED / "models" / "originals") / "face_mask_detection.pb").read_bytes()
    broken = open_judges(store_of({**dict.fromkeys(POSES, other), CLARITY: mask}), Inference())
    assert broken.poses is not None is not broken.clarity
    picture, face = portrait("obama/obama.jpg")
    with caplog.at_level(logging.WARNING):
        assert faults(picture, face, broken) == ()
    assert {line.partition(":")[0] for line in caplog.messages} == {"no head pose", "no face quality"}
    blurred = see(cv2.GaussianBlur(picture.pixels, (0, 0), 9))
    assert faults(*blurred, broken) == faults(*blurred) != ()


# --- too bad to compare


@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_a_face_that_moved_is_told_from_one_that_stood_still(engine, image, degrees):
    picture = image("obama/obama.jpg")
    face = engine.detect(picture, DetectOptions()).faces[0]
    length = int(0.2 * face.height) | 1
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), degrees, 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    moved = Image.of(cv2.filter2D(picture.pixels, -1, kernel / kernel.sum()))
    soft = Image.of(cv2.GaussianBlur(picture.pixels, (0, 0), 0.02 * face.height))
    assert unfit(picture, face, 0.6, is_poor=False) == unfit(soft, face, 0.6, is_poor=False) == ()
    assert unfit(moved, face, 0.6, is_poor=False) == (Fault.SHARPNESS,)


def test_what_is_unclear_is_unfit_and_without_the_network_what_has_a_short_embedding(engine, image):
    picture = image("obama/obama.jpg")
    face = engine.detect(picture, DetectOptions()).faces[0]
    assert unfit(picture, face, 0.39, is_poor=False) == (Fault.SHARPNESS,)
    assert unfit(picture, face, 0.41, is_poor=True) == ()
    assert unfit(picture, face, None, is_poor=True) == (Fault.SHARPNESS,)
    assert unfit(picture, face, None, is_poor=False) == ()


def test_a_face_of_fewer_than_22_pixels_is_unfit_for_its_size(engine, image):
    picture = image("obama/obama.jpg")
    face = engine.detect(picture, DetectOptions()).faces[0]
    small = replace(face, box=face.box * np.float32(21 / face.height))
    assert unfit(picture, small, 0.6, is_poor=False) == (Fault.SIZE,)
    assert "come closer" in Fault.SIZE.advice
