"""`python -m tests.soak`: find what the machine does, take a share of it, break things, and look what came of it.

The exit status is 1 where a call was not answered as documented, or something is not so that must be, and 130 where it
was broken off: Ctrl-C ends it, and shows what was so far.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.soak import alerts, checks
from tests.soak.calls import Caller
from tests.soak.chaos import Chaos, schedule
from tests.soak.load import Load
from tests.soak.report import Report
from tests.soak.stand import Stand

PEOPLE = Path(__file__).parents[3] / "shared" / "testdata" / "people"
CLIENTS = 8
# One thing a time: the one before is over by then on most machines.
GAP_S, SHORT_GAP_S = 8.0, 3.8
SHORT_S = 120.0
RECOVERY_S = 90.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the load and the chaos last (10)")
    parser.add_argument("--share", type=float, default=0.8, help="of the measured capacity (0.8)")
    parser.add_argument("--seed", type=int, default=1, help="of what is asked and what breaks (1)")
    parser.add_argument("--json", action="store_true", help="the report as JSON on standard output")
    parser.add_argument("--prometheus", action="store_true", help="watch by the shipped rules; two minutes of drills")
    asked = parser.parse_args(arguments)
    if asked.prometheus and not alerts.is_installed():
        sys.exit("needs Debian's package prometheus")
    if not PEOPLE.is_dir():
        sys.exit(f"needs the photos in {PEOPLE}")
    root = Path(tempfile.mkdtemp(prefix="fidox-soak-"))
    report = Report(asked.seed, asked.minutes)

    def say(line: str) -> None:
        print(line, file=sys.stderr if asked.json else sys.stdout, flush=True)

    try:
        with contextlib.redirect_stdout(sys.stderr) if asked.json else contextlib.nullcontext():
            soak(root, report, asked.share, say, watched=asked.prometheus)
    except KeyboardInterrupt:
        say("broken off")
    finally:
        print(report.json() if asked.json else report.text())
    if report.violations:
        say(f"what gateways and workers said is in {root / 'logs'}")
        return 1
    shutil.rmtree(root, ignore_errors=True)
    return 0 if report.is_whole else 130


def soak(root: Path, report: Report, share: float, say, *, watched: bool = False) -> None:
    with ExitStack() as parts:
        stand = parts.enter_context(Stand(root, lambda line: say(f"          {line}"), with_metrics=watched))
        prometheus = parts.enter_context(alerts.Prometheus(stand)) if watched else None
        report.full_disk = stand.disk.how
        say(f"two gateways, two face workers and a liveness worker run; a full disk is {stand.disk.how}")
        caller = Caller(stand, PEOPLE, report.seed)
        asyncio.run(_run(stand, caller, report, share, say, prometheus))
        report.checks.append(checks.storage_is_right(stand))
        report.checks += checks.rows_are_right(stand, caller)
        report.is_whole = True


async def _run(
    stand: Stand, caller: Caller, report: Report, share: float, say, prometheus: alerts.Prometheus | None
) -> None:
    seconds = 60 * report.minutes
    chaos = Chaos(stand, report.seed, say)
    report.events = chaos.events
    load = Load(caller, list(stand.urls.values()), chaos.gateway_was_killed)
    report.settled = load.settled
    try:
        # The first calls fill caches and arenas, and a quarter of the time is enough to know what the machine does.
        await load.closed(CLIENTS, 4)
        report.capacity = await load.closed(CLIENTS, max(4.0, min(20.0, seconds / 10)))
        report.rate = share * report.capacity
        say(f"{report.capacity:.1f} results a second with {CLIENTS} clients; now come {report.rate:.1f} calls a second")
        before = await asyncio.to_thread(stand.memory_mib)
        planned = schedule(seconds, GAP_S if seconds > SHORT_S else SHORT_GAP_S, report.seed)
        progress = asyncio.create_task(_progress(load, say))
        # What cannot be broken ends the run: it would not show what it says.
        async with asyncio.TaskGroup() as together:
            together.create_task(chaos.run(planned))
            together.create_task(load.open(report.rate, seconds, report.seed))
        await chaos.end()
        if prometheus is not None:
            await _drill(stand, chaos, load, report)
        progress.cancel()
        began = time.monotonic()
        is_well = await asyncio.to_thread(stand.wait_well, RECOVERY_S)
        detail = f"after {time.monotonic() - began:.0f} s" if is_well else f"not within {RECOVERY_S:.0f} s"
        report.checks.append(checks.Check("all parts are back by themselves", is_well, detail))
        if prometheus is not None:
            report.checks += await asyncio.to_thread(prometheus.check)
        report.checks.append(await asyncio.to_thread(checks.queue_is_empty, stand))
        report.checks.append(await checks.users_are_there(load, caller))
        after = await asyncio.to_thread(stand.memory_mib)
        report.checks.append(checks.memory_is_flat(before, after))
    finally:
        await load.close()


async def _drill(stand: Stand, chaos: Chaos, load: Load, report: Report) -> None:
    """Under half of the load: it is the alerts that are looked at."""
    await asyncio.to_thread(stand.wait_well, RECOVERY_S)
    calls = asyncio.create_task(load.open(report.rate / 2, alerts.SECONDS, report.seed))
    await alerts.drill(chaos, stand)
    await calls


async def _progress(load: Load, say) -> None:
    seen = len(load.settled)
    while True:
        await asyncio.sleep(10)
        some = load.settled[seen:]
        seen += len(some)
        results = sum(one.failure is None and not one.violation for one in some)
        refused, wrong = sum(one.failure is not None for one in some), sum(bool(one.violation) for one in some)
        say(f"          {results} results, {refused} refused, {wrong} violations, {load.in_flight} under way")
        for one in some:
            if one.violation:
                say(f"          {one.operation}: {one.violation}")


if __name__ == "__main__":
    sys.exit(main())
