"""Another gateway beside the stack's, with settings of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from deploy.local.stack import free_port


@contextmanager
def gateway_beside(stack, **environment: str) -> Iterator[str]:
    """Its address; on the same servers, unless `environment` says otherwise."""
    port = free_port("127.0.0.1", 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"], env={**stack.environment, "PORT": str(port), **environment}
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(f"{url}/health/live", timeout=2)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)
