"""Every expression of the dashboards and rules, executed by a real Prometheus that has scraped a real stack.

The stack is of this file's own, since it serves metrics and limits its callers. All dialects are called twice, with
some scrapes in between: a rate is a difference.
"""

import json
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from deploy.local.stack import LocalStack
from tests.conftest import need_program
from tests.support import rules
from tests.support.face_api import FaceApi
from tests.support.fidox import Fidox, make_tenant
from tests.support.ports import own_port, own_ports
from tests.support.v1 import V1
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
BOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
# By the order in which the stack gives out its ports.
ROLES = ("gateway", "face", "liveness", "ocr")
# What there is nothing of without a GPU.
GPU = {"GPU memory in use", "GPU memory", "GPU at work"}
MASKS_A_MINUTE = 3


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", timeout=30)

    def get(self, path: str, **parameters: str):
        answer = self._client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expr: str) -> list[dict]:
        return self.get("/query", query=expr)["result"]

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def first_port() -> int:
    """The first of four in a row."""
    return own_ports(len(ROLES))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, first_port: int) -> Iterator[LocalStack]:
    environment = {
        "FIDOX_METRICS_PORT": str(first_port),
        "FIDOX_FACE_PROCESSES": "1",
        "FACE_API_MASK_RATE": str(MASKS_A_MINUTE),
    }
    with LocalStack(tmp_path_factory.mktemp("metrics"), port=own_port(), environment=environment) as running:
        yield running


@contextmanager
def prometheus_of(folder: Path, first_port: int) -> Iterator[Prometheus]:
    """With the configuration that is shipped, quicker, and the four parts on this machine."""
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(ROOT / "deploy" / "prometheus" / pattern) for pattern in config["rule_files"]]
    assert [job["job_name"] for job in config["scrape_configs"]] == list(ROLES)
    for place, job in enumerate(config["scrape_configs"]):
        assert job["static_configs"] == [{"targets": [f"{job['job_name']}:9464"]}]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{first_port + place}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{own_port()}"
    command = [
        need_program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command)
    running = Prometheus(f"http://{address}")
    try:
        until(lambda: is_ready(address), "Prometheus is ready")
        yield running
    finally:
        running.close()
        process.terminate()
        process.wait(60)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def wait_for_scrape(running: Prometheus) -> None:
    """Until each of the four was asked after now, and has answered."""
    since = time.time()

    def all_answered() -> bool:
        answered = [float(series["value"][1]) for series in running.query("timestamp(up) * up")]
        return len(answered) == len(ROLES) and min(answered) > since

    until(all_answered, "all are scraped")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, stack, first_port, photo, people, grey) -> Iterator[Prometheus]:
    """It has seen calls of every operation."""
    tenant = make_tenant(stack.database_url, f"test-{secrets.token_hex(4)}")
    narrow = make_tenant(stack.database_url, f"test-{secrets.token_hex(4)}", calls_per_minute=2)
    faces = photo("obama/obama.jpg"), photo("obama/obama2.jpg")
    picture = (people / "obama" / "obama.jpg").read_bytes()
    with ExitStack() as opened:
        client = opened.enter_context
        running = client(prometheus_of(tmp_path_factory.mktemp("prometheus"), first_port))
        root = client(Fidox.login(stack.base_url, tenant.access_key, tenant.secret_key))
        v1 = client(V1.login(stack.base_url, tenant.access_key, tenant.secret_key))
        limited = client(Fidox.login(stack.base_url, narrow.access_key, narrow.secret_key))
        public = client(FaceApi(stack.base_url, stack.demo["API_KEY"]))
        for person in ("one", "two"):
            call_root(root, person, faces, grey)
            call_v1(v1, person, faces, grey)
            call_xylolabs(public, picture)
            limited_to_two(limited, faces[0])
            # Twice: a rate is a difference, also of what was counted for the first time.
            for _ in range(2):
                wait_for_scrape(running)
        # Pools, memory and the cleanup are looked at every five seconds.
        for metric in ("instance:fidox_memory_per_process:bytes", "fidox_storage_cleanup_tasks"):
            until(lambda metric=metric: running.query(metric), metric)
        yield running


def limited_to_two(limited: Fidox, face: str) -> None:
    statuses = [limited.post("/face/count", image=face).status_code for _ in range(3)]
    assert statuses[-1] == 429, statuses


def call_root(root: Fidox, person: str, faces: tuple[str, str], grey: str) -> None:
    one, other = faces
    assert root.post("/face/register", userCode=person, image=one).status_code == 200
    assert root.post("/face/verify", userCode=person, image=other, withLiveness=True).status_code == 200
    assert root.post("/face/identify", image=other).status_code == 200
    assert root.post("/face/compare", image1=one, image2=other).status_code == 200
    assert root.post("/face/compare", image1=grey, image2=other).status_code == 400
    assert root.post("/face/count", image=one).status_code == 200
    assert root.delete(person).status_code == 200


def call_v1(v1: V1, person: str, faces: tuple[str, str], grey: str) -> None:
    one, other = faces
    assert v1.post("/fr/register", userCode=person, image=one).status_code in {200, 201}
    assert v1.post("/fr/verify", userCode=person, image=other).status_code == 200
    assert v1.get("/fr/engines").status_code == 200
    assert v1.post("/liveness/detect", image=one).status_code == 200
    # A face is no card, and that is an answer, too.
    assert v1.post("/ocr/recognize", image=one, idType="DRIVER").status_code == 404
    assert v1.post("/fr/verify", userCode=person, image=grey).status_code == 409
    assert v1.delete(person).status_code == 200


def call_xylolabs(public: FaceApi, picture: bytes) -> None:
    assert public.detect(picture).status_code == 200
    assert public.detect(b"no picture").status_code == 400
    statuses = [public.mask(picture).status_code for _ in range(MASKS_A_MINUTE)]
    assert set(statuses) <= {200, 429}, statuses


def filled_in(expr: str) -> str:
    """As Grafana asks it, with everything chosen."""
    return re.sub(r"\$(?!__)\w+", ".+", expr.replace("$__rate_interval", "1m"))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_panel_of_a_board_has_data(prometheus: Prometheus, path: Path):
    board = json.loads(path.read_text("utf-8"))
    asked = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 8
    empty = {title for title, expr in asked if not prometheus.query(filled_in(expr))}
    assert empty - GPU == set(), [expr for title, expr in asked if title in empty]
    assert {title for title, _ in asked} >= (GPU if path.stem == "fidox-workers" else set())


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_choice_of_a_board_has_something_to_choose(prometheus: Prometheus, path: Path):
    for variable in json.loads(path.read_text("utf-8"))["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            assert prometheus.get(f"/label/{label}/values", **{"match[]": metric}), variable["name"]


def test_every_recording_rule_has_data(prometheus: Prometheus):
    assert [name for name in sorted(rules.recorded()) if not prometheus.query(name)] == []


def test_every_rule_can_be_evaluated(prometheus: Prometheus):
    found = [rule for group in prometheus.get("/rules")["groups"] for rule in group["rules"]]
    assert [(rule["name"], rule.get("lastError")) for rule in found if rule["health"] != "ok"] == []
    assert {rule["name"] for rule in found} == rules.recorded() | set(rules.alerts())


def test_what_an_alert_is_named_after_is_what_its_expression_gives(prometheus: Prometheus):
    """Its text may only have labels that its series have; without a threshold there are series."""
    for name, alert in rules.alerts().items():
        text = " ".join(alert["annotations"].values())
        named = set(re.findall(r"\$labels\.(\w+)", text)) - {"gpu"}
        series = prometheus.query(re.split(r" (?:>|==) ", alert["expr"])[0])
        if series and not alert["expr"].startswith("absent"):
            assert named <= set(series[0]["metric"]), name


def test_nothing_fires_while_all_is_well(prometheus: Prometheus):
    assert prometheus.query('ALERTS{alertstate="firing"}') == []
