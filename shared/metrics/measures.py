"""Every metric that a working process counts. No label takes a value that a caller chooses.

dialect, operation  as in the transactions; of a route that is none of an operation, `unknown`
outcome             `ok`, or a `contracts.Failure`
engine              the face engine that answered; empty where none did
part                an engine, a check or a reader, by its name
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared import contracts
from shared.metrics.places import take_place

take_place()

# Not served: the parent serves the sum over the processes.
_REGISTRY = CollectorRegistry()
# From a hop without work to the deadline; narrow between 10 and 250 ms, where the operations are.
_SECONDS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

CALL_SECONDS = Histogram(
    "fidox_call_duration_seconds",
    "From a call's arrival at the gateway to its answer",
    ("dialect", "operation", "outcome"),
    buckets=_SECONDS,
    registry=_REGISTRY,
)
LIMITED = Counter(
    "fidox_rate_limited_calls", "Calls refused because their caller made too many", ("limit",), registry=_REGISTRY
)
UNCOUNTED = Counter(
    "fidox_rate_limits_uncounted", "Calls let through because Redis did not answer the limiter", registry=_REGISTRY
)

_JOB = ("dialect", "operation", "outcome", "engine")
JOB_WAIT_SECONDS = Histogram(
    "fidox_job_queue_wait_seconds",
    "From a job's admission to the moment a worker took it",
    _JOB,
    buckets=_SECONDS,
    registry=_REGISTRY,
)
JOB_WORK_SECONDS = Histogram(
    "fidox_job_work_seconds",
    "From a job's taking to its outcome",
    _JOB,
    buckets=_SECONDS,
    registry=_REGISTRY,
)
STAGE_SECONDS = Counter(
    "fidox_job_stage_seconds", "Where the work's time went", ("operation", "stage"), registry=_REGISTRY
)
BATCH_SIZE = Histogram(
    "fidox_inference_batch_size",
    "Pictures or faces in one pass of a network",
    ("model",),
    buckets=(1, 2, 4, 8, 16, 32),
    registry=_REGISTRY,
)
LOAD_SECONDS = Gauge(
    "fidox_part_load_seconds",
    "What loading and trying it took last, in the slowest process",
    ("part",),
    multiprocess_mode="livemax",
    registry=_REGISTRY,
)
CIRCUITS = Gauge(
    "fidox_circuit_processes",
    "Worker processes whose circuit of this part is in this state",
    ("part", "state"),
    multiprocess_mode="livesum",
    registry=_REGISTRY,
)
PART_FAILURES = Counter("fidox_part_failures", "Times it gave no answer", ("part",), registry=_REGISTRY)

PROCESSES = Gauge("fidox_processes", "Processes at work", multiprocess_mode="livesum", registry=_REGISTRY)
MEMORY = Gauge(
    "fidox_memory_resident_bytes",
    "Resident memory of all processes at work",
    multiprocess_mode="livesum",
    registry=_REGISTRY,
)
POOL = Gauge(
    "fidox_db_pool_connections",
    "Connections to PostgreSQL, by what they do",
    ("state",),
    multiprocess_mode="livesum",
    registry=_REGISTRY,
)
POOL_WAITING = Gauge(
    "fidox_db_pool_waiting",
    "Requests that wait for a connection",
    multiprocess_mode="livesum",
    registry=_REGISTRY,
)
POOL_ERRORS = Counter("fidox_db_pool_errors", "Requests that got no connection in time", registry=_REGISTRY)
ROWS_WAITING = Gauge(
    "fidox_transactions_waiting",
    "Transactions that are not yet written",
    multiprocess_mode="livesum",
    registry=_REGISTRY,
)
ROWS_BEHIND = Gauge(
    "fidox_transactions_behind_seconds",
    "How long ago the call of the first transaction that is not yet written began",
    multiprocess_mode="livemax",
    registry=_REGISTRY,
)
ROWS_LOST = Counter(
    "fidox_transactions_lost",
    "Transactions given up: too many waited for PostgreSQL, or it refused this one",
    registry=_REGISTRY,
)
CLEANUP = Gauge(
    "fidox_storage_cleanup_tasks",
    "Stored files that are to be removed, and are not yet",
    multiprocess_mode="livemax",
    registry=_REGISTRY,
)
CLEANUP_AGE = Gauge(
    "fidox_storage_cleanup_oldest_seconds",
    "How long ago the first of them was noted",
    multiprocess_mode="livemax",
    registry=_REGISTRY,
)

_STAGES = tuple(
    (name, name.removesuffix("_ms"))
    for name in contracts.Profile.__struct_fields__
    if name.endswith("_ms") and name not in {"queue_wait_ms", "total_ms"}
)


def count_job(dialect: str, operation: str, outcome: str, done: contracts.Outcome) -> None:
    """A worker has done a job; its outcome's profile says what it took."""
    profile = done.profile
    labels = (dialect, operation, outcome, done.engine or "")
    JOB_WAIT_SECONDS.labels(*labels).observe(profile.queue_wait_ms / 1000)
    JOB_WORK_SECONDS.labels(*labels).observe(profile.total_ms / 1000)
    for field, stage in _STAGES:
        took_ms: float | None = getattr(profile, field)
        if took_ms:
            STAGE_SECONDS.labels(operation, stage).inc(took_ms / 1000)
