"""What networks run on, in which precision, and that both runtimes give the same numbers, also to many at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from shared.settings import Inference, Weights
from shared.weights import WeightStore
from tests.conftest import SHARED, need
from workers.inference.openvino import OpenvinoNetwork, precision_for
from workers.inference.sessions import open_network

# An input for each, in the range that it was trained on.
INPUTS = {
    "w600k_mbf_dequantised": ((1, 3, 112, 112), -1, 1),
    "fsanet_1x1": ((1, 3, 64, 64), -1, 1),
    "minifasnet_v2_2.7": ((1, 3, 80, 80), 0, 255),
}
SIZES = ((320, 320), (192, 320))


@pytest.fixture(scope="module")
def store() -> WeightStore:
    need(SHARED / "models")
    return WeightStore(Weights())


def pictures(shape: tuple[int, ...], low: float, high: float, count: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(low, high, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("weight", "settings", "runtime", "precision"),
    [
        ("scrfd_500m", Inference(precision="bf16"), "OpenVINO", "bf16"),
        ("scrfd_500m", Inference(precision="f32"), "ONNX Runtime", "f32"),
        ("scrfd_2.5g", Inference(precision="f32"), "OpenVINO", "f32"),
        ("scrfd_2.5g", Inference(runtime="onnxruntime"), "ONNX Runtime", "f32"),
        ("w600k_mbf_dequantised", Inference(precision="bf16"), "OpenVINO", "bf16"),
        # In a container that OpenVINO alone reads, whatever the setting.
        ("face_mask_aizoo_260", Inference(runtime="onnxruntime", precision="f32"), "OpenVINO", "f32"),
    ],
)
def test_the_settings_say_what_a_network_runs_on(store, weight, settings, runtime, precision):
    loaded = open_network(store.locate(weight), settings).loaded
    assert loaded.runtime.startswith(runtime)
    assert loaded.precision == precision


def test_what_loses_too_much_in_bf16_stays_exact():
    assert precision_for("bf16", exact=True) == "f32"
    assert precision_for("bf16", exact=False) == "bf16"


@pytest.mark.parametrize("weight", INPUTS)
def test_both_runtimes_give_the_same_numbers(store, weight):
    located = store.locate(weight)
    batch = pictures(*INPUTS[weight], 1)[0]
    one = open_network(located, Inference(runtime="onnxruntime")).run(batch)
    other = open_network(located, Inference(precision="f32")).run(batch)
    assert [output.shape for output in one] == [output.shape for output in other]
    for first, second in zip(one, other, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-3 * np.abs(first).max())


@pytest.mark.parametrize("callers", [1, 3])
def test_nobody_gets_the_answer_to_anothers_picture(store, callers):
    network = open_network(store.locate("w600k_mbf_dequantised"), Inference(precision="f32"), callers=callers)
    inputs = pictures(*INPUTS["w600k_mbf_dequantised"], 24)
    alone = [network.run(batch)[0] for batch in inputs]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda batch: network.run(batch)[0], inputs))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_a_batch_is_its_pictures_one_by_one(store):
    network = open_network(store.locate("w600k_mbf_dequantised"), Inference(precision="f32"))
    inputs = pictures(*INPUTS["w600k_mbf_dequantised"], 3)
    together = network.run(np.concatenate(list(inputs)))[0]
    assert together.shape == (3, 512)
    np.testing.assert_allclose(together, np.concatenate([network.run(batch)[0] for batch in inputs]), rtol=1e-5)


def test_a_network_of_certain_sizes_takes_no_other(store):
    network = OpenvinoNetwork(store.locate("scrfd_500m").path, "scrfd_500m", sizes=SIZES)
    assert network.sizes == SIZES
    for height, width in SIZES:
        assert network.run(np.zeros((1, 3, height, width), np.float32))[0].shape[-1] == 1
    with pytest.raises(
        ValueError, match=r"scrfd_500m: expected an input of \(1, 3, 320, 320\), .*; got \(1, 3, 64, 64\)"
    ):
        network.run(np.zeros((1, 3, 64, 64), np.float32))
    # What was refused has left it as it was.
    network.run(np.zeros((1, 3, *SIZES[0]), np.float32))


def test_a_file_that_is_no_network_is_refused(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(RuntimeError):
        OpenvinoNetwork(broken, "broken")
