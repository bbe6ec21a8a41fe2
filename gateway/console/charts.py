"""Charts as numbers that a template draws: bars and lines by the hour, in the units of an SVG's view box.

y  0 ┌────────────────┐   PLOT_H units high for `top`, the round number above the largest value
     │   ▐▌   ▐▌      │   WIDTH units wide for all hours
     └────────────────┘
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.db.traffic import together

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.db.traffic import Hour

WIDTH, PLOT_H = 480.0, 160.0
GAP = 3.0


@dataclass(frozen=True, slots=True)
class HourRow:
    """One hour, as numbers for the table and as places for the drawing."""

    start: datetime
    count: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of an hour: its good calls from `y`, and its errors on top of them."""

    row: HourRow
    x: float
    width: float
    y: float
    height: float
    error_y: float
    error_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars or lines, the value of the topmost grid line, and the grid: places and values."""

    rows: Sequence[HourRow]
    top: float
    grid: list[tuple[float, float]]
    bars: Sequence[Bar] = ()
    lines: Sequence[tuple[str, str]] = ()
    dots: Sequence[tuple[str, float, float]] = ()


def rows_of(hours: Sequence[Hour]) -> list[HourRow]:
    """The hours as a table has them."""
    rows: list[HourRow] = []
    for hour in hours:
        tally = together([hour])
        rows.append(HourRow(hour.start, tally.count, tally.errors, tally.quantile_ms(0.5), tally.quantile_ms(0.95)))
    return rows


def calls_chart(rows: Sequence[HourRow]) -> Chart:
    """Calls an hour, those that were errors on top."""
    top = _round_up(max((row.count for row in rows), default=0), least=4)
    step = WIDTH / max(1, len(rows))
    bars: list[Bar] = []
    for n, row in enumerate(rows):
        good, bad = (PLOT_H * part / top for part in (row.count - row.errors, row.errors))
        bars.append(Bar(row, n * step + GAP / 2, step - GAP, PLOT_H - good, good, PLOT_H - good - bad, bad))
    return Chart(rows, top, _grid(top), bars=bars)


def latency_chart(rows: Sequence[HourRow]) -> Chart:
    """Median and 95th percentile by the hour; hours without calls interrupt the lines."""
    top = _round_up(max((row.p95_ms or 0 for row in rows), default=0), least=10)
    step = WIDTH / max(1, len(rows))
    lines: list[tuple[str, str]] = []
    dots: list[tuple[str, float, float]] = []
    for name in ("p50_ms", "p95_ms"):
        places = [
            None if (value := getattr(row, name)) is None else ((n + 0.5) * step, PLOT_H * (1 - value / top))
            for n, row in enumerate(rows)
        ]
        lines.append((name, _path(places)))
        dots += [(name, round(place[0], 1), round(place[1], 1)) for place in places if place]
    return Chart(rows, top, _grid(top), lines=lines, dots=dots)


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    """An SVG path through what there is."""
    path, pen = "", "M"
    for place in places:
        if place is None:
            pen = "M"
            continue
        path += f"{pen}{place[0]:.1f} {place[1]:.1f}"
        pen = "L"
    return path


def _grid(top: float) -> list[tuple[float, float]]:
    return [(PLOT_H * (1 - part / 4), top * part / 4) for part in range(5)]


def _round_up(value: float, *, least: float) -> float:
    """The next of 1, 2, 4, 8 times a power of ten: a quarter of each is a plain number."""
    value = max(value, least)
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)
