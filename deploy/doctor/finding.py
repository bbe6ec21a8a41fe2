"""What a check found, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # works, or works with less
    FAIL = "fail"  # the product does not start or does not answer with it


class Finding(NamedTuple):
    """One line of the report; `todo` is empty where there is nothing to do."""

    state: State
    check: str
    detail: str
    todo: str = ""


def judged(check: str, detail: str, todo: str = "", *, bad: State = State.WARN) -> Finding:
    """OK where there is nothing to do, else `bad`."""
    return Finding(bad if todo else State.OK, check, detail, todo)
