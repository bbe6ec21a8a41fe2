"""The dashboards' files: as the tables say, of no installation, and without anything that there is not."""

import json
from pathlib import Path

import pytest
import yaml

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import WIDTH, as_json
from tests.support import rules

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))


def boards() -> list[dict]:
    return [json.loads(path.read_text("utf-8")) for path in FILES]


def panels(board: dict) -> list[dict]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    return [target["expr"] for board in boards() for panel in panels(board) for target in panel["targets"]]


def test_the_files_are_what_the_tables_say():
    written = {path.stem: path.read_text("utf-8") for path in FILES}
    assert written == {board.name: as_json(board) for board in BOARDS}, "run `make dashboards`"


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_a_board_knows_no_installation(board: dict):
    """Its data source is a variable, and Grafana numbers it."""
    assert board.get("id") is None
    asked = [*panels(board), *(target for panel in panels(board) for target in panel["targets"])]
    asked += [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert {one["datasource"]["uid"] for one in asked} == {"${datasource}"}
    assert board["templating"]["list"][0]["name"] == "datasource"


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_each_panel_says_what_it_shows_in_its_unit_and_by_name(board: dict):
    titles = [panel["title"] for panel in panels(board)]
    assert len(titles) == len(set(titles))
    for panel in panels(board):
        assert len(panel["description"]) > 15, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_panels_fill_the_lines_and_do_not_overlap(board: dict):
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place.get("x", 0), place.get("x", 0) + place["w"])
            for y in range(place.get("y", 0), place.get("y", 0) + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len(taken) == WIDTH * (1 + max(y for _, y in taken))


def test_boards_link_one_another_and_the_runbooks_of_alerts_that_there_are():
    for board in boards():
        others, runbooks = board["links"]
        assert others["tags"] == board["tags"] == ["fidox"]
        assert runbooks["url"] == "${runbooks}"
        linked = {link["url"] for panel in panels(board) for link in panel.get("links", ())}
        assert linked <= {f"${{runbooks}}#{alert.lower()}" for alert in rules.alerts()}


def test_every_alert_is_linked_from_a_panel_that_shows_what_it_looks_at():
    linked = {link["url"].partition("#")[2] for board in boards() for panel in panels(board) for link in panel["links"]}
    assert linked == {alert.lower() for alert in rules.alerts()}


def test_every_metric_on_a_board_is_documented_and_every_documented_one_is_on_a_board_or_in_a_rule():
    shown = {metric for expr in expressions() for metric in rules.metrics_of(expr)}
    assert not shown - rules.known()
    read = shown.union(*(rules.metrics_of(rule["expr"]) for rule in rules.all_rules()))
    assert {name for name, scraped in rules.documented().items() if not scraped & read} == set()


def test_grafana_finds_prometheus_and_the_boards():
    """Where compose.yaml and the manifests mount them."""
    (source,) = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    (provider,) = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "fidox.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
