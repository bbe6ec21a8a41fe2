"""YuNet: the same faces as OpenCV's own decoder finds, at confidences that mean what SCRFD's do."""

import cv2
import numpy as np
import pytest

from shared.settings import Faces, Inference, Settings, Weights
from shared.weights import Located, Place, UnknownWeightError, WeightStore, manifest
from workers.vision.decode import Image
from workers.vision.detection import DetectOptions
from workers.vision.detectors import load_detector, open_detector
from workers.vision.grid import SIDE, letterbox, place
from workers.vision.yunet import EXPONENT

OPTIONS = DetectOptions()
NAME = "yunet_2023mar"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Located:
    store = WeightStore(Weights(cache=str(tmp_path_factory.mktemp("cache"))))
    return store.find(NAME) or pytest.skip("needs the weights of YuNet: ../shared/models, or fidox weights fetch")


@pytest.fixture(scope="module")
def yunet(file):
    return load_detector(file, Inference())


@pytest.fixture(scope="module")
def portraits(people, image):
    return {
        path.relative_to(people).as_posix(): image(path.relative_to(people))
        for folder in sorted(people.iterdir())
        if not folder.name.startswith("_")
        for path in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("name", ["obama/obama.jpg", "biden/biden2.jpg", "_groups/obama_and_biden.jpg"])
def test_boxes_landmarks_and_scores_are_those_of_opencv(file, image, name):
    shown = image(name)
    yunet = load_detector(file, Inference(precision="f32"))
    frame = letterbox(shown.pixels.shape[1], shown.pixels.shape[0], 0.0, ((SIDE, SIDE),))
    score = 0.6  # below what is a face by default: more to compare
    opencv = cv2.FaceDetectorYN.create(str(file.path), "", (SIDE, SIDE), score, 0.4, 5000)
    rows = opencv.detect(place(shown.pixels, frame))[1]
    found = yunet.detect(shown, DetectOptions(confidence=score**EXPONENT, nms_threshold=0.4)).faces
    rows = rows[np.argsort(-rows[:, -1])]
    found = sorted(found, key=lambda face: -face.confidence)
    assert len(found) == len(rows) >= 1
    for face, row in zip(found, rows, strict=True):
        assert face.confidence ** (1 / EXPONENT) == pytest.approx(row[-1], abs=0.01)
        corners = np.concatenate((row[:2], row[:2] + row[2:4])).reshape(2, 2) / frame.scale
        within = np.clip(corners, 0, (shown.pixels.shape[1], shown.pixels.shape[0])).reshape(-1)
        tolerance = 3 / min(frame.scale)  # of pixels of the network's input: OpenCV pads to a square
        assert np.allclose(face.box, within, atol=tolerance)
        assert np.allclose(face.landmarks, row[4:14].reshape(5, 2) / frame.scale, atol=tolerance)


def test_every_photo_of_one_person_has_one_face_and_landmarks_from_left_to_right(yunet, portraits):
    assert len(portraits) >= 12
    for name, shown in portraits.items():
        (face,) = yunet.detect(shown, OPTIONS).faces
        left_eye, right_eye, nose, left_corner, right_corner = face.landmarks
        assert left_eye[0] < right_eye[0], name
        assert left_corner[0] < right_corner[0], name
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_corner[1], right_corner[1]), name


@pytest.mark.parametrize(("group", "count"), [("kit_with_rose", 2), ("obama_and_biden", 3)])
def test_the_faces_of_a_group_are_counted(yunet, image, group, count):
    assert len(yunet.detect(image(f"_groups/{group}.jpg"), OPTIONS).faces) == count


def test_a_tight_crop_of_a_face_is_found_in_the_second_look(yunet, image):
    whole = image("obama/obama.jpg")
    (found,) = yunet.detect(whole, OPTIONS).faces
    x1, y1, x2, y2 = found.box.astype(int)
    tight = cv2.resize(whole.pixels[y1:y2, x1:x2], (96, 96))
    (again,) = yunet.detect(Image.of(tight), OPTIONS).faces
    assert again.width > 60 < again.height


def test_noise_has_no_face(yunet):
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    assert yunet.detect(Image.of(noise), OPTIONS).faces == ()


def test_confidence_and_the_limit_of_faces_reach_it(yunet, image):
    group = image("_groups/obama_and_biden.jpg")
    assert yunet.detect(group, DetectOptions(confidence=0.999)).faces == ()
    assert len(yunet.detect(group, DetectOptions(max_faces=1)).faces) == 1


def test_it_is_what_finds_faces_where_it_is_asked_for_or_alone_allowed(yunet, tmp_path):
    cache = str(tmp_path)
    asked = open_detector(Settings(weights=Weights(cache=cache), faces=Faces(detector=NAME)))
    allowed = open_detector(Settings(weights=Weights(cache=cache, licence="commercial")))
    assert asked.model_id == allowed.model_id == yunet.model_id == NAME


def test_a_weight_of_another_role_is_refused_by_name(tmp_path):
    weight = manifest.load().named("w600k_mbf")
    with pytest.raises(UnknownWeightError, match="w600k_mbf is not a detector: expected a name that begins with"):
        load_detector(Located(weight, tmp_path / "w600k_mbf.onnx", Place.FOLDER), Inference())
