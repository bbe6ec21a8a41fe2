"""How long the console's pages take at a million transactions: spread over a month, and all in the last day.

python -m tests.bench.console
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from deploy.local.stack import LocalStack
from tests.support.console import fill
from tests.support.gateways import gateway_beside

ROWS = 1_000_000
TIMES = 20
PAGES = {
    "overview, first look": "/admin",
    "overview": "/admin",
    "overview's refresh": "/admin/live",
    "transactions, last day": "/admin/transactions",
    "transactions, all time": "/admin/transactions?period=all",
    "a transaction by its id": "/admin/transactions?tx={tx_id}",
    "tenants": "/admin/tenants",
    "engines": "/admin/engines",
}

_INSERT = (
    "INSERT INTO transactions (tx_id, operation, created_at, tenant_id, dialect, outcome, engine, wait_ms, total_ms)"
    " SELECT 'tx_bench_' || n, (ARRAY['verify', 'identify', 'compare', 'detect', 'mask', 'ocr'])[1 + n %% 6],"
    " now() - (%(days)s * n / %(rows)s::float8) * interval '1 day', 1, 'fidox',"
    " CASE WHEN n %% 20 = 0 THEN 'no_face' ELSE 'ok' END, 'ezway', random() * 5, exp(3 + random())"
    " FROM generate_series(1, %(rows)s) AS n"
)


def measure(stack: LocalStack, days: float) -> dict[str, float]:
    """Milliseconds of each page, the median but for the first look, with a gateway that has just started."""
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute("TRUNCATE transactions")
        database.execute(_INSERT, {"days": days, "rows": ROWS})
        database.execute("VACUUM ANALYZE transactions")
    login = {"username": stack.demo["ADMIN_USERNAME"], "password": stack.demo["ADMIN_PASSWORD"]}
    took: dict[str, float] = {}
    with gateway_beside(stack) as url, httpx.Client(base_url=url, timeout=60) as client:
        client.post("/admin/login", data=login)
        for name, path in PAGES.items():
            times = []
            for _ in range(1 if "first" in name else TIMES):
                # Later than the hour in progress is kept, or the overview would not be asked at all.
                time.sleep(5.1 if name == "overview" and len(times) < 3 else 0)
                started = time.perf_counter()
                answer = client.get(path.format(tx_id="tx_bench_77"))
                times.append(1000 * (time.perf_counter() - started))
                answer.raise_for_status()
            took[name] = max(times) if name == "overview" else statistics.median(times)
    return took


def main() -> None:
    """Print the table of docs/console.md."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), port=0) as stack:
        fill(stack.database_url)
        month, day = measure(stack, 30), measure(stack, 1)
    print("| page | 1,000,000 transactions in 30 days | all of them in the last day |\n| --- | --- | --- |")
    for name in PAGES:
        print(f"| {name} | {month[name]:.0f} ms | {day[name]:.0f} ms |")


if __name__ == "__main__":
    main()
