"""Another gateway beside the stack's, with settings of its own, or on a database of its own."""

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg

from deploy.local.stack import free_port
from shared.db.migrate import migrate


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


@contextmanager
def database_beside(stack) -> Iterator[str]:
    """The address of an empty database with all its tables, on the stack's server."""
    name = f"beside_{secrets.token_hex(4)}"
    url = psycopg.conninfo.make_conninfo(stack.database_url, dbname=name)
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            asyncio.run(migrate(url))
            yield url
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
