"""A console with something in it, a browser that is logged in, and every page's address."""

from __future__ import annotations

import hashlib
import itertools
import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import psycopg

from shared.contracts import Face, MaskMethod
from tests.support.drawings import drawing

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FACE = Face(x=1.5, y=2.5, width=99.25, height=88.75, confidence=0.875, landmarks=((1.5, 2.5),) * 5)

# Markup, a right-to-left override, a line of 128 characters: what a name may be.
HOSTILE = ("<script>alert(1)</script><b>x", "\u202egnp.exe\u202e\u200f עברית", "W" * 128, "'\";-- {{ 7*7 }} &amp;")


@dataclass(frozen=True)
class Filled:
    """What `fill` made."""

    tenant_id: int = 0
    key_id: str = ""
    image_id: str = ""
    job_id: str = ""

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
            "images": "/admin/images",
            "image": f"/admin/images/{self.image_id}",
            "image-delete": f"/admin/images/{self.image_id}/delete",
            "jobs": "/admin/jobs",
            "job": f"/admin/jobs/{self.job_id}",
            "engines": "/admin/engines",
            "test-mask": "/admin/test",
            "test-compare": "/admin/test?try=compare",
            "test-liveness": "/admin/test?try=liveness",
            "test-ocr": "/admin/test?try=ocr",
            "account": "/admin/account",
            "front": "/",
        }


def fill(stack, *, hostile: bool = True, pictures: int = 2) -> Filled:
    """A tenant with keys and users, API keys, a day's transactions with a busy noon, and drawn pictures."""
    rng = random.Random(7)
    with psycopg.connect(stack.database_url, autocommit=True) as database:
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
        key_id, key = "", ""
        for key_name in ("Production app", "Kiosk, 3rd floor", *(HOSTILE if hostile else ())):
            key = f"xyl_{secrets.token_urlsafe(32)}"
            key_id = database.execute(
                "INSERT INTO api_keys (name, key_hash, key_prefix, key_suffix, request_count)"
                " VALUES (%s, %s, 'xyl_b7Qd', 'x2Pk', %s) RETURNING id",
                (key_name, hashlib.sha256(key.encode()).digest(), rng.randrange(10_000)),
            ).fetchone()[0]
        write_traffic(database, tenant_id, 4_000, rng)
    image_id, job_id = keep(stack.base_url, key, pictures)
    return Filled(tenant_id, str(key_id), image_id, job_id)


def keep(base_url: str, key: str, count: int) -> tuple[str, str]:
    """So many drawn pictures sent to detect and mask; the ids of the last one and of the job that masked it."""
    methods = itertools.cycle(MaskMethod)
    image_id = job_id = ""
    with httpx.Client(base_url=base_url, headers={"X-API-Key": key}, timeout=60) as client:
        for n in range(count):
            # The last one is the one that is looked at: two faces.
            files = {"image": ("drawn.jpg", drawing(n, 1 + (n + 2 - count) % 3))}
            if n % 3 != 2:
                client.post("/api/v1/detect", files=files).raise_for_status()
            if n % 3 != 1 or n == count - 1:
                answer = client.post("/api/v1/mask", params={"method": next(methods)}, files=files).raise_for_status()
                image_id, job_id = answer.headers["X-Image-Id"], answer.headers["X-Job-Id"]
    return image_id, job_id


def write_pictures(database: psycopg.Connection, count: int) -> None:
    """So many rows of pictures, each with a detect or a mask, as long as real ones, over a year; no files."""
    database.execute(
        "INSERT INTO images (sha256, format, width, height, size_bytes, original_key, processed_key, job_count,"
        " created_at) SELECT sha256(n::text::bytea), CASE n %% 10 WHEN 0 THEN 'png' ELSE 'jpeg' END, 1920, 1080,"
        " 100000 + n * 7919 %% 900001, 'originals/' || md5(n::text) || '.jpg', CASE n %% 3 WHEN 0 THEN 'processed/' ||"
        " md5(n::text) || '.jpg' END, 1, now() - n * interval '5 minutes' FROM generate_series(1, %s) AS n",
        (count,),
    )
    database.execute(
        "INSERT INTO jobs (id, image_id, job_type, method, parameters, model, face_count, detections, profiling,"
        " total_ms, processed_key, processed_format, processed_bytes, created_at)"
        " SELECT gen_random_uuid(), id, CASE WHEN processed_key IS NULL THEN 'detect' ELSE 'mask' END,"
        " CASE WHEN processed_key IS NOT NULL THEN"
        "  (ARRAY['gaussian', 'pixelate', 'solid', 'elliptical'])[1 + size_bytes %% 4] END,"
        " '{\"confidence\": 0.5}', 'scrfd_500m', 1 + size_bytes %% 5,"
        " %s::jsonb,"
        " jsonb_build_object('decode_ms', size_bytes, 'detector', repeat('x', 300)), 30, processed_key,"
        " CASE WHEN processed_key IS NOT NULL THEN 'jpeg' END, CASE WHEN processed_key IS NOT NULL THEN size_bytes END,"
        " created_at FROM images",
        (msgspec.json.encode([FACE, FACE]).decode(),),
    )
    # As autovacuum does within minutes.
    database.execute("VACUUM ANALYZE images")
    database.execute("VACUUM ANALYZE jobs")


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
