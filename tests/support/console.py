"""A console with something in it, a browser that is logged in, and every page's address."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Markup, a right-to-left override, a line of 128 characters: what a name may be.
HOSTILE = ("<script>alert(1)</script><b>x", "\u202egnp.exe\u202e\u200f עברית", "W" * 128, "'\";-- {{ 7*7 }} &amp;")


@dataclass(frozen=True)
class Filled:
    """What `fill` made."""

    tenant_id: int
    key_id: str

    def pages(self) -> dict[str, str]:
        """Every page by a name for its picture."""
        return {
            "login": "/admin/login?next=/admin",
            "overview": "/admin",
            "api-keys": "/admin/api-keys",
            "api-key": f"/admin/api-keys/{self.key_id}",
            "tenants": "/admin/tenants",
            "tenant-new": "/admin/tenants/new",
            "tenant": f"/admin/tenants/{self.tenant_id}",
            "tenant-delete": f"/admin/tenants/{self.tenant_id}/delete",
            "users": f"/admin/users?tenant={self.tenant_id}",
            "transactions": "/admin/transactions",
            "engines": "/admin/engines",
            "test-mask": "/admin/test",
            "test-compare": "/admin/test?try=compare",
            "test-liveness": "/admin/test?try=liveness",
            "test-ocr": "/admin/test?try=ocr",
            "account": "/admin/account",
            "front": "/",
        }


def fill(database_url: str, *, hostile: bool = True) -> Filled:
    """A tenant with keys and users, API keys, and a day's transactions with a busy noon."""
    rng = random.Random(7)
    with psycopg.connect(database_url, autocommit=True) as database:
        name = f"Hanbit Bank {secrets.token_hex(2)}"
        tenant_id = database.execute(
            "INSERT INTO tenants (name, calls_per_minute) VALUES (%s, 1200) RETURNING id", (name,)
        ).fetchone()[0]
        labels = ("production", "staging", *(HOSTILE if hostile else ()))
        for label in labels:
            database.execute(
                "INSERT INTO access_keys (access_key, tenant_id, label, secret_hash, revoked_at)"
                " VALUES (%s, %s, %s, 'x', CASE WHEN %s = 'staging' THEN now() END)",
                (f"fxa_{secrets.token_hex(12)}", tenant_id, label, label),
            )
        people = [("EMP-1001", "김하늘"), ("EMP-1002", "Jiwoo Park"), ("EMP-1003", None), ("vip/이서준", "이서준")]
        for code, person in [*people, *((text, text) for text in (HOSTILE if hostile else ()))]:
            database.execute(
                "INSERT INTO users (tenant_id, user_code, name, tx_id) VALUES (%s, %s, %s, 'tx')",
                (tenant_id, code, person),
            )
        if hostile:
            for text in HOSTILE:
                database.execute(
                    "INSERT INTO tenants (name, calls_per_minute) VALUES (%s, 60) ON CONFLICT DO NOTHING", (text,)
                )
        key_id = ""
        for key_name in ("Production app", "Kiosk, 3rd floor", *(HOSTILE if hostile else ())):
            key_id = database.execute(
                "INSERT INTO api_keys (name, key_hash, key_prefix, key_suffix, request_count)"
                " VALUES (%s, %s, 'xyl_b7Qd', 'x2Pk', %s) RETURNING id",
                (key_name, secrets.token_bytes(32), rng.randrange(10_000)),
            ).fetchone()[0]
        write_traffic(database, tenant_id, 4_000, rng)
    return Filled(tenant_id, str(key_id))


def write_traffic(database: psycopg.Connection, tenant_id: int | None, count: int, rng: random.Random) -> None:
    """So many transactions over the last day, more of them at noon than at night, some of them errors."""
    operations = {"verify": 18.0, "identify": 30.0, "compare": 34.0, "detect": 14.0, "mask": 26.0, "ocr": 620.0}
    failures = ("no_face", "no_face", "low_quality", "rate_limited", "multiple_faces", "overloaded")
    now = datetime.now(UTC)
    columns = (
        "tx_id, operation, created_at, tenant_id, dialect, outcome, engine, model, score, matched, wait_ms, total_ms"
    )
    with database.cursor() as cursor, cursor.copy(f"COPY transactions ({columns}) FROM STDIN") as copy:
        for _ in range(count):
            back = 24 * abs(rng.gauss(0.45, 0.2)) % 24
            operation = rng.choices(list(operations), (9, 3, 4, 6, 3, 1))[0]
            outcome = rng.choice(failures) if rng.random() < 0.05 else "ok"
            score = round(rng.betavariate(9, 2), 4) if operation in {"verify", "identify", "compare"} else None
            scored = outcome == "ok" and score is not None
            copy.write_row(
                (
                    f"tx_{rng.randbytes(6).hex()}",
                    operation,
                    now - timedelta(hours=back),
                    tenant_id if operation not in {"detect", "mask"} else None,
                    "xylolabs" if operation in {"detect", "mask"} else "fidox",
                    outcome,
                    "ezway" if outcome == "ok" and operation != "ocr" else None,
                    None,
                    score if scored else None,
                    score > 0.7 if scored else None,
                    abs(rng.gauss(2, 2)),
                    operations[operation] * rng.lognormvariate(0, 0.4),
                )
            )
