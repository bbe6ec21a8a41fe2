"""Prometheus takes the configuration; each alert fires where it should, and has a runbook; nothing in it is stale."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.prometheus.__main__ import MANIFEST, manifest
from gateway.dialects.fidox.errors import CODES
from shared.contracts import Failure
from shared.settings import Queue
from tests.conftest import need_program
from tests.support import rules

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
TESTS = sorted((FOLDER / "tests").glob("*.test.yml"))


def promtool(*arguments: object) -> str:
    """What it says; it fails the test where it complains."""
    command = [need_program("promtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_configuration_and_finds_the_rules():
    found = promtool("check", "config", FOLDER / "prometheus.yml")
    assert f"{len(list(rules.FOLDER.glob('*.yml')))} rule files found" in found


def test_both_files_fit_into_one_prometheus_rule_of_kubernetes():
    """Its `spec.groups` wants names that differ, and no other key beside `groups`."""
    contents = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(rules.FOLDER.glob("*.yml"))]
    assert all(list(content) == ["groups"] for content in contents)
    names = [group["name"] for content in contents for group in content["groups"]]
    assert len(names) == len(set(names))


def test_the_clusters_copy_of_the_rules_is_what_they_say():
    assert MANIFEST.read_text("utf-8") == manifest(), "run `make dashboards`"


@pytest.mark.parametrize("path", sorted(MANIFEST.parent.glob("triggers-*.yaml")), ids=lambda path: path.stem)
def test_what_scales_workers_in_production_is_a_documented_metric(path: Path):
    asked = re.findall(r"query: .*?(fidox_\w+)", path.read_text("utf-8"))
    assert len(asked) == 2
    assert set(asked) <= set(rules.documented())


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.removesuffix(".test.yml"))
def test_alerts_fire_when_they_should_and_not_before(path: Path):
    promtool("test", "rules", path)


def test_every_alert_is_tested_when_it_fires_and_when_it_does_not():
    checks = [
        check
        for path in TESTS
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]
        for check in test["promql_expr_test"]
    ]
    fires = {
        name for check in checks if check["exp_samples"] for name in re.findall(r'alertname="(\w+)"', check["expr"])
    }
    quiet = {
        name
        for check in checks
        if not check["exp_samples"]
        for names in re.findall(r'alertname=~?"([\w|]+)"', check["expr"])
        for name in names.split("|")
    }
    assert fires == quiet == set(rules.alerts())


def test_every_alert_says_how_urgent_it_is_what_it_means_and_where_to_read_on():
    for name, alert in rules.alerts().items():
        assert alert["labels"]["severity"] in {"page", "ticket"}, name
        assert list(alert["annotations"]) == ["summary", "description", "runbook_url"], name
        assert alert["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    page = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    assert re.findall(r"^### (Fidox\w+)$", page, re.MULTILINE) == list(rules.alerts())


def test_every_runbook_says_what_it_means_what_users_notice_how_to_look_and_what_to_do():
    page = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    for name, text in zip(
        *[iter(re.split(r"^###? (?:(Fidox\w+)|.*)$", page, flags=re.MULTILINE)[1:])] * 2, strict=True
    ):
        if name:
            assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Means", "Users", "Look", "Do"], name


def test_the_limits_that_the_rules_know_are_the_settings_defaults():
    known = {rule["record"]: float(rule["expr"][len("vector(") : -1]) for rule in rules.of_group("fidox-limits")}
    assert known == {
        "fidox:deadline:seconds": Queue().deadline_s,
        "fidox:queue_max_jobs:limit": Queue().max_jobs,
        "fidox:queue_max_bytes:limit": Queue().max_bytes,
    }


def test_an_error_is_what_a_caller_can_do_nothing_about():
    """Those that the root API answers with 5xx, less what the operator has switched off himself."""
    (errors,) = (rule["expr"] for rule in rules.all_rules() if rule.get("record") == "dialect:fidox_call_errors:rate5m")
    counted = set(re.findall(r'outcome=~"([\w|]+)"', errors)[0].split("|"))
    assert counted == {failure.value for failure, row in CODES.items() if row.status >= 500} - {Failure.NOT_ENABLED}


def test_every_metric_in_the_rules_is_a_documented_one():
    unknown = {
        (rule.get("alert") or rule["record"], metric)
        for rule in rules.all_rules()
        for metric in rules.metrics_of(rule["expr"])
        if metric not in rules.known()
    }
    assert not unknown


def test_every_metric_in_the_runbooks_is_one_that_there_is():
    page = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
    queries = re.findall(r"^    promtool query instant \S+ '(.+)'$", page, re.MULTILINE)
    assert len(queries) > 10
    read = {metric for query in queries for metric in rules.metrics_of(query)}
    assert not read - rules.known()
