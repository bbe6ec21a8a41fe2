"""`--prometheus`: a real Prometheus watches the run by the rules that are shipped, and tells which alerts fired.

Most of what chaos breaks is mended sooner than anybody should be woken. So there are drills at the end, which last as
long as the alerts that are to fire wait:

    the liveness worker stands still   FidoxNoWorkers, FidoxTargetDown
    Redis stands still                 FidoxRedisDown
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import quote
from urllib.request import urlopen

import psutil
import yaml

from deploy.local.folder import CHECKOUT
from tests.soak.checks import Check
from tests.support.ports import own_port

if TYPE_CHECKING:
    from tests.soak.chaos import Chaos
    from tests.soak.stand import Stand

RULES = CHECKOUT / "deploy" / "prometheus" / "rules"
# Rates over five minutes and longer are those of the rules; only the looks are more frequent than the 15 s shipped. Not
# more than that: a scrape waits for two seconds before it says that Redis does not answer.
LOOK = "5s"
# A worker counts as alive for a lease of three seconds, a scrape and an evaluation follow.
SLACK_S = 20.0


class Drill(NamedTuple):
    """What stands still, for how long, and what is to fire: by alert, the kind of worker, or '' where it has none."""

    name: str
    seconds: float
    alerts: dict[str, str]


DRILLS = (
    Drill("liveness-1", 60 + SLACK_S, {"FidoxNoWorkers": "liveness", "FidoxTargetDown": ""}),
    Drill("redis", 30 + SLACK_S, {"FidoxRedisDown": ""}),
)
# All of them, with what it takes to be well again.
SECONDS = sum(drill.seconds + 10 for drill in DRILLS)


class Prometheus:
    """On the stand's own metrics ports. A context manager."""

    def __init__(self, stand: Stand) -> None:
        self._folder = stand.folder.root / "prometheus"
        self._stand = stand
        self._address = f"127.0.0.1:{own_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        jobs: dict[str, list[str]] = {}
        for name, port in self._stand.metrics.items():
            jobs.setdefault(name.partition("-")[0], []).append(f"127.0.0.1:{port}")
        config = {
            "global": {"scrape_interval": LOOK, "scrape_timeout": LOOK, "evaluation_interval": LOOK},
            "rule_files": [str(RULES / "*.yml")],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": targets}]} for job, targets in jobs.items()
            ],
        }
        self._folder.mkdir()
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
        command = [
            "prometheus",
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={self._address}",
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def alerts(self, state: str = "firing") -> dict[str, list[str]]:
        """Which were ever in this state since the start, and of which kinds or roles."""
        expression = f'max by (alertname, kind, role) (max_over_time(ALERTS{{alertstate="{state}"}}[6h]))'
        with urlopen(f"http://{self._address}/api/v1/query?query={quote(expression)}", timeout=10) as answer:
            series = json.load(answer)["data"]["result"]
        found: dict[str, list[str]] = {}
        for one in series:
            labels = one["metric"]
            found.setdefault(labels["alertname"], []).append(labels.get("kind", labels.get("role", "")))
        return {name: sorted(filter(None, of)) for name, of in sorted(found.items())}

    def check(self) -> list[Check]:
        """Did those of the drills fire? And what else did."""
        fired = self.alerts()
        wanted = {name: kind for drill in DRILLS for name, kind in drill.alerts.items()}
        # The stand has no OCR worker, so that one of that name fires from the start: of which kind it is matters.
        missing = [name for name, kind in wanted.items() if name not in fired or (kind and kind not in fired[name])]
        told = ", ".join(f"{name} ({' '.join(of)})" if of else name for name, of in fired.items())
        detail = f"missing: {', '.join(missing)}" if missing else told
        return [Check("alerts that should have fired did", not missing, detail)]


def is_installed() -> bool:
    return shutil.which("prometheus") is not None


async def drill(chaos: Chaos, stand: Stand) -> None:
    """One after the other; what stands still goes on at its end."""
    for one in DRILLS:
        parent = stand.process(one.name)
        stopped = [parent, *parent.children(recursive=True)] if parent else []
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        chaos.note("drill", f"{one.name} stands still for {one.seconds:.0f} s")
        try:
            await asyncio.sleep(one.seconds)
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
        await asyncio.to_thread(stand.wait_well, 30)
        # What was seen last has been looked at, too.
        await asyncio.to_thread(time.sleep, 5)
