"""A process that does what the worker computes, without HTTP and without a queue, on orders from its standard input.

    python -m tests.bench.bare_loop compare|count|detect|mask PHOTO…

one N        do the N-th pair (or photo), print its milliseconds
rate S       do them in turn for S seconds, print images a second
"""

import itertools
import sys
import time
from pathlib import Path

from shared.contracts import DetectFaces, MaskFaces
from shared.settings import Settings
from workers.face.analysis import Want, analyse
from workers.face.anonymous import detect_once, mask_once
from workers.face.load import load_engines
from workers.vision.detection import DetectOptions

settings = Settings.from_env()
engine = load_engines(settings, only=["ezway"])[0]
photos = [Path(name).read_bytes() for name in sys.argv[2:]]
pairs = list(itertools.pairwise(photos))


def look(data: bytes, want: Want):
    return analyse(engine, data, DetectOptions(), want, max_pixels=settings.faces.max_pixels)


def compare(position: int) -> int:
    """A pair's score; how many images it took."""
    first, second = (look(data, Want.EMBEDDING) for data in pairs[position % len(pairs)])
    engine.calibration.score(float(first.embedding @ second.embedding))
    return 2


def count(position: int) -> int:
    """A photo's faces; how many images it took."""
    look(photos[position % len(photos)], Want.FACES)
    return 1


def detect(position: int) -> int:
    """A photo's faces, as the call of that name finds them; how many images it took."""
    detect_once(engine, photos[position % len(photos)], DetectFaces(), max_pixels=settings.faces.max_pixels)
    return 1


def mask(position: int) -> int:
    """A photo without its faces; how many images it took."""
    mask_once(engine, photos[position % len(photos)], MaskFaces(), max_pixels=settings.faces.max_pixels)
    return 1


work = {"compare": compare, "count": count, "detect": detect, "mask": mask}[sys.argv[1]]
for warming in range(3):
    work(warming)
print("ready", flush=True)
for line in sys.stdin:
    order, _, number = line.partition(" ")
    started = time.perf_counter()
    if order == "one":
        work(int(number))
        print((time.perf_counter() - started) * 1000, flush=True)
    else:
        done = images = 0
        while (elapsed := time.perf_counter() - started) < float(number):
            images += work(done)
            done += 1
        print(images / elapsed, flush=True)
