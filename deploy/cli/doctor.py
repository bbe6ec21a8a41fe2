"""`fidox doctor`: what is missing or wrong, on this machine and with the servers, and what to do about it.

ok     as it should be
warn   works, or works with less; look at it when there is time
fail   the product does not start or does not answer with it

The exit status is 1 where something fails, else 0: warnings are no reason to stop a roll-out. What is looked at is in
`deploy/doctor/`, a module a part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from deploy.cli import common
from deploy.doctor import database, machine, redis, storage
from deploy.doctor.finding import Finding, State
from shared.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


def doctor(as_json: common.Json = False) -> None:
    """Check machine, weights, database, Redis, workers, queues, storage and secrets; exit status 1 where one fails."""
    findings = list(examine())
    rows = [(finding.state.value, finding.check, finding.detail) for finding in findings]
    if as_json:
        common.show([finding._asdict() for finding in findings], "", as_json=True)
    else:
        common.show_table(findings, ("", "check", "found"), rows, as_json=False)
        for finding in findings:
            if finding.todo:
                common.show(None, f"{finding.state} {finding.check}: {finding.todo}", as_json=False)
    if any(finding.state is State.FAIL for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Every check, in the order of the report."""
    yield from machine.examine()
    try:
        settings = common.settings()
    except SettingsError as error:
        yield Finding(State.FAIL, "settings", str(error), "mend or unset that variable; the rest was not checked")
        return
    yield from machine.networks(settings)
    yield from machine.weights(settings)
    yield from database.examine(settings)
    yield from redis.examine(settings)
    yield from storage.examine(settings)
    yield machine.port(settings)
    yield from machine.metrics(settings)
    yield from machine.spans(settings)
    yield machine.secrets(settings)
    yield from machine.open_doors(settings)
