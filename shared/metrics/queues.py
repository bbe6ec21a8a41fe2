"""The queues' figures, asked of Redis at each scrape, so that they are as fresh as the scrape is.

Every gateway shows them, and they are the same at each: take the `max` over the instances, never the sum.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from redis.exceptions import RedisError

from shared.contracts import Kind
from shared.figures import read_figures
from shared.redis_client import connect_blocking, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

    from shared.settings import Queue as QueueSettings

log = logging.getLogger(__name__)

# A scrape is given up by Prometheus after 10 s; one without the queues is better than none.
PATIENCE_S = 2.0


class QueueFigures:
    """A collector for prometheus-client. Where Redis does not answer, `fidox_redis_up` is 0, and that is all."""

    def __init__(self, settings: QueueSettings) -> None:
        self._redis = connect_blocking(settings, patience_s=PATIENCE_S)

    def collect(self) -> Iterable[Metric]:
        """The figures of every kind."""
        up = GaugeMetricFamily("fidox_redis_up", "Whether Redis answered this scrape")
        try:
            found = {kind: read_figures(self._redis, kind) for kind in Kind}
        except (RedisError, OSError) as error:
            log.warning("no figures of the queues: %s", words(error))
            up.add_metric((), 0)
            return [up]
        up.add_metric((), 1)
        waiting = _gauge("waiting_jobs", "Jobs that no worker has begun")
        running = _gauge("running_jobs", "Jobs in a worker's hands")
        oldest = _gauge("oldest_job_age_seconds", "How long the first job that waits has waited; 0 where none does")
        places = _gauge("held_jobs", "Places taken, of those that FIDOX_QUEUE_MAX_JOBS admits")
        bytes_held = _gauge("held_bytes", "Bytes of pictures, of those that FIDOX_QUEUE_MAX_BYTES admits")
        workers = _gauge("live_workers", "Worker processes with a heartbeat")
        pace = _gauge("job_seconds", "What a job takes one worker process at the moment; 0 where none was done lately")
        done = _counter("done", "Jobs answered")
        taken_over = _counter("taken_over", "Jobs begun again because their worker died")
        dropped = _counter("dropped", "Jobs past their deadline, which nobody waited for any more")
        refused = CounterMetricFamily(
            "fidox_queue_refused", "Jobs that were never let in, by the reason", labels=("kind", "reason")
        )
        for kind, figures in found.items():
            waiting.add_metric((kind,), figures.waiting)
            running.add_metric((kind,), figures.running)
            oldest.add_metric((kind,), figures.oldest_s)
            places.add_metric((kind,), figures.places)
            bytes_held.add_metric((kind,), figures.bytes_held)
            workers.add_metric((kind,), figures.workers)
            pace.add_metric((kind,), (figures.job_ms or 0) / 1000)
            done.add_metric((kind,), figures.done)
            taken_over.add_metric((kind,), figures.taken_over)
            dropped.add_metric((kind,), figures.dropped)
            for reason, number in figures.refused.items():
                refused.add_metric((kind, reason), number)
        return [
            up,
            *(waiting, running, oldest, places, bytes_held, workers, pace),
            *(done, taken_over, dropped, refused),
        ]


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fidox_queue_{name}", text, labels=("kind",))


def _counter(name: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"fidox_queue_{name}", text, labels=("kind",))
