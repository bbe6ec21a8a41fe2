"""Ports for what tests start.

A port that was free a moment ago may be taken when a server that starts for seconds comes to listen there: by another
run of the tests, or by whoever connects to somewhere. These are kept for one process, and no connection is given them.
"""

import fcntl
import os
import random
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

# Below those that Linux (from 32,768) and macOS (from 49,152) give to whoever connects.
PORTS = range(15_000, 32_000)


def own_port() -> int:
    """As `own_ports`: one."""
    return own_ports(1)


def own_ports(count: int) -> int:
    """The first of `count` ports in a row on which nobody listens; no other process of tests is given any of them."""
    for first in random.sample(PORTS[: -count + 1 or None], len(PORTS) - count + 1):
        if _take(range(first, first + count)):
            return first
    raise OSError(f"no {count} ports in a row are free")


def _take(ports: range) -> bool:
    """Lock them all, or none. The locks' files are never closed: they end with the process."""
    folder = Path(tempfile.gettempdir()) / f"fidox-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    files: list[int] = []
    with suppress(OSError):
        for port in ports:
            files.append(os.open(folder / str(port), os.O_RDWR | os.O_CREAT))
            fcntl.flock(files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        return True
    for file in files:
        os.close(file)
    return False
