"""The board Workers and GPU: what the workers do, where their time goes, and what is broken in them."""

from __future__ import annotations

from deploy.grafana.panels import Board, Panel, Variable, row

_R = 'role=~"$role"'
_OF = f'{_R},operation=~"$operation"'
_I = "[$__rate_interval]"

_PROCESSES = row(
    "Processes",
    Panel(
        title="Ready and not",
        help_text="A process is ready when it has its models and gives signs of life.",
        expr=f"sum by (role, state) (fidox_worker_processes{{{_R}}})",
        legend="{{role}} {{state}}",
        alerts=("FidoxWorkerNotReady", "FidoxNoWorkers"),
    ),
    Panel(
        title="Replaced processes",
        help_text="In 5 minutes: ended by themselves (a crash, the kernel's out-of-memory killer), or silent "
        "and killed.",
        expr=f"sum by (role, reason) (increase(fidox_worker_restarts_total{{{_R}}}[5m]))",
        legend="{{role}} {{reason}}",
        alerts=("FidoxWorkerRestarting", "FidoxJobsTakenOver"),
    ),
    Panel(
        title="Memory",
        help_text="Resident, of all processes of an instance together.",
        expr=f"fidox_memory_resident_bytes{{{_R}}}",
        legend="{{role}} {{instance}}",
        unit="bytes",
        alerts=("FidoxMemoryGrowing",),
    ),
)

_WORK = row(
    "Work",
    Panel(
        title="Jobs by operation",
        help_text="Done a second, whatever came of them.",
        expr=f"sum by (operation) (rate(fidox_job_work_seconds_count{{{_OF}}}{_I}))",
        legend="{{operation}}",
        unit="reqps",
        is_stacked=True,
    ),
    Panel(
        title="Work, half of the jobs",
        help_text="From a job's taking to its outcome: the median.",
        expr=f"histogram_quantile(0.5, sum by (operation, le) (rate(fidox_job_work_seconds_bucket{{{_OF}}}{_I})))",
        legend="{{operation}}",
        unit="s",
    ),
    Panel(
        title="Work, 95 of 100 jobs",
        help_text="Five of 100 took longer, over 5 minutes.",
        expr=f"role_operation:fidox_job_work_seconds:p95_rate5m{{{_OF}}}",
        legend="{{role}} {{operation}}",
        unit="s",
    ),
    Panel(
        title="Where the time goes",
        help_text="Seconds of work a second, by stage: decode grows with pictures, search with tenants, storage "
        "with the S3 server's distance.",
        expr=f"sum by (stage) (rate(fidox_job_stage_seconds_total{{{_OF}}}{_I}))",
        legend="{{stage}}",
        is_stacked=True,
    ),
    Panel(
        title="What became of the jobs",
        help_text="By outcome, the failures of pictures among them.",
        expr=f"sum by (outcome) (rate(fidox_job_work_seconds_count{{{_OF}}}{_I}))",
        legend="{{outcome}}",
        unit="reqps",
        is_stacked=True,
    ),
    Panel(
        title="Which engine answered",
        help_text="The second one answers only where the first has failed, or was not asked for.",
        expr=f'sum by (engine) (rate(fidox_job_work_seconds_count{{{_OF},engine!=""}}{_I}))',
        legend="{{engine}}",
        unit="reqps",
        is_stacked=True,
    ),
)

_ENGINES_CHECKS_AND_READERS = row(
    "Engines, checks and readers",
    Panel(
        title="Open circuits",
        help_text="Processes in which a part is switched off, because it failed several times or could not be "
        "loaded. It is tried again every 10 s.",
        expr=f"role_part:fidox_circuit_processes:broken{{{_R}}}",
        legend="{{role}} {{part}}",
        width=6,
        alerts=("FidoxCircuitOpen", "FidoxPartDown"),
    ),
    Panel(
        title="Failures",
        help_text="Times that a part gave no answer, in 5 minutes.",
        expr=f"sum by (role, part) (increase(fidox_part_failures_total{{{_R}}}[5m]))",
        legend="{{role}} {{part}}",
        width=6,
        alerts=("FidoxPartFailing",),
    ),
    Panel(
        title="Loading",
        help_text="What loading and trying a part took last, in the slowest process: how long a start takes.",
        expr=f"max by (role, part) (fidox_part_load_seconds{{{_R}}})",
        legend="{{role}} {{part}}",
        unit="s",
        width=6,
    ),
    Panel(
        title="Pictures in one pass of a network",
        help_text="On the average. Near 1 on a CPU, where batches gain nothing; on a busy GPU several.",
        expr=f"sum by (model) (rate(fidox_inference_batch_size_sum{{{_R}}}{_I})) "
        f"/ (sum by (model) (rate(fidox_inference_batch_size_count{{{_R}}}{_I})) > 0)",
        legend="{{model}}",
        width=6,
    ),
)

_GPU = row(
    "GPU",
    Panel(
        title="GPU memory in use",
        help_text="Share of what there is, by all programs on it.",
        expr=f"fidox_gpu_memory_used_bytes{{{_R}}} / fidox_gpu_memory_total_bytes{{{_R}}}",
        legend="{{instance}} {{gpu}}",
        unit="percentunit",
        steps=(0.9, 0.95),
        most=1,
        alerts=("FidoxGpuMemoryNearlyFull",),
    ),
    Panel(
        title="GPU memory",
        help_text="Bytes in use, by all programs on it.",
        expr=f"fidox_gpu_memory_used_bytes{{{_R}}}",
        legend="{{instance}} {{gpu}}",
        unit="bytes",
        alerts=("FidoxGpuMemoryNearlyFull",),
    ),
    Panel(
        title="GPU at work",
        help_text="Share of the last moment in which it did anything. Low beside jobs that wait: more processes.",
        expr=f"fidox_gpu_busy_ratio{{{_R}}}",
        legend="{{instance}} {{gpu}}",
        unit="percentunit",
        most=1,
    ),
)

_POSTGRESQL = row(
    "PostgreSQL",
    Panel(
        title="Connections",
        help_text="Of gateways and workers, by what they do. All busy for long: see who waits.",
        expr="sum by (role, state) (fidox_db_pool_connections)",
        legend="{{role}} {{state}}",
        alerts=("FidoxDatabaseWaiting",),
    ),
    Panel(
        title="Requests that wait for a connection",
        help_text="More than a moment's worth is a slow statement, or too few connections.",
        expr="sum by (role) (fidox_db_pool_waiting)",
        legend="{{role}}",
        alerts=("FidoxDatabaseWaiting",),
    ),
    Panel(
        title="Requests that got no connection",
        help_text="Within FIDOX_DB_TIMEOUT_S, a second.",
        expr=f"sum by (role) (rate(fidox_db_pool_errors_total{_I}))",
        legend="{{role}}",
        unit="reqps",
        alerts=("FidoxDatabaseErrors",),
    ),
)

_TRANSACTIONS_AND_STORED_PICTURES = row(
    "Transactions and stored pictures",
    Panel(
        title="Transactions not yet written",
        help_text="Kept in memory while PostgreSQL is away, up to 20,000 a process.",
        expr="sum by (role) (fidox_transactions_waiting)",
        legend="{{role}}",
        width=8,
        alerts=("FidoxTransactionsWaiting",),
    ),
    Panel(
        title="Age of the first transaction not yet written",
        help_text="Since its call began; how far the record of calls is behind.",
        expr="max by (role) (fidox_transactions_behind_seconds)",
        legend="{{role}}",
        unit="s",
        width=8,
        alerts=("FidoxTransactionsWaiting",),
    ),
    Panel(
        title="Transactions given up",
        help_text="Lost, in 5 minutes.",
        expr="sum by (role) (increase(fidox_transactions_lost_total[5m]))",
        legend="{{role}}",
        width=8,
        alerts=("FidoxTransactionsLost",),
    ),
    Panel(
        title="Files to be removed",
        help_text="Of pictures that are deleted, and still lie in the storage.",
        expr="max(fidox_storage_cleanup_tasks)",
        legend="files",
        width=12,
        alerts=("FidoxCleanupOld",),
    ),
    Panel(
        title="Age of the first file to be removed",
        help_text="Since it was noted.",
        expr="max(fidox_storage_cleanup_oldest_seconds)",
        legend="oldest",
        unit="s",
        steps=(3600.0,),
        width=12,
        alerts=("FidoxCleanupOld",),
    ),
)

WORKERS = Board(
    name="fidox-workers",
    title="FIDOX Workers and GPU",
    help_text="What the workers do, where their time goes, and which of their parts do not work.",
    variables=(
        Variable("role", "role", "fidox_worker_processes"),
        Variable("operation", "operation", "fidox_job_work_seconds_count"),
    ),
    rows=(_PROCESSES, _WORK, _ENGINES_CHECKS_AND_READERS, _GPU, _POSTGRESQL, _TRANSACTIONS_AND_STORED_PICTURES),
)
