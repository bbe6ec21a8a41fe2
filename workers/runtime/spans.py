"""A job's part of its call's trace: one span for its wait in the queue, and one for its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared import tracing
from shared.db.transactions import OK, outcome_of

if TYPE_CHECKING:
    from shared import contracts, envelopes


class JobSpans:
    """Of one job that has just been taken. A job whose call is not traced has none."""

    def __init__(self, kind: contracts.Kind, job: envelopes.Job, *, waited_ms: float, tries: int) -> None:
        self._kind = kind
        self._job = job
        self._work: tracing.Span | None = None
        if job.trace:
            if wait := tracing.begin("wait", parent=job.trace, ago_ms=waited_ms):
                wait.end(f"{kind} wait", OK, {"tx": job.tx_id, "tries": tries})
            self._work = tracing.begin("work", parent=job.trace)

    def end(self, operation: str, outcome: contracts.AnyOutcome) -> None:
        """The work is done; where its time went is noted."""
        if self._work is None:
            return
        profile: dict[str, float | None] = {
            name: took
            for name, took in msgspec.structs.asdict(outcome.profile).items()
            if name.endswith("_ms") and took
        }
        facts = {"tx": self._job.tx_id, "tenant": self._job.tenant_id, "engine": outcome.engine, "model": outcome.model}
        self._work.end(f"{self._kind} {operation}", outcome_of(outcome), {**facts, **profile})
