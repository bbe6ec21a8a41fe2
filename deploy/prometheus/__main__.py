"""`python -m deploy.prometheus`: write the rules again as the Prometheus operator takes them, after a change of them.

Kustomize cannot put a file's content into a field of a document, so the document is written here, and a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import yaml

RULES = Path(__file__).parent / "rules"
MANIFEST = Path(__file__).parents[2] / "k8s" / "overlays" / "production" / "rules.yaml"
HEAD = "# Written by `make dashboards` from deploy/prometheus/rules; docs/runbooks.md has a section for each alert.\n"


def manifest() -> str:
    """All groups of the rules as one PrometheusRule."""
    groups: list[Any] = []
    for path in sorted(RULES.glob("*.yml"), reverse=True):  # recording before alerts, which read it
        groups += cast("dict[str, list[Any]]", yaml.safe_load(path.read_text("utf-8")))["groups"]
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "fidox"},
        "spec": {"groups": groups},
    }
    return HEAD + yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    MANIFEST.write_text(manifest(), "utf-8")
