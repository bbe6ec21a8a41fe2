"""What each recogniser is given and what it answers: pixels, alignment, dimension and model id."""

import cv2
import numpy as np
import pytest

from shared.settings import Inference, Settings, Weights
from shared.weights import Located, Place, UnknownWeightError, WeightStore, manifest
from tests.support import onnx_files
from workers.face.calibration import calibration_of
from workers.face.recognisers import KNOWN, RETAIL_PLACES, load_recogniser
from workers.vision import align
from workers.vision.decode import Image
from workers.vision.detection import Detection

ARCFACE, RETAIL = "arcface_lresnet100e_ir", "face_reidentification_retail_0095"


def located(name: str, path) -> Located:
    return Located(manifest.load().named(name), path, Place.FOLDER)


def face_at(landmarks: np.ndarray) -> Detection:
    return Detection(np.array([0, 0, 100, 100], np.float32), 0.9, landmarks.astype(np.float32))


@pytest.fixture(scope="module")
def projection() -> np.ndarray:
    return np.random.default_rng(7).normal(0, 1, (192, 512)).astype(np.float32)


@pytest.fixture(scope="module")
def arcface(tmp_path_factory, projection):
    """A small network with the inputs and outputs of arcfaceresnet100-8, and its scaling of pixels inside the graph."""
    path = onnx_files.write(
        tmp_path_factory.mktemp("weights") / "arcfaceresnet100-8.onnx",
        [
            onnx_files.node("Sub", ["data", "mean"], "centred"),
            onnx_files.node("Mul", ["centred", "scale"], "scaled"),
            onnx_files.node("AveragePool", ["scaled"], "pooled", kernel_shape=[14, 14], strides=[14, 14]),
            onnx_files.node("Flatten", ["pooled"], "flat", axis=1),
            onnx_files.node("MatMul", ["flat", "projection"], "fc1"),
        ],
        [
            onnx_files.tensor("mean", np.array([127.5])),
            onnx_files.tensor("scale", np.array([0.0078125])),
            onnx_files.tensor("projection", projection),
        ],
        [onnx_files.value("data", [1, 3, 112, 112])],
        [onnx_files.value("fc1", [1, 512])],
    )
    return load_recogniser(located(ARCFACE, path), Inference(precision="f32"))


def test_arcface_of_the_model_zoo_gets_rgb_of_0_to_255_aligned_to_112_pixels(arcface, projection):
    pixels = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    embedding = arcface.embed(Image.of(pixels), face_at(align.PLACES))  # already where they belong
    blocks = pixels[:, :, ::-1].astype(np.float64).reshape(8, 14, 8, 14, 3).mean((1, 3)).transpose(2, 0, 1)
    expected = ((blocks - 127.5) * 0.0078125).reshape(-1) @ projection
    assert embedding.dtype == np.float32
    assert np.allclose(embedding, expected / np.linalg.norm(expected), atol=1e-4)


def test_a_turned_face_gives_the_embedding_of_the_upright_one(arcface):
    small = np.random.default_rng(2).integers(0, 255, (14, 14, 3), dtype=np.uint8)
    upright = cv2.resize(small, (112, 112), interpolation=cv2.INTER_CUBIC)
    turned = np.rot90(upright, 2).copy()
    there = arcface.embed(Image.of(upright), face_at(align.PLACES))
    again = arcface.embed(Image.of(turned), face_at(111 - align.PLACES))
    assert there @ again > 0.999


def test_it_has_a_calibration_512_numbers_and_the_weights_name(arcface):
    assert (arcface.model_id, arcface.dimension) == (ARCFACE, 512)
    assert arcface.calibration == calibration_of(ARCFACE)
    arcface.warm_up()


def test_both_files_of_retail_0095_make_embeddings_of_one_model(tmp_path):
    store = WeightStore(Weights(cache=str(tmp_path)))
    found = store.find(f"{RETAIL}_onnx") or pytest.skip("needs the weights of retail-0095: ../shared/models")
    recogniser = load_recogniser(found, Inference())
    assert KNOWN[RETAIL] == KNOWN[f"{RETAIL}_onnx"]
    assert (recogniser.model_id, recogniser.dimension) == (RETAIL, 256)
    grey = Image.of(np.full((128, 128, 3), 120, np.uint8))
    embedding = recogniser.embed(grey, face_at(RETAIL_PLACES))
    assert embedding.shape == (256,)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_a_face_without_landmarks_cannot_be_embedded(arcface):
    grey = Image.of(np.full((128, 128, 3), 120, np.uint8))
    with pytest.raises(ValueError, match="needs landmarks"):
        arcface.embed(grey, Detection(np.array([0, 0, 9, 9], np.float32), 0.9, None))


def test_a_weight_of_another_role_is_refused_by_name(tmp_path):
    with pytest.raises(UnknownWeightError, match="scrfd_500m is not a recogniser: expected one of w600k_mbf"):
        load_recogniser(located("scrfd_500m", tmp_path / "scrfd_500m.onnx"), Inference())


def test_every_recogniser_of_the_manifest_can_be_loaded_and_has_a_calibration():
    names = {weight.name for weight in manifest.load().of_role("face.recogniser")}
    assert names <= set(KNOWN)
    for known in KNOWN.values():
        assert calibration_of(known.model_id)


def test_the_default_settings_name_no_weight():
    assert (Settings().faces.detector, Settings().faces.recogniser) == ("auto", "auto")
