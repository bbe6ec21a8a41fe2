"""The processes of one worker on one machine: started, watched, and started again when one dies or stands still.

One thread computes in each: on a CPU two processes with one thread each are half again as fast as one with two (the
sessions' pools spin against one another). This process does nothing itself, and imports no model library.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from workers.runtime.heartbeat import VARIABLE, Pulse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

    from shared.settings import Inference

log = logging.getLogger(__name__)

# A process that dies sooner than this after its start is not started again at once.
HEALTHY_S = 10.0
MOST_PAUSE_S = 15.0
STOP_S = 20.0
LOOK_EVERY_S = 0.2
TOUCH_EVERY_S = 1.0
# Other workers take a silent one's jobs after one lease; two more tell one that hangs from one that is short of CPU.
SILENT_LEASES = 3
# glibc takes every array of more than 128 kB from the kernel and gives it back after use, zeroed pages and all: for
# pictures of a few megabytes that is an eighth of a call. Keeping them costs 5 to 10 MB a process; keeping the largest
# ones as well, of a picture of 10 megapixels and more that is masked, costs 100 and gains them nothing.
KEPT_BYTES = 32 << 20
# Identify's scan is numpy's: with a thread a core in every process they wait for one another on cores that are busy.
# Measured among 100,000 templates: p99 32 to 194 ms with two threads, 14 to 17 with one; p50 6 to 10, and 10 to 11.
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
# Of a container with a limit: microseconds of CPU it may use in so many (Linux, "Control Group v2", cpu.max).
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# sysexits.h EX_CONFIG: the settings are wrong, and starting again would not help.
EX_CONFIG = 78


def keeping(kept_bytes: int) -> dict[str, str]:
    """Return the environment in which glibc keeps freed arrays of up to so many bytes."""
    return {name: str(kept_bytes) for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")}


def cores(quota: Path = CPU_QUOTA) -> int:
    """The cores that this process may use, which in a container may be fewer than the machine has."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    try:
        most_us, period_us = quota.read_text("ascii").split()
        return max(1, min(there, int(most_us) // int(period_us)))
    except (OSError, ValueError):  # no container, or one without a limit, which says "max"
        return there


def gpus(settings: Inference) -> int:
    """NVIDIA GPUs that a CUDA build of ONNX Runtime may use. Asked of the package's metadata: loading it is costly."""
    if settings.gpu == "off":
        return 0
    if importlib.util.find_spec("onnxruntime") is None or not _is_installed("onnxruntime-gpu"):
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in {"", "-1"}])
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


class Supervisor:
    """Keeps `count` processes of `python -m module --one` alive, and kills one that is silent for three leases.

    They keep freed arrays of up to `kept_bytes` for the next ones. Where there is a `ready_file`, it is written every
    second while at least one of them has its models and lives, for a probe to look at its age. It is empty while one of
    those reaches Redis, and says so while none does: such a worker is not ready, and a restart would not help it. For
    prometheus-client it is a collector.
    """

    def __init__(
        self, module: str, count: int, *, lease_s: float, ready_file: str = "", kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._silent_s = SILENT_LEASES * lease_s
        self._command = [sys.executable, "-m", module, "--one"]
        self._children: list[_Child] = [_Child(number, kept_bytes) for number in range(count)]
        self._stopping = False
        self._ready_file = Path(ready_file) if ready_file else None
        self._touched = 0.0
        self._restarts: Counter[str] = Counter(ended=0, silent=0)

    def run(self) -> int:
        """Until SIGTERM or SIGINT; then the processes finish their jobs. The exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping:
            for child in self._children:
                if child.look(self._silent_s):
                    self._restarts["silent"] += 1
                if child.process is not None and child.process.poll() is not None:
                    if child.process.returncode == EX_CONFIG:
                        return self._end(EX_CONFIG)
                    self._restarts["ended"] += 1
                    child.died()
                if child.process is None and time.monotonic() >= child.not_before:
                    child.start(self._command)
            self._show_ready()
            time.sleep(LOOK_EVERY_S)
        return self._end(0)

    def collect(self) -> Iterable[Metric]:
        """How many processes there are, and why others were started in their place."""
        processes = GaugeMetricFamily("fidox_worker_processes", "Worker processes, by their state", labels=("state",))
        ready = sum(child.is_ready for child in self._children)
        processes.add_metric(("ready",), ready)
        processes.add_metric(("not_ready",), len(self._children) - ready)
        restarts = CounterMetricFamily(
            "fidox_worker_restarts", "Worker processes that were replaced, by why", labels=("reason",)
        )
        for reason, number in self._restarts.items():
            restarts.add_metric((reason,), number)
        return [processes, restarts]

    def _show_ready(self) -> None:
        """Write the file, or take it away."""
        if self._ready_file is None or time.monotonic() - self._touched < TOUCH_EVERY_S:
            return
        self._touched = time.monotonic()
        try:
            if any(child.is_ready for child in self._children):
                takes_jobs = any(child.takes_jobs for child in self._children)
                self._ready_file.write_text("" if takes_jobs else "Redis does not answer\n", "utf-8")
            else:
                self._ready_file.unlink(missing_ok=True)
        except OSError as error:
            # A full or read-only disk: the probe fails for it, and the jobs go on.
            log.warning("%s: %s", self._ready_file, error.strerror)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _end(self, status: int) -> int:
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process %d did not end; killing it", process.pid)
                process.kill()
                process.wait()
        return status


class _Child:
    """One of the processes, and when it may be started."""

    def __init__(self, number: int, kept_bytes: int) -> None:
        self.number = number
        self._memory = keeping(kept_bytes)
        self.process: subprocess.Popen[bytes] | None = None
        self.not_before = 0.0
        self._pulse: Pulse | None = None
        self._started = 0.0
        self._pause_s = 0.5

    def start(self, command: list[str]) -> None:
        self._started = time.monotonic()
        pulse = self._pulse = Pulse(2 * LOOK_EVERY_S)
        environment = self._memory | ONE_BLAS_THREAD | os.environ | {VARIABLE: str(pulse.write_fd)}
        self.process = subprocess.Popen(command, env=environment, pass_fds=(pulse.write_fd,))
        pulse.started()

    @property
    def is_ready(self) -> bool:
        """Has it loaded its models, and lived a moment ago?"""
        return self.process is not None and self._pulse is not None and self._pulse.beats

    @property
    def takes_jobs(self) -> bool:
        """Is it ready, and does it reach Redis?"""
        return self.process is not None and self._pulse is not None and self._pulse.takes_jobs

    def look(self, most_silent_s: float) -> bool:
        """Kill it when it has been silent for too long, and say so. Its jobs have been taken over by then."""
        if self.process is None or self._pulse is None:
            return False
        if self._pulse.look() > most_silent_s and self.process.poll() is None:
            log.error("process %d gave no sign of life for %.0f s; killing it", self.process.pid, most_silent_s)
            self.process.kill()
            self.process.wait()
            return True
        return False

    def died(self) -> None:
        """Note a death; the next start waits longer each time, until one has lived."""
        process, self.process = self.process, None
        if self._pulse is not None:
            self._pulse.close()
            self._pulse = None
        if time.monotonic() - self._started > HEALTHY_S:
            self._pause_s = 0.5
        log.warning(
            "process %d ended with %s; starting another in %.1f s",
            process.pid if process else 0,
            process.returncode if process else None,
            self._pause_s,
        )
        self.not_before = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, MOST_PAUSE_S)
