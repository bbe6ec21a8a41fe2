"""The soak in small, and that it would notice."""

import asyncio
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from deploy.local.folder import CHECKOUT
from gateway.dialects.v1 import errors as v1
from shared.contracts import Failure
from tests.soak import __main__ as soak
from tests.soak import checks
from tests.soak.calls import GRACE_S, PASSING, Request, Settled, failure_of, judge
from tests.soak.chaos import KINDS, schedule
from tests.soak.load import Load
from tests.soak.report import Report
from tests.soak.stand import DEADLINE_S

COMMAND = [sys.executable, "-m", "tests.soak", "--json"]


def run(*arguments: str) -> subprocess.Popen:
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *arguments], cwd=CHECKOUT, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.usefixtures("people")
def test_whatever_breaks_every_call_is_answered_and_nobody_is_lost():
    """Fifty seconds of it; `make chaos` has ten minutes."""
    process = run("--minutes", "0.85", "--seed", "3")
    told, said = process.communicate(timeout=500)
    report = json.loads(told)
    assert report["violations"] == [], said
    assert process.returncode == 0, said
    assert {event["kind"] for event in report["events"]} == set(KINDS)
    assert report["calls"]["all"]["results"] > 50
    assert set(report["calls"]) > {"fidox register", "v1 liveness", "xylolabs mask"}
    assert len(report["checks"]) == 7


@pytest.mark.usefixtures("people")
def test_broken_off_it_shows_what_was_so_far(monkeypatch, capsys):
    def broken_off(_root, report: Report, *_, **__) -> None:
        report.settled.append(Settled("fidox compare", 0.0))
        raise KeyboardInterrupt

    monkeypatch.setattr(soak, "soak", broken_off)
    assert soak.main(["--minutes", "10"]) == 130
    told = capsys.readouterr().out
    assert "broken off before its end" in told
    assert re.search(r"fidox compare +1 +1 ", told)


def test_every_round_of_the_schedule_has_every_kind_and_the_same_seed_has_the_same_one():
    planned = schedule(600, 8, seed=5)
    assert planned == schedule(600, 8, seed=5) != schedule(600, 8, seed=6)
    kinds = [kind for _, kind in planned]
    assert set(kinds[: len(KINDS)]) == set(kinds[len(KINDS) : 2 * len(KINDS)]) == set(KINDS)
    assert planned[-1][0] < 592


def answer(status: int, **body: object) -> httpx.Response:
    return httpx.Response(status, json=body)


def judged(
    operation: str, given: httpx.Response, settle=lambda _: "", seconds: float = 0.1, retried: int = 0
) -> Settled:
    settled = Settled(operation, 0.0, seconds=seconds, retried=retried)
    judge(Request(operation, "POST", "/", b"", "", settle), settled, given)
    return settled


def test_documented_errors_of_each_dialect_are_answers():
    assert judged("fidox compare", answer(503, errorCode="SYS002")).failure is Failure.OVERLOADED
    assert judged("xylolabs mask", answer(503, detail="the service is busy: try")).failure is Failure.OVERLOADED
    for failure in PASSING:
        row = v1.code_of(failure, "verify")
        assert failure_of("v1 verify", answer(row.status, code=row.code)) is failure
        assert judged("v1 verify", answer(row.status, code=row.code)).violation == ""


@pytest.mark.parametrize(
    "given",
    [
        answer(500, errorCode="SYS000"),
        answer(503, detail="the service is busy"),  # another dialect's form
        answer(502, message="bad gateway"),
        httpx.Response(503, text="upstream"),
        answer(503, errorCode="SYS999"),
    ],
)
def test_anything_else_is_a_violation(given: httpx.Response):
    assert judged("fidox compare", given).violation


def test_a_late_answer_and_a_wrong_result_are_violations():
    fine = answer(200, matched=True)
    assert judged("fidox verify", fine).violation == ""
    late = DEADLINE_S + GRACE_S + 1
    assert f"after {late} s" in judged("fidox verify", fine, seconds=late).violation
    assert judged("fidox verify", fine, seconds=late, retried=1).violation == ""
    assert (
        judged("fidox verify", fine, settle=lambda done: "nobody" if done.body["matched"] else "").violation == "nobody"
    )


def test_a_connection_that_breaks_is_tried_again_only_where_a_gateway_was_killed():
    class Half(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.server.server_port == broken.server_port:
                self.connection.close()
                return
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Caller:
        headers = httpx.Headers()

    request = Request("fidox compare", "POST", "/", b"x", "", lambda _: "")

    async def send(urls: list[str], *, may_break: bool) -> Settled:
        load = Load(Caller(), urls, lambda: may_break)
        try:
            return await load.send(request)
        finally:
            await load.close()

    with ThreadingHTTPServer(("127.0.0.1", 0), Half) as broken, ThreadingHTTPServer(("127.0.0.1", 0), Half) as whole:
        for server in (broken, whole):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        # The first call goes to the second address.
        urls = [f"http://127.0.0.1:{server.server_port}" for server in (whole, broken)]
        again = asyncio.run(send(urls, may_break=True))
        never = asyncio.run(send(urls, may_break=False))
        nobody = asyncio.run(send([urls[1]] * 2, may_break=True))
        for server in (broken, whole):
            server.shutdown()
    assert (again.violation, again.retried) == ("", 1)
    assert "no gateway had been killed" in never.violation
    assert "no gateway took it" in nobody.violation


def test_memory_that_grows_is_not_flat():
    before = {"gateway": 100.0, "redis": 2.0}
    assert checks.memory_is_flat(before, {"gateway": 130.0, "redis": 4.0}).is_so
    assert not checks.memory_is_flat(before, {"gateway": 400.0, "redis": 4.0}).is_so
    assert not checks.memory_is_flat(before, {"gateway": 100.0, "redis": 40.0}).is_so


def test_a_violation_is_in_the_report():
    report = Report(1, 1.0, settled=[Settled("fidox compare", 0.0, violation="no answer in time")])
    report.checks.append(checks.Check("memory is flat", is_so=False, detail="gateway 1 -> 9"))
    assert report.violations == ["fidox compare: no answer in time", "memory is flat: gateway 1 -> 9"]
    assert "FAIL memory is flat" in report.text()
    assert "1 x fidox compare: no answer in time" in report.text()
