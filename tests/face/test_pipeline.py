"""Detect, choose, align, embed, score: on real faces, and on what is made of them."""

import itertools

import cv2
import numpy as np
import pytest

from shared.contracts import Face, Failure
from workers.face.analysis import Want, analyse
from workers.face.calibration import Calibration, calibration_of
from workers.vision import align
from workers.vision.decode import Image, ImageError, decode
from workers.vision.detection import Detection, DetectOptions
from workers.vision.primary_face import primary_face
from workers.vision.profile import same_face

OPTIONS = DetectOptions()
MAX = 50_000_000


def jpeg(pixels: np.ndarray, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def as_image(pixels: np.ndarray) -> Image:
    return Image(pixels, pixels.shape[1], pixels.shape[0], 1.0)


def face(area: float) -> Detection:
    side = area**0.5
    return Detection(np.array([0, 0, side, side], np.float32), 0.9, None)


# --- detection


@pytest.mark.parametrize(("group", "count"), [("kit_with_rose", 2), ("obama_and_biden", 3)])
def test_the_faces_of_a_group_are_counted(engine, image, group, count):
    assert len(engine.detect(image(f"_groups/{group}.jpg"), OPTIONS).faces) == count


def test_every_photo_of_one_person_has_one_dominant_face(engine, people):
    photos = [path for folder in people.iterdir() if not folder.name.startswith("_") for path in folder.iterdir()]
    assert len(photos) >= 12
    for path in photos:
        primary_face(engine.detect(decode(path.read_bytes(), max_pixels=MAX), OPTIONS).faces)


def test_confidence_nms_and_the_limit_of_faces_reach_the_detector(engine, image):
    group = image("_groups/obama_and_biden.jpg")
    assert len(engine.detect(group, DetectOptions(confidence=0.999)).faces) == 0
    assert len(engine.detect(group, DetectOptions(max_faces=1)).faces) == 1
    overlapping = engine.detect(group, DetectOptions(nms_threshold=1.0))
    assert len(overlapping.faces) == overlapping.candidates_before_nms > 3


def test_a_tight_crop_of_a_face_is_found(engine, image):
    whole = image("obama/obama.jpg")
    (found,) = engine.detect(whole, OPTIONS).faces
    x1, y1, x2, y2 = found.box.astype(int)
    tight = cv2.resize(whole.pixels[y1:y2, x1:x2], (96, 96))
    (again,) = engine.detect(as_image(tight), OPTIONS).faces
    assert again.width > 60 < again.height
    assert again.box.min() >= 0
    assert again.box.max() <= 96


def test_a_picture_without_faces_has_none(engine):
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    assert engine.detect(as_image(noise), OPTIONS).faces == ()


def test_a_reduced_decode_finds_the_same_boxes(engine, photo):
    small = decode(photo("rose_leslie/img1.jpg"), max_pixels=MAX)
    data = jpeg(cv2.resize(small.pixels, None, fx=3, fy=3))
    results = [analyse(engine, data, OPTIONS, Want.FACES, max_pixels=MAX)]
    full = decode(data, max_pixels=MAX, keep_side=10_000)
    assert full.scale == 1
    (whole,) = engine.detect(full, OPTIONS).faces
    (reduced,) = results[0].faces
    assert abs(reduced.x - whole.box[0]) < 12
    assert abs(reduced.width - whole.width) < 20
    assert results[0].profile.image_size == (full.width, full.height)


def test_boxes_lie_inside_the_picture_and_come_largest_first(engine, photo):
    analysis = analyse(engine, photo("_groups/obama_and_biden.jpg"), OPTIONS, Want.FACES, max_pixels=MAX)
    areas = [found.width * found.height for found in analysis.faces]
    assert areas == sorted(areas, reverse=True)
    width, height = analysis.profile.image_size
    for found in analysis.faces:
        assert 0 <= found.x < found.x + found.width <= width
        assert 0 <= found.y < found.y + found.height <= height
        assert len(found.landmarks) == 5


# --- choice


@pytest.mark.parametrize("areas", [[100], [100, 39], [100, 25, 25, 25, 1]])
def test_the_largest_face_is_meant_if_it_dominates(areas):
    faces = [face(area) for area in areas]
    assert primary_face(faces) is faces[0]


@pytest.mark.parametrize(
    ("areas", "failure"),
    [
        ([], Failure.NO_FACE),
        ([100, 41], Failure.MULTIPLE_FACES),
        ([100, 100], Failure.MULTIPLE_FACES),
    ],
)
def test_no_face_and_comparable_faces_are_failures(areas, failure):
    with pytest.raises(ImageError) as caught:
        primary_face([face(area) for area in areas])
    assert caught.value.failure is failure


@pytest.mark.parametrize("group", ["kit_with_rose", "obama_and_biden"])
def test_people_posing_together_are_several_faces(engine, photo, group):
    with pytest.raises(ImageError) as caught:
        analyse(engine, photo(f"_groups/{group}.jpg"), OPTIONS, Want.EMBEDDING, max_pixels=MAX)
    assert caught.value.failure is Failure.MULTIPLE_FACES


def test_a_ghost_portrait_is_no_second_face(engine, image):
    card = image("obama/obama.jpg").pixels.copy()
    portrait = card[: card.shape[0] // 2]
    ghost = cv2.resize(portrait, None, fx=0.45, fy=0.45)
    canvas = np.full((card.shape[0], card.shape[1] + ghost.shape[1], 3), 200, np.uint8)
    canvas[:, : card.shape[1]] = card
    canvas[-ghost.shape[0] :, -ghost.shape[1] :] = ghost
    detections = engine.detect(as_image(canvas), OPTIONS)
    assert len(detections.faces) == 2
    assert primary_face(detections.faces) is detections.faces[0]


# --- align


@pytest.mark.parametrize(("angle", "scale", "shift"), [(0, 1, (0, 0)), (30, 0.5, (40, -7)), (-170, 3.3, (-5, 1000))])
def test_a_similarity_is_recovered_exactly(angle, scale, shift):
    turn = scale * np.exp(1j * np.radians(angle))
    points = (align.PLACES[:, 0] + 1j * align.PLACES[:, 1]) * turn + complex(*shift)
    moved = np.stack((points.real, points.imag), axis=1).astype(np.float32)
    matrix = align.similarity(moved)
    back = moved @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(back, align.PLACES, atol=1e-3)


def test_no_other_similarity_is_closer():
    rng = np.random.default_rng(3)
    points = align.PLACES + rng.normal(0, 4, (5, 2)).astype(np.float32)
    matrix = align.similarity(points)

    def error(candidate):
        return float((((points @ candidate[:, :2].T + candidate[:, 2]) - align.PLACES) ** 2).sum())

    for _ in range(200):
        a, b, x, y = rng.normal(0, 0.02, 4)
        other = matrix + np.array([[a, -b, x], [b, a, y]])
        assert error(matrix) <= error(other)


# --- embedding and score


def test_embeddings_are_normalised_and_of_the_declared_dimension(engine, photo):
    embedding = analyse(engine, photo("biden/biden.jpg"), OPTIONS, Want.EMBEDDING, max_pixels=MAX).embedding
    assert embedding.shape == (engine.dimension,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_everybody_is_themselves_and_nobody_another(engine, people):
    embeddings = {
        path: analyse(engine, path.read_bytes(), OPTIONS, Want.EMBEDDING, max_pixels=MAX).embedding
        for folder in people.iterdir()
        if not folder.name.startswith("_")
        for path in folder.iterdir()
    }
    pairs = list(itertools.combinations(embeddings, 2))
    assert len(pairs) >= 60
    for one, other in pairs:
        score = engine.calibration.score(float(embeddings[one] @ embeddings[other]))
        assert (score >= 0.7) == (one.parent == other.parent), (one.name, other.name, score)


def test_a_score_rises_with_the_cosine_from_0_to_1():
    calibration = calibration_of("w600k_mbf")
    scores = [calibration.score(cosine) for cosine in np.linspace(-1, 1, 401)]
    assert scores[0] == 0
    assert scores[-1] == 1
    assert all(low < high for low, high in itertools.pairwise(scores))
    assert calibration.score(calibration.cosine(0.7)) == pytest.approx(0.7)


@pytest.mark.parametrize(
    "knots",
    [
        ((-1.0, 0.0), (0.5, 0.5), (0.4, 0.7), (1.0, 1.0)),
        ((-1.0, 0.1), (1.0, 1.0)),
        ((-1.0, 0.0), (0.0, 0.6), (0.5, 0.6), (1.0, 1.0)),
    ],
)
def test_a_calibration_that_does_not_rise_is_refused(knots):
    with pytest.raises(ValueError, match="rise"):
        Calibration(models=("m",), measured="", knots=knots)


def test_a_model_without_a_calibration_has_no_score():
    with pytest.raises(KeyError, match="calibration"):
        calibration_of("unknown")


def test_every_step_of_an_analysis_is_timed(engine, photo):
    data = photo("obama/obama.jpg")
    profile = analyse(engine, data, OPTIONS, Want.TEMPLATE, max_pixels=MAX).profile
    for name in (
        "decode_ms",
        "preprocess_ms",
        "blob_ms",
        "inference_ms",
        "postprocess_ms",
        "nms_ms",
        "quality_ms",
        "embed_ms",
    ):
        assert getattr(profile, name) > 0, name
    assert profile.detector.startswith("scrfd")
    assert profile.input_bytes == len(data)
    assert profile.candidates_before_nms >= profile.candidates_after_nms >= 1


def box(x: float, y: float, size: float) -> Face:
    return Face(x=x, y=y, width=size, height=size, confidence=0.9)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (box(100, 100, 80), box(95, 110, 100), True),
        (box(100, 100, 80), box(300, 100, 80), False),
        (box(0, 0, 500), box(10, 10, 40), False),
        (box(100, 100, 80), None, False),
    ],
    ids=["two boxes of one face", "a passer-by", "a small face in a large one's corner", "not found"],
)
def test_two_engines_enrol_only_what_both_see_as_the_same_face(one, other, same):
    assert same_face(one, other) is same
