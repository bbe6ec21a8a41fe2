"""A process that compares pairs of photos without HTTP and without a queue, on orders from its standard input.

pair N       do the N-th pair, print its milliseconds
rate S       do pairs for S seconds, print images a second
"""

import itertools
import sys
import time
from pathlib import Path

from shared.settings import Settings
from workers.face.analysis import Want, analyse
from workers.face.detection import DetectOptions
from workers.face.load import load_engines

settings = Settings.from_env()
engine = load_engines(settings, only=["ezway"])[0]
pairs = list(itertools.pairwise(Path(name).read_bytes() for name in sys.argv[1:]))


def compare(position: int) -> float:
    """The score of a pair: exactly what the worker computes for it."""
    first, second = (
        analyse(engine, data, DetectOptions(), Want.EMBEDDING, max_pixels=settings.faces.max_pixels)
        for data in pairs[position % len(pairs)]
    )
    return engine.calibration.score(float(first.embedding @ second.embedding))


for warming in range(3):
    compare(warming)
print("ready", flush=True)
for line in sys.stdin:
    order, _, number = line.partition(" ")
    started = time.perf_counter()
    if order == "pair":
        compare(int(number))
        print((time.perf_counter() - started) * 1000, flush=True)
    else:
        done = 0
        while (elapsed := time.perf_counter() - started) < float(number):
            compare(done)
            done += 1
        print(2 * done / elapsed, flush=True)
