"""MesoNet's two networks as ONNX, made from the weights that their authors publish for Keras (HDF5).

    picture [1, 3, 256, 256], RGB 0..1
      Meso4            conv 3x3 ─ 5x5 ─ 5x5 ─ 5x5 ─┐
      MesoInception    block ─ block ─ 5x5 ─ 5x5 ──┴─ dense 16 ─ dense 1 ─ probability of "real" [1, 1]

Every convolution is followed by ReLU, every stage by batch normalisation and pooling (2, 2, 2 and 4). A block is four
branches side by side: 1x1, and 1x1 followed by 3x3 with a dilation of 1, 2 and 3. The file holds numbers and the names
of its layers, whose numbers say their order; the structure is that of the paper: Afchar et al. 2018, "MesoNet: a
Compact Facial Video Forgery Detection Network", sections 3.1 and 3.2. The same file always gives the same bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shared.weights import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Layer = Mapping[str, NDArray[np.float32]]

SIDE = 256
OPSET, IR_VERSION = 17, 8
POOLS = (2, 2, 2, 4)
# Keras's default, which the file does not hold.
EPSILON = 1e-3
SLOPE = 0.1  # of LeakyReLU behind the first dense layer
CONVOLUTIONS_OF_MESO4 = 4
# Of a block: one convolution of 1x1, and three branches of two.
CONVOLUTIONS_OF_A_BLOCK = 7
_NUMBER = re.compile(r"_(\d+)$")


def as_onnx(file: Path) -> bytes:
    """Return the network of a weight file as an ONNX model.

    Raises WeightsError for a file that is neither Meso4's nor MesoInception's.
    """
    try:
        return _Graph(file).model()
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise WeightsError(f"{file}: expected the Keras weights of Meso4 or MesoInception; {error}") from error


class _Graph:
    """The nodes and constants so far. Each step takes the name of a value and returns the name of the next one."""

    def __init__(self, file: Path) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        with h5py.File(file) as opened:
            self._convolutions = _layers(opened, "conv2d")
            self._norms = _layers(opened, "batch_normalization")
            self._dense = _layers(opened, "dense")

    def model(self) -> bytes:
        last = "input"
        if len(self._convolutions) == CONVOLUTIONS_OF_MESO4:
            stages = [[layer] for layer in self._convolutions]
        else:
            each = CONVOLUTIONS_OF_A_BLOCK
            stages = [self._convolutions[:each], self._convolutions[each : 2 * each]]
            stages += [[layer] for layer in self._convolutions[2 * each :]]
        for layers, norm, pool in zip(stages, self._norms, POOLS, strict=True):
            last = self._block(last, layers) if len(layers) > 1 else self._convolution(last, layers[0])
            last = self._norm(last, norm)
            last = self._add("MaxPool", [last], kernel_shape=[pool, pool], strides=[pool, pool])
        # Keras keeps channels last, and the dense layer's rows are in that order.
        last = self._add("Transpose", [last], perm=[0, 2, 3, 1])
        last = self._add("Flatten", [last], axis=1)
        first, second = self._dense
        last = self._add("LeakyRelu", [self._product(last, first)], alpha=SLOPE)
        self._nodes.append(helper.make_node("Sigmoid", [self._product(last, second)], ["real"]))
        graph = helper.make_graph(
            self._nodes,
            "mesonet",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("real", TensorProto.FLOAT, [1, 1])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)

    def _block(self, last: str, layers: Sequence[Layer]) -> str:
        branches = [self._convolution(last, layers[0])]
        for dilation, place in enumerate(range(1, CONVOLUTIONS_OF_A_BLOCK, 2), start=1):
            narrow = self._convolution(last, layers[place])
            branches.append(self._convolution(narrow, layers[place + 1], dilation))
        return self._add("Concat", branches, axis=1)

    def _convolution(self, last: str, layer: Layer, dilation: int = 1) -> str:
        kernel = layer["kernel:0"].transpose(3, 2, 0, 1)  # from [height, width, in, out]
        pad = dilation * (kernel.shape[2] // 2)
        inputs = [last, self._constant(kernel), self._constant(layer["bias:0"])]
        return self._add("Relu", [self._add("Conv", inputs, dilations=[dilation] * 2, pads=[pad] * 4)])

    def _norm(self, last: str, layer: Layer) -> str:
        names = ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")
        return self._add(
            "BatchNormalization", [last, *(self._constant(layer[name]) for name in names)], epsilon=EPSILON
        )

    def _product(self, last: str, layer: Layer) -> str:
        return self._add("Gemm", [last, self._constant(layer["kernel:0"]), self._constant(layer["bias:0"])])

    def _constant(self, values: NDArray[np.float32]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def _add(self, operation: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"value_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name


def _layers(opened: Any, kind: str) -> list[Layer]:
    """The layers of one kind, by the number behind their names: each is a group in a group of the same name."""
    numbered = {
        int(found[1]): name for name in opened if name.startswith(f"{kind}_") and (found := _NUMBER.search(name))
    }
    layers = [opened[numbered[number]][numbered[number]] for number in sorted(numbered)]
    return [{name: np.asarray(values, np.float32) for name, values in layer.items()} for layer in layers]
