"""One board a dialect: what its callers ask for and get, how long it takes, and where the time goes."""

from __future__ import annotations

from typing import NamedTuple

from deploy.grafana.panels import Board, Panel, Query, Row, Variable, row
from shared.contracts import Dialect

_I = "[$__rate_interval]"
_CALLS = "fidox_call_duration_seconds_count"
_AMONG_CALLS = "fidox_call_duration_seconds_bucket"


class _About(NamedTuple):
    """What a dialect's board says of it, and which limits its callers meet."""

    title: str
    help_text: str
    limits: str


_ABOUT = {
    Dialect.FIDOX: _About(
        "root API", "/auth and /face: register, verify, identify, compare.", "tenant|token|wrong-key|wrong-from"
    ),
    Dialect.V1: _About(
        "v1 API",
        "/v1: faces by an engine of the caller's choice, liveness, ID cards.",
        "tenant|token|wrong-key|wrong-from",
    ),
    Dialect.XYLOLABS: _About("xylolabs API", "/api/v1: detect and mask.", "detect|mask|wrong-from"),
}


def _board(dialect: Dialect, about: _About) -> Board:
    return Board(
        name=f"fidox-{dialect}",
        title=f"FIDOX {about.title}",
        help_text=about.help_text,
        variables=(Variable("operation", "operation", f'{_CALLS}{{dialect="{dialect}"}}'),),
        rows=(_results(dialect), _durations(dialect), _jobs(dialect), _limits(about.limits)),
    )


def _results(dialect: Dialect) -> Row:
    of = f'dialect="{dialect}",operation=~"$operation"'
    return row(
        "What callers get",
        Panel(
            title="Errors of the service",
            help_text="Share of calls whose caller could do nothing about it, over 5 minutes and over an hour.",
            expr=f'dialect:fidox_call_errors:ratio_rate5m{{dialect="{dialect}"}}',
            legend="5 minutes",
            also=(Query(f'dialect:fidox_call_errors:ratio_avg1h{{dialect="{dialect}"}}', "an hour"),),
            unit="percentunit",
            steps=(0.005, 0.05),
            alerts=("FidoxErrorsHigh", "FidoxErrorsRaised"),
        ),
        Panel(
            title="Calls by operation",
            help_text="A second, whatever came of them. What no operation was recognised in is `unknown`.",
            expr=f"sum by (operation) (rate({_CALLS}{{{of}}}{_I}))",
            legend="{{operation}}",
            unit="reqps",
            is_stacked=True,
        ),
        Panel(
            title="Calls that were not answered with a result",
            help_text="By the reason: of the picture, the person, the request, or the service. The words are those "
            "of the log and the transactions.",
            expr=f'sum by (outcome) (rate({_CALLS}{{{of},outcome!="ok"}}{_I}))',
            legend="{{outcome}}",
            unit="reqps",
            is_stacked=True,
        ),
    )


def _durations(dialect: Dialect) -> Row:
    of = f'dialect="{dialect}",operation=~"$operation",outcome="ok"'

    def quantile(share: float) -> str:
        return f"histogram_quantile({share}, sum by (operation, le) (rate({_AMONG_CALLS}{{{of}}}{_I})))"

    return row(
        "How long it takes, of calls that were answered",
        Panel(
            title="Duration, half of the calls",
            help_text="From a call's arrival at the gateway to its answer: the median.",
            expr=quantile(0.5),
            legend="{{operation}}",
            unit="s",
        ),
        Panel(
            title="Duration, 95 of 100 calls",
            help_text="Five of 100 took longer.",
            expr=quantile(0.95),
            legend="{{operation}}",
            unit="s",
            steps=(2.5,),
            alerts=("FidoxCallsSlow",),
        ),
        Panel(
            title="Duration, 99 of 100 calls",
            help_text="One of 100 took longer. A call has 10 s at most.",
            expr=quantile(0.99),
            legend="{{operation}}",
            unit="s",
            steps=(2.5,),
        ),
    )


def _jobs(dialect: Dialect) -> Row:
    of = f'dialect="{dialect}"'

    def p95(metric: str) -> str:
        return f"histogram_quantile(0.95, sum by (operation, le) (rate({metric}_bucket{{{of}}}{_I})))"

    return row(
        "The jobs behind them",
        Panel(
            title="Wait in the queue, 95 of 100 jobs",
            help_text="By the job's operation; a call may have more than one job.",
            expr=p95("fidox_job_queue_wait_seconds"),
            legend="{{operation}}",
            unit="s",
            steps=(2.0, 5.0),
            alerts=("FidoxQueueAging",),
        ),
        Panel(
            title="Work, 95 of 100 jobs",
            help_text="From its taking by a worker to its outcome.",
            expr=p95("fidox_job_work_seconds"),
            legend="{{operation}}",
            unit="s",
        ),
        Panel(
            title="Which engine answered",
            help_text="Of jobs that a face engine does. The second one answers where the first has failed, or was "
            "not asked for.",
            expr=f'sum by (engine) (rate(fidox_job_work_seconds_count{{{of},engine!=""}}{_I}))',
            legend="{{engine}}",
            unit="reqps",
            is_stacked=True,
            alerts=("FidoxCircuitOpen",),
        ),
    )


def _limits(names: str) -> Row:
    return row(
        "Limits",
        Panel(
            title="Calls refused by a limit",
            help_text="429, by the limit, of all dialects that share it: a tenant's plan counts for the root API "
            "and v1 together.",
            expr=f'sum by (limit) (rate(fidox_rate_limited_calls_total{{limit=~"{names}"}}{_I}))',
            legend="{{limit}}",
            unit="reqps",
            width=24,
        ),
    )


DIALECTS = tuple(_board(dialect, about) for dialect, about in _ABOUT.items())
