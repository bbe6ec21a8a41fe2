"""A model file, ready to run: on which runtime, with how many threads, and batched where that pays.

A micro-batcher stands before a network on a GPU whose batch dimension is free (see batching.py). On a CPU a batch takes
as long as its images one after the other, and processes scale instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.inference.batching import BatchingNetwork
from workers.inference.onnx import open_session

if TYPE_CHECKING:
    from pathlib import Path

    from workers.inference.network import Network


def open_network(path: Path, *, threads: int = 1, device: int = 0) -> Network:
    """Load `path` onto CUDA device `device` where ONNX Runtime has CUDA, else onto the CPU with `threads` threads.

    One thread is the default because processes scale and threads do not: on 2 cores two processes with one-thread
    sessions answer 1.3 times what two threads in one process do.

    The package is pinned to onnxruntime 1.26: from 1.27 on PRelu, which every layer of MobileFaceNet ends in, is
    several times slower on the CPU.
    """
    network = open_session(path, threads=threads, device=device)
    return BatchingNetwork(network) if network.on_gpu and network.input_shape[0] is None else network
