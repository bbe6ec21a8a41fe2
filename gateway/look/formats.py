"""Numbers, times and sizes as every page shows them, in either language; a script turns times into the browser's own.

Without script a time stands in UTC and says so.
"""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

NOTHING = "–"  # noqa: RUF001 — an en dash, as a table has it


def number(value: float | None) -> str:
    """1,234"""  # noqa: D415
    return NOTHING if value is None else f"{value:,.0f}"


def milliseconds(value: float | None) -> str:
    """12.3 ms, 340 ms, 1.24 s"""  # noqa: D415
    if value is None:
        return NOTHING
    if not value:
        return "0 ms"
    if value >= 1000:
        return f"{value / 1000:,.2f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def percent(part: float, whole: float) -> str:
    """The share of `part`, with as many digits as say something."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.1f}%" if 0 < share < 10 else f"{share:.0f}%"


def size(count: int | None) -> str:
    """2.4 MB"""  # noqa: D415
    if count is None:
        return NOTHING
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def time(value: datetime | None) -> Markup | str:
    """A <time> element, to the second."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"), utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def hour(value: datetime) -> Markup:
    """A <time> element, to the hour."""
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}" data-form="hour">{}</time>').format(
        utc.isoformat(timespec="seconds"), utc.strftime("%m-%d %H:%M UTC")
    )
