"""The port that Prometheus scrapes, in the process that watches over a service's others."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.samples import Sample

from shared.envelopes import CONTRACT_VERSION
from shared.metrics.places import Places, a_folder
from shared.release import RELEASE
from shared.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from prometheus_client.registry import Collector

    from shared.settings import Telemetry

log = logging.getLogger(__name__)


@contextmanager
def served(settings: Telemetry, role: str, *collectors: Collector) -> Generator[None]:
    """Serve what this process's children count, and `collectors` beside it, while the block lasts.

    Every sample says which `role` it is of: gateway, face, liveness, ocr. Without a port nothing is served.
    Raises SettingsError where the port is taken.
    """
    if not settings.metrics_port:
        yield
        return
    with a_folder() as folder:
        registry = CollectorRegistry()
        for collector in (Places(folder), _Build(), *collectors):
            registry.register(_OfRole(role, collector))
        try:
            server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry)
        except OSError as error:
            raise SettingsError(
                f"FIDOX_METRICS_PORT: nothing can be served at {settings.metrics_host}:{settings.metrics_port}:"
                f" {error.strerror}"
            ) from None
        log.info("metrics at http://%s:%d/metrics", settings.metrics_host, settings.metrics_port)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _OfRole:
    """A collector whose samples say of which role they are."""

    def __init__(self, role: str, collector: Collector) -> None:
        self._role = role
        self._collector = collector

    def describe(self) -> Iterable[Metric]:
        """None beforehand: asking would mean collecting."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """What the collector collects, with the label."""
        for metric in self._collector.collect():
            metric.samples = [
                Sample(sample.name, {"role": self._role, **sample.labels}, sample.value) for sample in metric.samples
            ]
            yield metric


class _Build:
    """Which version this is."""

    def collect(self) -> Iterable[Metric]:
        """One sample, 1."""
        build = GaugeMetricFamily("fidox_build_info", "Which version this is", labels=("version", "contract"))
        build.add_metric((RELEASE, str(CONTRACT_VERSION)), 1)
        yield build
