"""The board Overview: is all well, and if not, where to look. Queues first: they are full before anybody notices."""

from __future__ import annotations

from deploy.grafana import queues
from deploy.grafana.panels import Board, Panel, Variable, row

_FIRING = 'ALERTS{alertname=~"Fidox.+",alertstate="firing"'


def _number(title: str, help_text: str, expr: str, legend: str, **more: object) -> Panel:
    base = Panel(title=title, help_text=help_text, expr=expr, legend=legend, width=4, is_number=True)
    return base._replace(**more)


NOW = row(
    "Now",
    _number(
        "Pages",
        "Alerts that fire and are for any hour: callers are refused, or will be in minutes.",
        f'count({_FIRING},severity="page"}}) or vector(0)',
        "pages",
        steps=(1.0,),
    ),
    _number(
        "Tickets",
        "Alerts that fire and are for the working day.",
        f'count({_FIRING},severity="ticket"}}) or vector(0)',
        "tickets",
        steps=(1.0, 1000.0),
    ),
    _number(
        "Oldest job",
        "Of all queues: how long the first job that waits has waited.",
        "max(fidox_queue_oldest_job_age_seconds)",
        "oldest",
        unit="s",
        steps=queues.AGE_S,
        alerts=("FidoxQueueAging", "FidoxQueueNearDeadline"),
    ),
    _number(
        "Errors",
        "Of the dialect that has the most: share of the last 5 minutes' calls with an error of the service.",
        "max(dialect:fidox_call_errors:ratio_rate5m)",
        "errors",
        unit="percentunit",
        steps=(0.005, 0.05),
        alerts=("FidoxErrorsHigh", "FidoxErrorsRaised"),
    ),
    _number(
        "Calls",
        "Of all dialects, a second, over 5 minutes.",
        "sum(dialect:fidox_calls:rate5m)",
        "calls",
        unit="reqps",
    ),
    _number(
        "Live workers",
        "Of the kind that has the fewest. At 0 every call of that kind is refused.",
        "min(kind:fidox_queue_live_workers:max)",
        "workers",
        steps=(1.0,),
        low_is_bad=True,
        alerts=("FidoxNoWorkers",),
    ),
)

_QUEUES = row(
    "Queues",
    queues.OLDEST._replace(width=6),
    queues.WAITING._replace(width=6),
    queues.EXPECTED._replace(width=6),
    queues.REFUSED._replace(width=6),
)

_CALLS = row(
    "Calls",
    Panel(
        title="Calls by dialect",
        help_text="As they come to the gateways, those of the console as admin.",
        expr="sum by (dialect) (rate(fidox_call_duration_seconds_count[$__rate_interval]))",
        legend="{{dialect}}",
        unit="reqps",
        width=6,
        is_stacked=True,
    ),
    Panel(
        title="Errors of the service",
        help_text="Share of a dialect's calls whose caller could do nothing about it: overloaded, no engine, "
        "past the deadline, a store that is away, a fault.",
        expr="dialect:fidox_call_errors:ratio_rate5m",
        legend="{{dialect}}",
        unit="percentunit",
        steps=(0.005, 0.05),
        width=6,
        alerts=("FidoxErrorsHigh", "FidoxErrorsRaised"),
    ),
    Panel(
        title="Duration, 95 of 100 calls",
        help_text="Of those that were answered; five of 100 took longer.",
        expr="histogram_quantile(0.95, sum by (dialect, le) "
        '(rate(fidox_call_duration_seconds_bucket{outcome="ok"}[$__rate_interval])))',
        legend="{{dialect}}",
        unit="s",
        steps=(2.5,),
        width=6,
        alerts=("FidoxCallsSlow",),
    ),
    Panel(
        title="Calls that were not answered with a result",
        help_text="By the reason. Pictures without a face and wrong tokens are the callers' own; the words are "
        "those of the log and the transactions.",
        expr='sum by (outcome) (rate(fidox_call_duration_seconds_count{outcome!="ok"}[$__rate_interval]))',
        legend="{{outcome}}",
        unit="reqps",
        width=6,
        is_stacked=True,
    ),
)

_PARTS = row(
    "Parts",
    Panel(
        title="Processes at work",
        help_text="By role. A step down that nobody made is a crash; a step up and down is an upgrade.",
        expr="sum by (role) (fidox_processes)",
        legend="{{role}}",
        width=6,
        alerts=("FidoxTargetDown", "FidoxNoGateway"),
    ),
    Panel(
        title="Redis, as each gateway sees it",
        help_text="1 where it answered the scrape. At 0 no job gets to a worker.",
        expr="fidox_redis_up",
        legend="{{instance}}",
        most=1,
        width=6,
        alerts=("FidoxRedisDown",),
    ),
    Panel(
        title="Memory of a process",
        help_text="Resident, on the average of an instance's processes.",
        expr="instance:fidox_memory_per_process:bytes",
        legend="{{role}} {{instance}}",
        unit="bytes",
        width=6,
        alerts=("FidoxMemoryGrowing",),
    ),
    Panel(
        title="Versions",
        help_text="Instances of each version, and of each contract between gateway and worker. More than one "
        "only during an upgrade.",
        expr="count by (version, contract) (fidox_build_info)",
        legend="{{version}}, contract {{contract}}",
        width=6,
        alerts=("FidoxVersionSkew",),
    ),
)

_LIMITS = row(
    "Limits",
    Panel(
        title="Calls refused by a limit",
        help_text="429, by the limit: of a tenant, a key, or of wrong credentials. Many wrong ones are somebody "
        "who tries keys.",
        expr="sum by (limit) (rate(fidox_rate_limited_calls_total[$__rate_interval]))",
        legend="{{limit}}",
        unit="reqps",
        width=12,
    ),
    Panel(
        title="Calls let through uncounted",
        help_text="Redis did not answer the limiter, which then lets calls through.",
        expr="sum by (role) (rate(fidox_rate_limits_uncounted_total[$__rate_interval]))",
        legend="{{role}}",
        unit="reqps",
        width=12,
        alerts=("FidoxLimitsUncounted",),
    ),
)

OVERVIEW = Board(
    name="fidox-overview",
    title="FIDOX Overview",
    help_text="Is all well, and if not, where to look. The queues come first: they fill before callers notice.",
    variables=(Variable("kind", "kind", "fidox_queue_waiting_jobs"),),
    rows=(NOW, _QUEUES, _CALLS, _PARTS, _LIMITS),
)
