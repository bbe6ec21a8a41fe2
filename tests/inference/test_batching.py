"""One pass for what several threads ask at the same time: nobody gets another's answer, and sizes stay few."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from shared.settings import Weights
from shared.weights import WeightStore
from tests.conftest import SHARED, need
from tests.support.waiting import PATIENCE_S, until
from workers.inference.batching import BatchingNetwork
from workers.inference.onnx import lost_device, open_session


class Watched:
    """A real network, with its passes written down, and a gate that keeps the first one in."""

    def __init__(self, network) -> None:
        self._network = network
        self.input_shape, self.on_gpu, self.batch_sizes = network.input_shape, True, (1,)
        self.loaded, self.sizes = network.loaded, ()
        self.batches: list[int] = []
        self.inside, self.gate = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def run(self, batch):
        self.batches.append(len(batch))
        self.inside.set()
        self.gate.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return self._network.run(batch)


@pytest.fixture(scope="module")
def arcface():
    need(SHARED / "models")
    located = WeightStore(Weights()).locate("w600k_mbf_dequantised")
    return open_session(located.path, located.weight.name)


@pytest.fixture
def watched(arcface) -> Watched:
    return Watched(arcface)


def pictures(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(5).uniform(-1, 1, (count, 1, 3, 112, 112)).astype(np.float32))


def ask_while_one_is_in(watched: Watched, network: BatchingNetwork, inputs: list[np.ndarray]) -> list:
    """The first runs alone; all others are asked while it is in."""
    with ThreadPoolExecutor(len(inputs)) as threads:
        asked = [threads.submit(network.run, inputs[0])]
        assert watched.inside.wait(PATIENCE_S)
        asked += [threads.submit(network.run, batch) for batch in inputs[1:]]
        until(lambda: len(network._waiting) == len(inputs) - 1, "all others wait")
        watched.gate.set()
        return asked


def test_everybody_gets_their_own_rows_and_the_batches_have_the_fixed_sizes(watched, arcface):
    inputs = pictures(12)
    answers = ask_while_one_is_in(watched, BatchingNetwork(watched, sizes=(1, 4, 16)), inputs)
    assert watched.batches == [1, 16]
    for batch, answer in zip(inputs, answers, strict=True):
        (expected,), (got,) = arcface.run(batch), answer.result()
        assert got.shape == (1, 512)
        assert float(got[0] @ expected[0] / np.linalg.norm(got) / np.linalg.norm(expected)) > 0.99999


def test_what_does_not_fit_into_the_largest_batch_is_the_next_one(watched):
    answers = ask_while_one_is_in(watched, BatchingNetwork(watched, sizes=(1, 4)), pictures(8))
    assert watched.batches == [1, 4, 4]
    assert all(answer.result()[0].shape == (1, 512) for answer in answers)


def test_a_batch_larger_than_the_largest_size_is_run_in_pieces(watched, arcface):
    watched.gate.set()
    batch = np.concatenate(pictures(6))
    (got,) = BatchingNetwork(watched, sizes=(1, 4)).run(batch)
    assert watched.batches == [4, 4]
    assert np.allclose(got, arcface.run(batch)[0], atol=1e-3)


def test_a_pass_that_fails_is_told_to_all_in_it_and_the_next_one_runs(watched):
    network = BatchingNetwork(watched)
    watched.error = RuntimeError("CUDNN failure 8")
    answers = ask_while_one_is_in(watched, network, pictures(5))
    assert [type(answer.exception()) for answer in answers] == [RuntimeError] * 5
    watched.error = None
    assert network.run(pictures(1)[0])[0].shape == (1, 512)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("CUDA failure 700: an illegal memory access was encountered ; GPU=0", True),
        ("CUDA failure 2: out of memory ; GPU=0", False),
        ("CUDA error 719: unspecified launch failure", True),
        ("Failed to allocate memory for requested buffer of size 4096", False),
    ],
)
def test_which_errors_mean_that_a_gpu_is_lost_to_the_process(text, lost):
    assert lost_device(RuntimeError(text)) is lost
