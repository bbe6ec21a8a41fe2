"""What a board is made of, and how it becomes Grafana's JSON.

    Board ─ Variable, Row ─ Panel ─ Query

A board knows no installation: the data source and the runbooks' address are variables, and its name is its uid.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, cast

from grafana_foundation_sdk.builders import common, dashboard, stat, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.cog.variants import Dataquery as AnyQuery
    from grafana_foundation_sdk.models.dashboard import DashboardLink, ThresholdsConfig
    from grafana_foundation_sdk.models.dashboard import Panel as GrafanaPanel

WIDTH = 24
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
# Where this repository's docs/runbooks.md can be read; a variable of each board.
RUNBOOKS = "docs/runbooks.md"


class Query(NamedTuple):
    """One expression, and what its series are called; `{{kind}}` is a label's value."""

    expr: str
    legend: str


class Panel(NamedTuple):
    """One graph, or one number for each series.

    `unit` is Grafana's id of a unit. `steps` colour a value from there on: yellow, then red. `alerts` are those that
    look at the same, whose runbooks are linked.
    """

    title: str
    help_text: str
    expr: str
    legend: str
    also: tuple[Query, ...] = ()
    unit: str = "short"
    steps: tuple[float, ...] = ()
    alerts: tuple[str, ...] = ()
    width: int = 8
    most: float | None = None
    is_stacked: bool = False
    is_number: bool = False
    # Of a number: whether a low one is the bad one.
    low_is_bad: bool = False


class Row(NamedTuple):
    """Panels under one heading. Their widths fill whole lines of 24."""

    title: str
    panels: tuple[Panel, ...]


def row(title: str, *panels: Panel) -> Row:
    """A row, with less brackets."""
    return Row(title, panels)


class Variable(NamedTuple):
    """What an operator may narrow a board to: the values that `label` has in `metric`."""

    name: str
    label: str
    metric: str


class Board(NamedTuple):
    """One dashboard; `name` is its file's name and its uid."""

    name: str
    title: str
    help_text: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()


def as_json(board: Board) -> str:
    """The file that Grafana reads."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.name)
        .description(board.help_text)
        .tags(["fidox"])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_other_boards())
        .link(dashboard.DashboardLink("Runbooks").type(DashboardLinkType.LINK).url("${runbooks}").target_blank(True))
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for variable in board.variables:
        made.with_variable(_variable(variable))
    made.with_variable(
        dashboard.TextBoxVariable("runbooks")
        .label("Runbooks at")
        .description("The address at which your people read docs/runbooks.md")
        .default_value(RUNBOOKS)
        .current(VariableOption(selected=True, text=RUNBOOKS, value=RUNBOOKS))
    )
    _add_rows(made, board.rows)
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _other_boards() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("FIDOX")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["fidox"])
        .as_dropdown(False)
        .keep_time(True)
        .include_vars(False)
    )


def _variable(variable: Variable) -> QueryVariable:
    query = f"label_values({variable.metric}, {variable.label})"
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.name.capitalize())
        .datasource(SOURCE)
        .query({"query": query, "refId": variable.name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _add_rows(made: Dashboard, rows: tuple[Row, ...]) -> None:
    number = 0
    for row in rows:
        number += 1
        made.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            built = _number(panel) if panel.is_number else _graph(panel)
            made.with_panel(cast("Builder[GrafanaPanel]", _common(cast("_Builder", built), panel).id(number)))


class _Builder(Protocol):
    """What the library's builders of panels have in common; they share no class."""

    def id(self, id_val: int) -> Self: ...
    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def min(self, min_val: float) -> Self: ...
    def max(self, max_val: float) -> Self: ...
    def thresholds(self, thresholds: Builder[ThresholdsConfig]) -> Self: ...
    def links(self, links: list[Builder[DashboardLink]]) -> Self: ...
    def with_target(self, target: Builder[AnyQuery]) -> Self: ...


def _common(made: _Builder, panel: Panel) -> _Builder:
    made = (
        made.title(panel.title)
        .description(panel.help_text)
        .datasource(SOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(4 if panel.is_number else 8)
        .min(0)
        .thresholds(_thresholds(panel))
        .links([_runbook(alert) for alert in panel.alerts])
    )
    if panel.most is not None:
        made.max(panel.most)
    for place, query in enumerate((Query(panel.expr, panel.legend), *panel.also)):
        target = Dataquery().datasource(SOURCE).expr(query.expr).legend_format(query.legend).ref_id("ABCDEF"[place])
        made.with_target(target.instant() if panel.is_number else target.range())
    return made


def _runbook(alert: str) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(f"Runbook {alert}")
        .type(DashboardLinkType.LINK)
        .url(f"${{runbooks}}#{alert.lower()}")
        .target_blank(True)
    )


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    colours = ("red", "yellow", "green") if panel.low_is_bad else ("green", "yellow", "red")
    if len(panel.steps) == 1:
        colours = colours[::2]
    places = (None, *panel.steps)
    steps = [Threshold(value=place, color=colour) for place, colour in zip(places, colours, strict=False)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _graph(panel: Panel) -> timeseries.Panel:
    style = GraphThresholdsStyleMode.DASHED if panel.steps else GraphThresholdsStyleMode.OFF
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
    made = (
        timeseries.Panel()
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .fill_opacity(30 if panel.is_stacked else 8)
        .line_width(1)
    )
    if panel.is_stacked:
        made.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    return made


def _number(panel: Panel) -> stat.Panel:
    colour = BigValueColorMode.BACKGROUND if panel.steps else BigValueColorMode.VALUE
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"])
    return stat.Panel().color_mode(colour).graph_mode(BigValueGraphMode.NONE).reduce_options(reduced)
