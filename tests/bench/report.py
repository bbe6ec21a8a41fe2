"""What a benchmark says, and how it is written down: figures with their target, on a named machine."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from shared import cpu

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Row:
    """One figure. `target` says what it should be, in words; `met` whether it is, None where nothing was promised."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None


@dataclass
class Section:
    """Figures that belong together, and how they were taken.

    What is compared in several respects is a table of its own, `lines` under `header`, before the single figures.
    """

    title: str
    how: str
    rows: list[Row] = field(default_factory=list)
    header: tuple[str, ...] = ()
    lines: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, what: str, value: str, target: str = "", met: bool | None = None) -> None:
        """One more figure; shown at once, since a run takes minutes."""
        self.rows.append(Row(what, value, target, met))
        mark = {None: " ", True: "+", False: "-"}[met]
        print(f"  {mark} {what:<60} {value:>20}   {target}", flush=True)

    def line(self, *cells: str) -> None:
        """One more line under the header; shown at once."""
        if not self.lines:
            print("  " + " | ".join(self.header))
        self.lines.append(cells)
        print("  " + " | ".join(cells), flush=True)


def machine() -> str:
    """The CPU, with what decides how networks compute on it."""
    units = " ".join(sorted(cpu.BF16 & cpu.flags())) or "no bf16"
    return f"{_cpu()} ({units}), {len(os.sched_getaffinity(0))} cores, {psutil.virtual_memory().total >> 30} GiB"


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def table(lines: list[tuple[str, ...]]) -> str:
    """A table in Markdown; the first line is its head."""
    head, *rest = lines
    cells = [head, ("---",) * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def rewrite(page: Path, section: str, text: str) -> None:
    """Put `text` between the marks of a section in a page of the documentation."""
    begin, end = f"<!-- written by make bench ONLY={section} -->", "<!-- end -->"
    before, _, rest = page.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    if not after:
        raise ValueError(f"{page} has no {begin} … {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")
    print(f"wrote {page}")


def write(sections: list[Section], settings: dict[str, str]) -> None:
    """The whole page, replaced."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; do not edit. Compare figures of one run with one another: machines differ, and the",
        "ones these were taken on are shared with others.",
        "",
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}",
        f"- {machine()}",
        *(f"- {name}: {value}" for name, value in settings.items()),
        "",
    ]
    for section in sections:
        lines += [f"## {section.title}", "", section.how, ""]
        if section.lines:
            cells = [section.header, ("---",) + ("---:",) * (len(section.header) - 1), *section.lines]
            lines += [*(f"| {' | '.join(line)} |" for line in cells), ""]
        if section.rows:
            lines += ["| | measured | target | |", "| --- | ---: | --- | --- |"]
        for row in section.rows:
            verdict = {None: "", True: "met", False: "**missed**"}[row.met]
            lines.append(f"| {row.what} | {row.value} | {row.target} | {verdict} |")
        lines.append("")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(lines), "utf-8")
    print(f"\nwrote {PAGE}")


def _cpu() -> str:
    try:
        names = {
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        }
    except OSError:
        names = set()
    return ", ".join(sorted(names)) or platform.processor() or "unknown CPU"
