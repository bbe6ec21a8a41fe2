"""What a scrape says is what happened, and nothing that a caller sent."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.metrics import ROLES, Scrape
from tests.support.v1 import V1

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
GPU = {"fidox_gpu_memory_used_bytes", "fidox_gpu_memory_total_bytes", "fidox_gpu_busy_ratio"}
PHOTO = "obama/obama.jpg"


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    """Every metric of the page, and its type."""
    rows = re.findall(r"^\| `(fidox_\w+)` \| (\w+) \| \S", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(dict(rows)) > 30
    return dict(rows)


@pytest.fixture(scope="module")
def called(root_api, face_api, photo, people):
    """Some of everything was asked for."""
    assert root_api.post("/face/compare", image1=photo(PHOTO), image2=photo(PHOTO)).status_code == 200
    assert face_api.detect((people / PHOTO).read_bytes()).status_code == 200


def test_the_page_lists_what_is_scraped_with_its_type(watched, documented, called):
    scraped: dict[str, str] = {}
    for role in ROLES:
        scraped |= watched.scrape(role).types
    assert scraped == {name: kind for name, kind in documented.items() if name not in GPU}


def test_names_follow_prometheus_conventions(documented):
    for name, kind in documented.items():
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|milliseconds|mb|kb|percent)(_|$)", name), name


@pytest.mark.parametrize("role", ROLES)
def test_every_sample_says_its_role(watched, role):
    for family in watched.scrape(role).families:
        assert all(sample.labels["role"] == role for sample in family.samples), family.name


def calls(scrape: Scrape, **labels: str) -> float:
    return scrape.value("fidox_call_duration_seconds_count", **labels)


def test_several_processes_answer_with_the_sum(watched, root_api, photo):
    """Each call on a connection of its own, so that both processes of the gateway get some."""
    before = watched.scrape("gateway")
    for _ in range(12):
        with httpx.Client(base_url=watched.stack.base_url, headers=root_api.client.headers, timeout=30) as client:
            assert client.post("/face/count", json={"image": photo(PHOTO)}).status_code == 200
    after = watched.scrape("gateway")
    labels = {"dialect": "fidox", "operation": "count", "outcome": "ok"}
    assert calls(after, **labels) - calls(before, **labels) == 12
    assert after.value("fidox_processes") == 2


def test_a_call_and_its_job_are_counted_by_dialect_operation_outcome_and_engine(
    watched, root_api, face_api, photo, people, grey
):
    demo = watched.stack.demo
    picture = (people / PHOTO).read_bytes()
    before = {role: watched.scrape(role) for role in ROLES}
    assert root_api.post("/face/compare", image1=photo(PHOTO), image2=photo(PHOTO)).status_code == 200
    assert root_api.post("/face/compare", image1=photo(PHOTO), image2=grey).status_code == 400
    assert face_api.mask(picture).status_code == 200
    with V1.login(watched.stack.base_url, demo["ACCESS_KEY"], demo["SECRET_KEY"]) as v1:
        assert v1.post("/liveness/detect", image=photo(PHOTO)).status_code == 200
    after = {role: watched.scrape(role) for role in ROLES}

    def more(role: str, name: str, **labels: str) -> float:
        return after[role].value(name, **labels) - before[role].value(name, **labels)

    for dialect, operation, outcome in (
        ("fidox", "compare", "ok"),
        ("fidox", "compare", "no_face"),
        ("xylolabs", "mask", "ok"),
        ("v1", "liveness", "ok"),
    ):
        labels = {"dialect": dialect, "operation": operation, "outcome": outcome}
        assert more("gateway", "fidox_call_duration_seconds_count", **labels) == 1, labels
        role = "liveness" if dialect == "v1" else "face"
        for name in ("fidox_job_queue_wait_seconds", "fidox_job_work_seconds"):
            assert more(role, f"{name}_count", **labels) == 1, (name, labels)
        took, worked, waited = (
            more(role, name, **labels)
            for role, name in (
                ("gateway", "fidox_call_duration_seconds_sum"),
                (role, "fidox_job_work_seconds_sum"),
                (role, "fidox_job_queue_wait_seconds_sum"),
            )
        )
        assert 0 < worked + waited < took, labels
    assert more("face", "fidox_job_work_seconds_count", operation="compare", outcome="ok", engine="ezway") == 1
    assert more("face", "fidox_job_stage_seconds_total", operation="compare", stage="decode") > 0
    assert more("gateway", "fidox_queue_done_total", kind="face") == 3
    assert more("gateway", "fidox_queue_done_total", kind="liveness") == 1


def test_what_a_caller_sends_is_in_no_label(watched, root_api, photo):
    root_api.post("/face/register", image=photo(PHOTO), userCode="code-of-somebody", name="name of somebody")
    root_api.post("/face/verify", image=photo(PHOTO), userCode="code-of-nobody")
    root_api.delete("code-of-somebody")
    root_api.client.get("/face/path-of-nobody")
    root_api.client.request("BREW", "/face/count")
    httpx.post(
        f"{watched.stack.base_url}/auth/client/token", json={"accessKey": "key-of-nobody", "secretKey": "x"}, timeout=60
    )
    httpx.get(
        f"{watched.stack.base_url}/api/v1/images/id-of-nobody", headers={"X-API-Key": "key-of-nobody"}, timeout=60
    )
    for role in ROLES:
        text = watched.scrape(role).text
        assert "of-somebody" not in text
        assert "of somebody" not in text
        assert "of-nobody" not in text
        assert "BREW" not in text
    assert calls(watched.scrape("gateway"), dialect="fidox", operation="unknown") > 0


def test_metrics_are_not_on_the_public_port(watched):
    assert httpx.get(f"{watched.stack.base_url}/metrics", timeout=60).status_code == 404


def test_logs_say_transaction_tenant_operation_outcome_and_milliseconds(watched, root_api, photo):
    tx_id = root_api.post("/face/count", image=photo(PHOTO)).json()["txId"]
    lines = [
        json.loads(line) for line in watched.stack.children["gateway"].log.read_text().splitlines() if tx_id in line
    ]
    assert len(lines) == 1
    assert lines[0]["message"] == "fidox call"
    assert lines[0]["operation"] == "count"
    assert lines[0]["outcome"] == "ok"
    assert lines[0]["tenant"] > 0
    assert lines[0]["ms"] > 0
    assert len(lines[0]["trace"]) == 32
    assert set(lines[0]) == {
        *("time", "level", "logger", "message"),
        *("tx", "tenant", "operation", "outcome", "ms", "trace"),
    }


def test_a_port_that_is_taken_is_said_and_ends_the_start(watched):
    environment = {**watched.stack.environment, "FIDOX_METRICS_PORT": str(watched.first_port)}
    for module in ("gateway", "workers.face"):
        done = subprocess.run(
            [sys.executable, "-m", module],
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode != 0
        assert "FIDOX_METRICS_PORT: nothing can be served at 127.0.0.1:" in done.stderr
        assert "Traceback" not in done.stderr
