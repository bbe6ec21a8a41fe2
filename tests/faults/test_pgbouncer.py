"""PostgreSQL behind PgBouncer in transaction mode, which gives each transaction to whichever session is free."""

import asyncio
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import psycopg
import pytest

from deploy.local import initdb
from shared.db.pool import open_pool
from shared.db.templates import Template, Templates, register_vectors
from shared.db.tenants import Tenants
from shared.db.transactions import Transaction, Transactions
from shared.settings import Database
from tests.support.gateways import database_beside, gateway_process_beside
from tests.support.ports import own_port
from tests.support.waiting import until

POOLS = 3
# In small; 1,000 were tried for docs/deployment.md.
ENROLMENTS = int(os.environ.get("FIDOX_TEST_ENROLMENTS", "150"))
SESSIONS = 3


@pytest.fixture(scope="module")
def database(stack):
    with database_beside(stack) as url:
        yield url


@pytest.fixture(scope="module")
def pooled(stack, database):
    """The address of a PgBouncer before the stack's server, with fewer sessions than clients."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("needs the program pgbouncer; deploy/test-setup.sh installs it where it may")
    sockets = parse_qs(urlsplit(stack.database_url).query)["host"][0]
    port = own_port()
    with ExitStack() as parts:
        # Not below pytest's folder, which is shut to the user that PgBouncer runs as where this one is root.
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="fidox-pgbouncer-")))
        (folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"* = host={sockets} user=postgres\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = {SESSIONS}\nmax_client_conn = 200\n"
        )
        command, user = [program, str(folder / "pgbouncer.ini")], initdb.user()
        if user is not None:
            for each in (folder, folder / "pgbouncer.ini"):
                shutil.chown(each, user)
        # Root's group has no way into the server's folder.
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **as_user)
        parts.callback(process.wait, 30)
        parts.callback(process.terminate)
        name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
        url = f"postgresql://postgres@127.0.0.1:{port}/{name}"

        def answers() -> bool:
            assert process.poll() is None, "PgBouncer ended as it started"
            try:
                psycopg.connect(url, connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        until(answers, "PgBouncer is up")
        yield url


def test_enrolments_by_many_clients_none_of_which_fails(pooled):
    settings = Database(url=pooled, prepares=False)
    generator = np.random.default_rng(1)

    async def enrol(pool, tenant_id: int, number: int) -> bool:
        vector = generator.standard_normal(512).astype(np.float32)
        template = Template("ezway", "model", vector / np.linalg.norm(vector))
        row = Transaction(
            tx_id=f"tx{number}",
            operation="register",
            created_at=datetime.now(UTC),
            tenant_id=tenant_id,
            dialect="fidox",
            outcome="ok",
        )
        return await Templates(pool).enrol(tenant_id, f"user{number}", None, [template], row)

    async def main() -> None:
        async with (
            open_pool(settings, configure=register_vectors) as first,
            open_pool(settings, configure=register_vectors) as second,
            open_pool(settings, configure=register_vectors) as third,
        ):
            tenant = await Tenants(first).create(f"pooled-{secrets.token_hex(4)}", 100)
            limit = asyncio.Semaphore(24)

            async def one(number: int) -> bool:
                async with limit:
                    return await enrol((first, second, third)[number % POOLS], tenant.id, number)

            assert all(await asyncio.gather(*map(one, range(ENROLMENTS))))
            await Transactions(second).keep_house(0)
            assert await Templates(third).of_user(tenant.id, "user7")

    asyncio.run(main())


def test_a_gateway_works_behind_it(stack, pooled):
    with gateway_process_beside(stack, DATABASE_URL=pooled, FIDOX_DB_PREPARE="false") as (url, _):
        until(
            lambda: httpx.get(f"{url}/health/ready", timeout=30).json()["database"] == "ok", "it reaches the database"
        )
