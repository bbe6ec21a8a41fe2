"""ONNX files made by hand, for networks that are not at hand: their inputs and outputs, and numbers of the test's own.

Only what is needed is encoded: protobuf's wire format with the field numbers of onnx.proto3 (ONNX 1.16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

FLOAT, INT, INTS = 1, 2, 7  # TensorProto.FLOAT; AttributeProto.INT, INTS
OPSET, IR = 13, 8


def _varint(value: int) -> bytes:
    done = bytearray()
    while value > 0x7F:
        done.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*done, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def node(operator: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """A NodeProto; attributes are INT and INTS."""
    parts = [*(_bytes(1, name) for name in inputs), _bytes(2, output), _bytes(4, operator)]
    for name, value in attributes.items():
        if isinstance(value, int):
            parts.append(_bytes(5, _bytes(1, name) + _number(3, value) + _number(20, INT)))
        else:
            parts.append(_bytes(5, _bytes(1, name) + b"".join(_number(8, each) for each in value) + _number(20, INTS)))
    return b"".join(parts)


def tensor(name: str, values: np.ndarray) -> bytes:
    """A TensorProto of float32."""
    dimensions = b"".join(_number(1, size) for size in values.shape)
    return dimensions + _number(2, FLOAT) + _bytes(8, name) + _bytes(9, values.astype("<f4").tobytes())


def value(name: str, shape: Sequence[int]) -> bytes:
    """A ValueInfoProto of float32."""
    sizes = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, sizes)))


def write(
    path: Path, nodes: Sequence[bytes], constants: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> Path:
    """A ModelProto of one graph."""
    graph = b"".join(
        [
            *(_bytes(1, each) for each in nodes),
            _bytes(2, "graph"),
            *(_bytes(5, each) for each in constants),
            *(_bytes(11, each) for each in inputs),
            *(_bytes(12, each) for each in outputs),
        ]
    )
    path.write_bytes(_number(1, IR) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, OPSET)))
    return path
