"""What the run was, as a table or as JSON."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.report import percentile

if TYPE_CHECKING:
    from tests.soak.calls import Settled
    from tests.soak.chaos import Event
    from tests.soak.checks import Check


@dataclass
class Report:
    """Filled in as the run goes on, so that one that is broken off can be shown, too."""

    seed: int
    minutes: float
    full_disk: str = ""
    capacity: float = 0.0
    rate: float = 0.0
    settled: list[Settled] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    is_whole: bool = False

    @property
    def violations(self) -> list[str]:
        """Of calls, and of what must be so at the end."""
        calls = [f"{one.operation}: {one.violation}" for one in self.settled if one.violation]
        return calls + [f"{check.name}: {check.detail}" for check in self.checks if not check.is_so]

    def data(self) -> dict[str, object]:
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "whole": self.is_whole,
            "full_disk": self.full_disk,
            "capacity_per_s": round(self.capacity, 1),
            "rate_per_s": round(self.rate, 1),
            "calls": {name: _row(some) for name, some in self._by_operation().items()},
            "events": [event._asdict() for event in self.events],
            "checks": [check._asdict() for check in self.checks],
            "violations": self.violations,
        }

    def json(self) -> str:
        return json.dumps(self.data(), indent=2)

    def text(self) -> str:
        """The table, the events, the checks, and the violations that there were."""
        names = ("calls", "results", "refused", "retried", "violations", "p50_ms", "p99_ms", "most_ms")
        lines = [f"{'':18}" + "".join(f"{name:>11}" for name in names)]
        for operation, some in self._by_operation().items():
            row = _row(some)
            lines.append(f"{operation:18}" + "".join(f"{row[name]!s:>11}" for name in names))
        refused = Counter(str(one.failure) for one in self.settled if one.failure)
        lines += ["", "refused: " + (", ".join(f"{name} {count}" for name, count in refused.most_common()) or "none")]
        kinds = Counter(event.kind for event in self.events)
        lines += ["broken:  " + (", ".join(f"{name} {count}" for name, count in kinds.items()) or "nothing"), ""]
        lines += [f"{'ok  ' if check.is_so else 'FAIL'} {check.name}: {check.detail}" for check in self.checks]
        told = Counter(self.violations)
        lines += [
            "",
            f"{sum(told.values())} violations" + ("" if self.is_whole else "; it was broken off before its end"),
        ]
        return "\n".join(lines + [f"  {count} x {violation}" for violation, count in told.most_common(20)])

    def _by_operation(self) -> dict[str, list[Settled]]:
        found: dict[str, list[Settled]] = defaultdict(list)
        for one in self.settled:
            found[one.operation].append(one)
        return dict(sorted(found.items())) | {"all": self.settled}


def _row(some: list[Settled]) -> dict[str, int]:
    times = [1000 * one.seconds for one in some if one.failure is None and not one.violation]
    times = times if len(times) > 1 else [*times, 0.0, 0.0]
    return {
        "calls": len(some),
        "results": sum(one.failure is None and not one.violation for one in some),
        "refused": sum(one.failure is not None for one in some),
        "retried": sum(one.retried > 0 for one in some),
        "violations": sum(bool(one.violation) for one in some),
        "p50_ms": round(percentile(times, 0.5)),
        "p99_ms": round(percentile(times, 0.99)),
        "most_ms": round(max(times)),
    }
