"""Another gateway beside the stack's, with settings of its own, or on a database of its own."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg

from shared.db.migrate import migrate
from tests.support.ports import own_port
from tests.support.waiting import until


@contextmanager
def gateway_beside(stack, **environment: str) -> Iterator[str]:
    """Its address; on the same servers, unless `environment` says otherwise."""
    with gateway_process_beside(stack, **environment) as (url, _):
        yield url


@contextmanager
def gateway_process_beside(stack, **environment: str) -> Iterator[tuple[str, int]]:
    """As `gateway_beside`: its address and its process id."""
    port = own_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"], env={**stack.environment, "PORT": str(port), **environment}
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: process.poll() is not None or answers(url), "the gateway is up")
        assert process.poll() is None, "the gateway ended as it started"
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    """Is there a gateway?"""
    try:
        return httpx.get(f"{url}/health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


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
