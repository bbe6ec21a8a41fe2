"""`python -m deploy.grafana`: write the dashboards' JSON again, after a change of the tables."""

from __future__ import annotations

from pathlib import Path

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import as_json

FOLDER = Path(__file__).parent / "dashboards"

if __name__ == "__main__":
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(as_json(board), "utf-8")
