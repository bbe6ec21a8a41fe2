"""Every Redis key of the product, in one place.

    arq:queue:KIND          sorted set  jobs waiting and running, by the time they were submitted; what a scaler counts
    arq:job:ID              string      the job (arq's)
    arq:in-progress:ID      string      the lease: which worker has the job, for as long as it renews it (arq's)
    arq:retry:ID            string      how often the job was begun (arq's)
    fidox:blob:ID:N         string      image N of the job
    fidox:wake:KIND         list        one token a job: what an idle worker blocks on; never a depth
    fidox:held:KIND         sorted set  "ID BYTES" of each admitted job, by the time its place falls free at the latest
    fidox:workers:KIND      sorted set  live worker processes, by the time they count as dead
    fidox:pace:KIND         hash        job_ms: what a job takes a worker process at the moment
    fidox:parts:KIND        hash        by worker process: its engines or checks, and the state of each
    fidox:counts:KIND       hash        what became of jobs, counted: done, taken_over, dropped, refused_REASON
    fidox:reply:GATEWAY     list        replies for one gateway process

A worker process is named HOST:PID:RANDOM:RELEASE (see shared/release.py), in its lease, too.

A job's keys expire by themselves, so that nothing is left of one that nobody answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.contracts import Kind

JOB = "arq:job:"
LEASE = "arq:in-progress:"
TRIES = "arq:retry:"
BLOB = "fidox:blob:"


def queue(kind: Kind) -> str:
    """Jobs waiting and running."""
    return f"arq:queue:{kind}"


def wake(kind: Kind) -> str:
    """What an idle worker blocks on."""
    return f"fidox:wake:{kind}"


def held(kind: Kind) -> str:
    """Admitted jobs and their bytes."""
    return f"fidox:held:{kind}"


def held_member(job_id: str, held_bytes: int) -> str:
    """A job's place in `held`."""
    return f"{job_id} {held_bytes}"


def workers(kind: Kind) -> str:
    """Live worker processes."""
    return f"fidox:workers:{kind}"


def pace(kind: Kind) -> str:
    """How fast a worker process is at the moment."""
    return f"fidox:pace:{kind}"


def parts(kind: Kind) -> str:
    """What each worker process says of its engines or checks."""
    return f"fidox:parts:{kind}"


def counts(kind: Kind) -> str:
    """What became of jobs, counted for as long as this Redis keeps its keys."""
    return f"fidox:counts:{kind}"


def blob(job_id: str, position: int) -> str:
    """An image beside a job."""
    return f"{BLOB}{job_id}:{position}"


def reply(gateway_id: str) -> str:
    """Where one gateway process reads its replies."""
    return f"fidox:reply:{gateway_id}"
