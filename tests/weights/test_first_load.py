"""The first look at the manifest, by several threads at once, ends no process.

msgspec 0.22 builds what it knows of a type when it first decodes it, and two threads that do so at once may free it
under one another: SIGSEGV. Each process here is a fork of one that has loaded msgspec and not yet this package.
"""

from __future__ import annotations

import subprocess
import sys

from deploy.local.folder import CHECKOUT

STARTS = 300
# What a worker's first start does: four threads, each with a store of its own, ask for a weight.
STARTER = """
import json, os, sys, threading
import importlib.util, pathlib, tempfile, tomllib, urllib.request  # not ours, and slow to load
import msgspec
from shared.settings import Weights

sys.setswitchinterval(1e-6)

def start():
    from shared.weights import WeightStore
    from shared.weights.hashes import Hashes
    begin, right = threading.Barrier(4), []

    def look():
        begin.wait()
        store = WeightStore(Weights(cache=sys.argv[2]), mirror=None)
        Hashes(pathlib.Path(sys.argv[2], "verified.json")).of(pathlib.Path(sys.executable))
        right.append(store.manifest.named("scrfd_500m"))

    threads = [threading.Thread(target=look) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    os._exit(0 if len(right) == 4 else 1)

ended = {}
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        start()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended[status] = ended.get(status, 0) + 1
print(json.dumps(ended))
"""


def test_no_process_is_lost_when_threads_read_the_manifest_for_the_first_time(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTER, str(STARTS), str(tmp_path)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f'{{"0": {STARTS}}}', done.stderr
