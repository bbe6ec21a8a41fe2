"""Probes: what the manifest expects of a network is what it computes."""

from __future__ import annotations

import math

import numpy as np
import onnxruntime
import pytest

from shared.weights import Probe, known_input
from shared.weights.manifest import load
from tests.conftest import SHARED, need

# The same networks, converted to ONNX by others than the product.
CONVERTED = {
    "lightqnet_dm100": "lightqnet_dm100.onnx",
    "meso4_df": "meso4_df.onnx",
    "mesoinception_df": "mesoinception_df.onnx",
    "face_mask_aizoo_260": "face_mask_aizoo_260.onnx",
    "face_reidentification_retail_0095": "face_reidentification_retail_0095.onnx",
    "face_reidentification_retail_0095_onnx": "face_reidentification_retail_0095.onnx",
}
PROBED = {weight.name: weight for weight in load().weight if weight.probe is not None}


def probe(**other) -> Probe:
    fields = {"input": (1, 2, 3), "range": (-1.0, 1.0), "shape": (1, 8), "output": (0.5, 0.25), "tolerance": 0.1}
    return Probe(**{"tolerance_bf16": 0.5, **fields, **other})


def test_the_known_input_is_the_golden_ratios_multiples_in_the_probes_range() -> None:
    values = known_input(probe())
    assert values.typecode == "f"
    assert list(values) == pytest.approx([-1 + 2 * math.modf(i * 0.6180339887498949)[0] for i in range(6)], abs=1e-6)


def test_values_spread_over_the_whole_output_are_compared() -> None:
    asked = probe()
    assert asked.positions() == [0, 4]
    assert asked.deviation([0.5, 9, 9, 9, 0.25, 9, 9, 9]) == 0
    assert asked.deviation(np.array([0.5, 9, 9, 9, 0.75, 9, 9, 9], np.float32)) == 0.5
    with pytest.raises(ValueError, match="8 values; got 3"):
        asked.deviation([0.5, 0.25, 0])


@pytest.mark.parametrize("wrong", [{"output": ()}, {"output": (0.0,) * 9}, {"shape": (0, 8)}])
def test_a_probe_that_compares_nothing_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="a probe compares"):
        probe(**wrong)


def test_every_weight_in_a_container_other_than_onnx_has_a_probe() -> None:
    foreign = {one.name for one in load().weight if one.file.endswith((".tflite", ".pb", ".h5", ".xml"))}
    assert foreign
    assert foreign <= PROBED.keys()


@pytest.mark.parametrize("name", sorted(PROBED))
def test_what_a_probe_expects_is_what_a_conversion_of_the_network_computes(name: str) -> None:
    asked = PROBED[name].probe
    path = need(SHARED / "models" / CONVERTED[name])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    values = np.asarray(known_input(asked)).reshape(asked.input)
    outputs = session.run(None, {session.get_inputs()[0].name: values})
    (output,) = [one for one in outputs if one.shape == asked.shape]
    assert asked.deviation(output.ravel()) < min(asked.tolerance, 1e-4)
