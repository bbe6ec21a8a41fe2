"""The board Queues: whether callers will be refused, what comes in and goes out, and who does the work."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Query, Variable, row

# As deploy/prometheus/rules has them, where a test holds them to the settings' defaults.
AGE_S = (2.0, 5.0)

OLDEST = Panel(
    title="Age of the oldest job",
    help_text="How long the first job that waits has waited. It is the first thing to rise when workers fall "
    "behind; at the deadline (10 s) jobs are dropped.",
    expr='max by (kind) (fidox_queue_oldest_job_age_seconds{kind=~"$kind"})',
    legend="{{kind}}",
    unit="s",
    steps=AGE_S,
    alerts=("FidoxQueueAging", "FidoxQueueNearDeadline"),
)
EXPECTED = Panel(
    title="Time until a new job is answered",
    help_text="Jobs held, times what a job takes, over the live workers. Admission reckons the same way, and "
    "refuses where it is over the deadline (10 s).",
    expr='kind:fidox_queue_expected_wait:seconds{kind=~"$kind"}',
    legend="{{kind}}",
    unit="s",
    steps=(5.0,),
    alerts=("FidoxQueueSlow",),
)
WAITING = Panel(
    title="Jobs that wait",
    help_text="Admitted, and begun by no worker. A burst is no harm where it falls again within seconds.",
    expr='max by (kind) (fidox_queue_waiting_jobs{kind=~"$kind"})',
    legend="{{kind}}",
    alerts=("FidoxQueueFilling",),
)
REFUSED = Panel(
    title="Refused jobs",
    help_text="Never let in: overloaded (more waits than can be answered in time), unavailable (no live worker), "
    "full (Redis is out of memory). Callers get 503 at once.",
    expr='max by (kind, reason) (rate(fidox_queue_refused_total{kind=~"$kind"}[$__rate_interval]))',
    legend="{{kind}} {{reason}}",
    unit="reqps",
    alerts=("FidoxQueueRefusing",),
)
WORKERS_ALIVE = Panel(
    title="Live workers",
    help_text="Worker processes with a heartbeat in Redis. At 0 every call of the kind is refused.",
    expr='max by (kind) (fidox_queue_live_workers{kind=~"$kind"})',
    legend="{{kind}}",
    alerts=("FidoxNoWorkers",),
)

_WILL_CALLERS_BE_REFUSED = row(
    "Will callers be refused?",
    OLDEST,
    EXPECTED,
    Panel(
        title="Share of places and bytes taken",
        help_text="Of what FIDOX_QUEUE_MAX_JOBS and FIDOX_QUEUE_MAX_BYTES admit. At 100 % the gateway refuses.",
        expr='kind:fidox_queue_held_jobs:share{kind=~"$kind"}',
        legend="{{kind}} places",
        also=(Query('kind:fidox_queue_held_bytes:share{kind=~"$kind"}', "{{kind}} bytes"),),
        unit="percentunit",
        steps=(0.5, 0.8),
        alerts=("FidoxQueueFilling", "FidoxQueueBytesFilling"),
    ),
)

_WHAT_IS_LOST = row(
    "What is lost",
    REFUSED,
    Panel(
        title="Jobs dropped past their deadline",
        help_text="Admitted, waited, and thrown away unread: their callers have got an error after 10 s.",
        expr='max by (kind) (rate(fidox_queue_dropped_total{kind=~"$kind"}[$__rate_interval]))',
        legend="{{kind}}",
        unit="reqps",
        alerts=("FidoxQueueDropping",),
    ),
    Panel(
        title="Jobs taken over",
        help_text="Begun again because the worker that had them was gone. Each cost its caller some 5 s.",
        expr='max by (kind) (increase(fidox_queue_taken_over_total{kind=~"$kind"}[5m]))',
        legend="{{kind}} in 5 m",
        alerts=("FidoxJobsTakenOver",),
    ),
)

_WHAT_COMES_IN_AND_GOES_OUT = row(
    "What comes in and goes out",
    WAITING,
    Panel(
        title="Jobs in a worker's hands",
        help_text="Fewer than there are live workers, while jobs wait, means that workers hang.",
        expr='max by (kind) (fidox_queue_running_jobs{kind=~"$kind"})',
        legend="{{kind}}",
    ),
    Panel(
        title="Jobs answered",
        help_text="By all workers of the kind, a second.",
        expr='max by (kind) (rate(fidox_queue_done_total{kind=~"$kind"}[$__rate_interval]))',
        legend="{{kind}}",
        unit="reqps",
    ),
)

_WHO_DOES_THE_WORK = row(
    "Who does the work",
    WORKERS_ALIVE,
    Panel(
        title="How busy the workers are",
        help_text="Jobs answered in 5 minutes, times what a job takes, over the workers. 100 % is all that "
        "these workers can do: add some before that.",
        expr='kind:fidox_queue_utilisation:ratio{kind=~"$kind"}',
        legend="{{kind}}",
        unit="percentunit",
        steps=(0.7, 0.9),
        alerts=("FidoxQueueAging",),
    ),
    Panel(
        title="What a job takes one worker",
        help_text="At the moment; 0 where none was done lately. A rise without more calls is a slow machine, a "
        "broken first engine, or larger pictures.",
        expr='max by (kind) (fidox_queue_job_seconds{kind=~"$kind"})',
        legend="{{kind}}",
        unit="s",
    ),
)

_HOW_LONG_JOBS_WAITED = row(
    "How long jobs waited",
    Panel(
        title="Wait, half of the jobs",
        help_text="From admission to its taking by a worker: the median.",
        expr="histogram_quantile(0.5, sum by (role, le) "
        '(rate(fidox_job_queue_wait_seconds_bucket{role=~"$kind"}[$__rate_interval])))',
        legend="{{role}}",
        unit="s",
        steps=AGE_S,
    ),
    Panel(
        title="Wait, 95 of 100 jobs",
        help_text="Five of 100 waited longer, over 5 minutes.",
        expr='role:fidox_job_queue_wait_seconds:p95_rate5m{role=~"$kind"}',
        legend="{{role}}",
        unit="s",
        steps=AGE_S,
    ),
    Panel(
        title="Wait, 99 of 100 jobs",
        help_text="One of 100 waited longer.",
        expr="histogram_quantile(0.99, sum by (role, le) "
        '(rate(fidox_job_queue_wait_seconds_bucket{role=~"$kind"}[$__rate_interval])))',
        legend="{{role}}",
        unit="s",
        steps=AGE_S,
    ),
)

_WHAT_REDIS_HOLDS = row(
    "What Redis holds",
    Panel(
        title="Places taken",
        help_text="Admitted jobs that are not answered yet, waiting or running.",
        expr='max by (kind) (fidox_queue_held_jobs{kind=~"$kind"})',
        legend="{{kind}}",
        width=12,
    ),
    Panel(
        title="Bytes of pictures",
        help_text="Of admitted jobs. What Redis needs of memory follows it.",
        expr='max by (kind) (fidox_queue_held_bytes{kind=~"$kind"})',
        legend="{{kind}}",
        unit="bytes",
        width=12,
        alerts=("FidoxQueueBytesFilling",),
    ),
)

QUEUES = Board(
    name="fidox-queues",
    title="FIDOX Queues",
    help_text="Between gateways and workers: whether callers will be refused, and why.",
    variables=(Variable("kind", "kind", "fidox_queue_waiting_jobs"),),
    rows=(
        _WILL_CALLERS_BE_REFUSED,
        _WHAT_IS_LOST,
        _WHAT_COMES_IN_AND_GOES_OUT,
        _WHO_DOES_THE_WORK,
        _HOW_LONG_JOBS_WAITED,
        _WHAT_REDIS_HOLDS,
    ),
)
