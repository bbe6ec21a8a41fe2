"""How long the console's pages take at a million transactions: spread over a month, and all in the last day; and at
a hundred thousand pictures with their jobs.

python -m tests.bench.console
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from deploy.local.stack import LocalStack
from tests.support.console import Filled, fill, write_pictures
from tests.support.gateways import gateway_beside

ROWS, PICTURES = 1_000_000, 100_000
TIMES = 20
COUNTED = "… until its charts are there"
PAGES = {
    "overview, as soon as the gateway answers": "/admin",
    "overview": "/admin",
    "overview's refresh": "/admin/live",
    "transactions, last day": "/admin/transactions",
    "transactions, all time": "/admin/transactions?period=all",
    "a transaction by its id": "/admin/transactions?tx={tx_id}",
    "API keys": "/admin/api-keys",
    "an API key": "/admin/api-keys/{key_id}",
    "tenants": "/admin/tenants",
    "a tenant": "/admin/tenants/{tenant_id}",
    "users": "/admin/users?tenant={tenant_id}",
    "images": "/admin/images",
    "images, page 4,000": "/admin/images?page=4000",
    "images, those masked": "/admin/images?processed=true",
    "images, the largest first": "/admin/images?sort=-size_bytes",
    "an image": "/admin/images/{image_id}",
    "jobs": "/admin/jobs",
    "jobs, page 4,000": "/admin/jobs?page=4000",
    "jobs of one method": "/admin/jobs?method=pixelate",
    "a job": "/admin/jobs/{job_id}",
    "test": "/admin/test",
    "account": "/admin/account",
    "engines": "/admin/engines",
}

_INSERT = (
    "INSERT INTO transactions (tx_id, operation, created_at, tenant_id, dialect, outcome, engine, wait_ms, total_ms)"
    " SELECT 'tx_bench_' || n, (ARRAY['verify', 'identify', 'compare', 'detect', 'mask', 'ocr'])[1 + n %% 6],"
    " now() - (%(days)s * n / %(rows)s::float8) * interval '1 day', 1, 'fidox',"
    " CASE WHEN n %% 20 = 0 THEN 'no_face' ELSE 'ok' END, 'ezway', random() * 5, exp(3 + random())"
    " FROM generate_series(1, %(rows)s) AS n"
)


def measure(stack: LocalStack, filled: Filled, days: float) -> dict[str, float]:
    """Milliseconds of each page of a new gateway: the median of TIMES, and of the overview the most."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute("TRUNCATE transactions")
        database.execute(_INSERT, {"days": days, "rows": ROWS})
        database.execute("VACUUM ANALYZE transactions")
    login = {"username": stack.demo["ADMIN_USERNAME"], "password": stack.demo["ADMIN_PASSWORD"]}
    took: dict[str, float] = {}
    session = httpx.post(f"{stack.base_url}/admin/login", data=login).cookies
    with gateway_beside(stack) as url, httpx.Client(base_url=url, timeout=60, cookies=session) as client:
        for name, path in PAGES.items():
            times = []
            for _ in range(1 if "as soon" in name else TIMES):
                # Later than the hour in progress is kept, or the overview would not be asked at all.
                time.sleep(5.1 if name == "overview" and len(times) < 3 else 0)
                started = time.perf_counter()
                answer = client.get(path.format(tx_id="tx_bench_77", **dataclasses.asdict(filled)))
                times.append(1000 * (time.perf_counter() - started))
                answer.raise_for_status()
            took[name] = max(times) if name == "overview" else statistics.median(times)
            if "as soon" in name:
                while "data-counting" in client.get(path).text:
                    time.sleep(0.02)
                took[COUNTED] = 1000 * (time.perf_counter() - started)
    return took


def main() -> None:
    """Print the table of docs/console.md."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), port=0) as stack:
        filled = fill(stack)
        with psycopg.connect(stack.database_url, autocommit=True) as database:
            write_pictures(database, PICTURES)
        month, day = measure(stack, filled, 30), measure(stack, filled, 1)
    print("| page | 1,000,000 transactions in 30 days | all of them in the last day |\n| --- | --- | --- |")
    for name in month:
        print(f"| {name} | {month[name]:.0f} ms | {day[name]:.0f} ms |")


if __name__ == "__main__":
    main()
