"""How full and how busy this machine's NVIDIA GPUs are, asked of the driver at each scrape."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from prometheus_client.metrics_core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)


class Gpus:
    """A collector for prometheus-client.

    A GPU is named by its UUID, since numbers change with CUDA_VISIBLE_DEVICES. Without one there is nothing to say.
    """

    def __init__(self) -> None:
        self._nvml = _driver()

    def collect(self) -> Iterable[Metric]:
        """Memory and use of each."""
        nvml = self._nvml
        if nvml is None:
            return []
        used = GaugeMetricFamily("fidox_gpu_memory_used_bytes", "Memory in use, by all programs", labels=("gpu",))
        total = GaugeMetricFamily("fidox_gpu_memory_total_bytes", "Memory that there is", labels=("gpu",))
        busy = GaugeMetricFamily("fidox_gpu_busy_ratio", "Share of the last moment that it worked", labels=("gpu",))
        for number in range(nvml.nvmlDeviceGetCount()):
            try:
                gpu = nvml.nvmlDeviceGetHandleByIndex(number)
                name = str(nvml.nvmlDeviceGetUUID(gpu))
                memory = nvml.nvmlDeviceGetMemoryInfo(gpu)
                used.add_metric((name,), memory.used)
                total.add_metric((name,), memory.total)
                busy.add_metric((name,), nvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100)
            except nvml.NVMLError as error:
                # A MIG slice tells its memory and not its use.
                log.debug("GPU %d: %s", number, error)
        return [used, total, busy]


def _driver() -> Any:
    """NVIDIA's management library, ready; None without it, or without a driver."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        log.debug("no GPU is watched: %s", error)
        return None
    return nvml
