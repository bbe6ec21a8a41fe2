"""What work costs, in seconds of CPU: the same on a machine that others use, where a clock would tell of them, too."""

import time
from collections.abc import Callable

import psutil


def process_s(pid: int) -> float:
    """What a process and its children have used so far, those that have ended included."""
    parent = psutil.Process(pid)
    used = 0.0
    for process in (parent, *parent.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system + times.children_user + times.children_system
    return used


def least_s(work: Callable[[], object], times: int = 5) -> float:
    """What `work` takes this process, the least of so many times."""

    def once() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return min(once() for _ in range(times))
