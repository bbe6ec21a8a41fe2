"""The rules of deploy/prometheus as data, and which metrics an expression reads."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus" / "rules"
# What a histogram is served as.
_PARTS = ("_bucket", "_count", "_sum")


def groups() -> list[dict]:
    """In the order of the files."""
    return list(chain(*(yaml.safe_load(path.read_text("utf-8"))["groups"] for path in sorted(FOLDER.glob("*.yml")))))


def all_rules() -> list[dict]:
    return [rule for group in groups() for rule in group["rules"]]


def of_group(name: str) -> list[dict]:
    return next(group["rules"] for group in groups() if group["name"] == name)


def alerts() -> dict[str, dict]:
    return {rule["alert"]: rule for rule in all_rules() if "alert" in rule}


def recorded() -> set[str]:
    return {rule["record"] for rule in all_rules() if "record" in rule}


def documented() -> dict[str, set[str]]:
    """The metrics of docs/metrics.md, each with the names that it is scraped by."""
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(fidox_\w+)` \| (\w+) \|", page, re.MULTILINE)
    return {name: {name + part for part in _PARTS} if kind == "histogram" else {name} for name, kind in rows}


def known() -> set[str]:
    """Every name that an expression may read: documented or recorded."""
    return recorded().union(*documented().values())


def metrics_of(expression: str) -> set[str]:
    """The metrics that it reads, recorded ones too; `up` is Prometheus's own."""
    without_strings = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"\b(?:\w+:)?fidox[\w:]*", without_strings))
