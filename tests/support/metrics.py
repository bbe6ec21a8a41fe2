"""A stack whose metrics are served, and what a scrape of them says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.stack import LocalStack
from tests.support.ports import own_port, own_ports

ROLES = ("gateway", "face", "liveness", "ocr")


class Watched:
    """A running stack, and its ports."""

    def __init__(self, stack: LocalStack, first_port: int) -> None:
        self.stack = stack
        self.first_port = first_port

    def url(self, role: str) -> str:
        return f"http://127.0.0.1:{self.first_port + ROLES.index(role)}/metrics"

    def scrape(self, role: str) -> "Scrape":
        return Scrape(httpx.get(self.url(role), timeout=30).raise_for_status().text)


class Scrape:
    """One answer of /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.types = {
            family.name + ("_total" if family.type == "counter" else ""): family.type for family in self.families
        }

    def values(self, name: str, **labels: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """The samples of this name that have these labels, with all that they have."""
        for family in self.families:
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    yield sample.labels, sample.value

    def value(self, name: str, **labels: str) -> float:
        """Their sum."""
        return sum(value for _, value in self.values(name, **labels))


@contextmanager
def watched_stack(root: Path, **environment: str) -> Iterator[Watched]:
    """A stack of its own that serves metrics."""
    first = own_ports(len(ROLES))
    with LocalStack(root, port=own_port(), environment={"FIDOX_METRICS_PORT": str(first), **environment}) as stack:
        yield Watched(stack, first)
