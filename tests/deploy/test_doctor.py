"""`fidox doctor` sees what an operator may have wrong, says how bad it is, and what to do."""

import json
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer

import psycopg
import pytest
import redis as redis_py

from deploy.doctor import database, machine, redis, storage
from deploy.doctor.finding import Finding, State
from deploy.local.folder import CHECKOUT
from shared import envelopes, keys
from shared.contracts import Kind, Part, PartState
from shared.release import RELEASE
from shared.settings import Settings
from tests.conftest import SHARED, need
from tests.support.gateways import database_beside

REDIS_DB = 13


def found(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


@pytest.fixture
def settings(stack):
    """The stack's settings with others laid over: settings(FIDOX_DEADLINE_S="5")."""
    return lambda **other: Settings.from_env(stack.environment | other)


@pytest.fixture
def beside(stack):
    """An empty database with all its tables, and a connection to it."""
    with database_beside(stack) as url, psycopg.connect(url, autocommit=True) as connection:
        yield url, connection


@pytest.fixture
def empty_redis(stack):
    """A Redis database that no worker knows, and its address."""
    url = stack.redis_url.replace("db=0", f"db={REDIS_DB}")
    with redis_py.Redis.from_url(url) as client:
        client.flushdb()
        yield url, client
        client.flushdb()


def test_it_exits_with_1_where_something_fails_and_with_0_for_warnings(stack):
    def doctor(**other: str) -> tuple[int, dict]:
        command = [sys.executable, "-m", "deploy.cli", "doctor", "--json"]
        environment = stack.environment | other
        done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        return done.returncode, {one["check"]: one["state"] for one in json.loads(done.stdout)}

    status, states = doctor(FACE_API_API_KEY_ENABLED="false")
    assert (status, states["API keys"]) == (0, "warn")
    assert "fail" not in states.values()
    status, states = doctor(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", FIDOX_JWT_SECRETS=f"main:{'a' * 40}")
    assert (status, states["database"], states["FIDOX_JWT_SECRETS"]) == (1, "fail", "fail")


def test_all_is_well_with_the_servers_of_a_running_stack(settings):
    for examine in (database.examine, redis.examine, storage.examine):
        wrong = [finding for finding in examine(settings()) if finding.state is not State.OK]
        assert wrong == []


def test_the_networks_of_the_liveness_checks_and_what_is_known_against_them(settings):
    need(SHARED / "models")
    told = {finding.check: finding for finding in machine.weights(settings())}
    photo, deepfake = told["liveness check photo"], told["liveness check deepfake"]
    assert (photo.state, photo.todo) == (State.OK, "")
    assert "minifasnet_v2_2.7, minifasnet_v1se_4.0" in photo.detail
    assert deepfake.state is State.WARN
    assert "meso4_df, mesoinception_df" in deepfake.detail
    assert "found none of 133" in deepfake.detail
    assert "FIDOX_DEEPFAKE_NETWORKS" in deepfake.todo


def test_tables_of_another_version(settings, beside):
    url, connection = beside

    def migrations() -> Finding:
        return found(database.examine(settings(DATABASE_URL=url)))["migrations"]

    assert migrations().state is State.OK
    connection.execute("INSERT INTO schema_migrations VALUES ('9999_of_tomorrow', 'x')")
    assert migrations().state is State.WARN
    assert "9999_of_tomorrow" in migrations().detail
    connection.execute("DELETE FROM schema_migrations WHERE name LIKE '0005%'")
    assert migrations().state is State.FAIL
    assert "fidox migrate" in migrations().todo
    connection.execute("UPDATE schema_migrations SET sha256 = 'another' WHERE name LIKE '0001%'")
    assert migrations().state is State.FAIL
    assert "0001" in migrations().detail


def test_a_database_without_tables_and_one_without_pgvector_that_is_new_enough(settings, beside):
    url, connection = beside
    connection.execute("UPDATE pg_extension SET extversion = '0.6.2' WHERE extname = 'vector'")
    vector = found(database.examine(settings(DATABASE_URL=url)))["pgvector"]
    assert (vector.state, vector.detail) == (State.FAIL, "0.6.2")
    connection.execute("DROP SCHEMA public CASCADE")
    connection.execute("CREATE SCHEMA public")
    assert "0001_ground" in found(database.examine(settings(DATABASE_URL=url)))["migrations"].detail


def test_no_partition_for_the_next_month(settings, beside):
    url, connection = beside
    (name,) = connection.execute(
        "SELECT 'transactions_' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM')"
    ).fetchone()
    connection.execute(f"DROP TABLE {name}")
    assert found(database.examine(settings(DATABASE_URL=url)))["partitions"].state is State.WARN


def test_hardly_a_connection_left(settings, beside):
    url, _ = beside
    with ExitStack() as taken:
        for _ in range(85):
            taken.enter_context(psycopg.connect(url))
        assert found(database.examine(settings(DATABASE_URL=url)))["database connections"].state is State.WARN


def test_files_that_could_not_be_removed_for_long(settings, beside):
    url, connection = beside
    connection.execute(
        "INSERT INTO cleanup_tasks (key, due_at, attempts, last_error) VALUES"
        " ('processed/1.jpg', now() + interval '1 hour', 7, 'the storage refused'),"
        " ('processed/2.jpg', now(), 0, NULL), ('processed/3.jpg', now() + interval '10 minutes', 0, NULL)"
    )
    cleanup = found(database.examine(settings(DATABASE_URL=url)))["cleanup"]
    assert cleanup.state is State.WARN
    assert cleanup.detail.startswith("2 files to be removed, 1 of them")
    assert "the storage refused" in cleanup.todo


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("maxmemory-policy", "allkeys-lru", "Redis maxmemory-policy"),
        ("maxmemory", "0", "Redis memory"),
        ("maxmemory", "500mb", "Redis memory"),
        ("save", "60 1", "Redis persistence"),
        ("appendonly", "yes", "Redis persistence"),
    ],
)
def test_redis_set_up_for_something_else(stack, settings, name: str, value: str, check: str):
    with redis_py.Redis.from_url(stack.redis_url) as client:
        before = client.config_get(name)[name]
        client.config_set(name, value)
        try:
            finding = found(redis.examine(settings()))[check]
        finally:
            client.config_set(name, before)
    assert finding.state is State.WARN
    assert finding.todo


def test_a_job_that_no_worker_takes(settings, empty_redis):
    url, client = empty_redis
    waits_s, runs_s = 700, 900
    begun, _ = client.time()
    jobs = {"tx_1:face": (begun - waits_s) * 1000, "tx_2:face": (begun - runs_s) * 1000}
    client.zadd(keys.queue(Kind.FACE), jobs)
    client.set(f"{keys.LEASE}tx_2:face", "host:1:abc")

    def queue(deadline_s: int) -> Finding:
        return found(redis.examine(settings(REDIS_URL=url, FIDOX_DEADLINE_S=str(deadline_s))))["queue face"]

    half_over = queue(1000)
    passed_s = client.time()[0] + 1 - begun
    assert half_over.state is State.WARN
    told = re.fullmatch(r"1 waiting, 1 running, the oldest waits ([\d.]+) of 1000 s", half_over.detail)
    assert waits_s <= float(told[1]) <= waits_s + passed_s
    assert queue(500).state is State.FAIL
    assert queue(5000).state is State.OK


def test_workers_that_are_missing_of_two_releases_or_without_an_engine(settings, empty_redis):
    url, client = empty_redis
    seconds, _ = client.time()

    def alive(*workers: str, state: PartState) -> dict[str, Finding]:
        client.flushdb()
        client.zadd(keys.workers(Kind.FACE), dict.fromkeys(workers, (seconds + 3600) * 1000))
        parts = [Part(name="ezway", state=state), Part(name="applemango", state=PartState.READY)]
        client.hset(keys.parts(Kind.FACE), workers[0], envelopes.encode(parts))
        return found(redis.examine(settings(REDIS_URL=url)))

    told = alive(f"host:1:abc:{RELEASE}", state=PartState.READY)
    assert told["workers"].state is State.WARN
    assert "no ocr worker runs" in told["workers"].todo
    assert (told["releases"].state, told["face parts"].state) == (State.OK, State.OK)
    assert told["face parts"].detail == "ezway 1 of 1, applemango 1 of 1"
    told = alive(f"host:1:abc:{RELEASE}", "host:2:abc:0.0.9", "host:3:abc", state=PartState.ABSENT)
    assert told["releases"].state is State.WARN
    assert told["releases"].detail == f"0.0.9 (1), {RELEASE} (1), older (1)"
    assert "not ready everywhere: ezway;" in told["face parts"].todo
    assert "upgrade" in alive("host:2:abc:0.0.9", state=PartState.READY)["releases"].todo


def test_storage_that_cannot_be_written_to(settings, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    on = {"FACE_API_STORAGE_ENABLED": "true"}
    places = (
        {"FACE_API_STORAGE_DIR": str(in_the_way)},
        {"FACE_API_S3_BUCKET": "b", "FACE_API_S3_ENDPOINT": "http://127.0.0.1:1"},
    )
    for place in places:
        finding = found(storage.examine(settings(**on, **place)))["storage"]
        assert finding.state is State.FAIL
        assert finding.todo


def test_the_probe_of_storage_leaves_nothing_behind(settings, tmp_path):
    told = found(storage.examine(settings(FACE_API_STORAGE_ENABLED="true", FACE_API_STORAGE_DIR=str(tmp_path))))
    assert told["storage"].state is State.OK
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_clocks_that_differ():
    assert database.skew("clock", 0.3).state is State.OK
    assert database.skew("clock", -90).state is State.WARN


def test_few_open_files():
    command = f"ulimit -n 512; exec {sys.executable} -m deploy.cli doctor --json"
    done = subprocess.run(["bash", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    files = next(one for one in json.loads(done.stdout) if one["check"] == "open files")
    assert (files["state"], files["detail"]) == ("warn", "512")


def test_a_metrics_port_that_answers_and_one_that_does_not(settings):
    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"fidox_up 1\n")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Metrics) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (told,) = machine.metrics(settings(FIDOX_METRICS_PORT=str(server.server_port), FIDOX_METRICS_HOST="0.0.0.0"))
        server.shutdown()
    assert (told.state, told.todo) == (State.OK, "")
    (told,) = machine.metrics(settings(FIDOX_METRICS_PORT="1"))
    assert told.state is State.WARN
    assert list(machine.metrics(settings())) == []


def test_a_collector_that_answers_one_that_does_not_and_no_address(settings):
    def told(endpoint: str) -> tuple[State, str]:
        (found,) = machine.spans(settings(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint))
        assert "secret" not in str(found)
        return found.state, found.detail

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert told(f"http://user:secret@127.0.0.1:{port}/x") == (State.OK, f"127.0.0.1:{port} answers")
    assert told("http://127.0.0.1:1") == (State.WARN, "127.0.0.1:1 does not answer (Connection refused)")
    for wrong in ("collector:4317", "grpc://collector", "http://", "http://host:port"):
        assert told(wrong) == (State.WARN, "no address")
    assert list(machine.spans(settings())) == []


def test_signing_keys_that_are_no_random_ones(settings):
    def state(secret: str) -> State:
        return machine.secrets(settings(FIDOX_JWT_SECRETS=f"main:{secret}")).state

    assert state(secrets.token_hex(32)) is State.OK
    assert state(secrets.token_urlsafe(32)) is State.OK
    assert state("change-me-" * 4) is State.FAIL
    assert state("short") is State.FAIL
