"""Forms: what was typed, checked by the admin API's own bodies, and what is wrong with which field.

The same struct that a PATCH or POST of the admin API is read into says what a field takes, so no rule stands twice.
What it takes is said beside the field in words of the reader's language: `rule.FIELD`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from gateway.bodies import SMALL_BYTES
from gateway.refusals import refuse
from gateway.text import CONTROLS_REFUSED, has_controls
from shared.contracts import Failure

if TYPE_CHECKING:
    from litestar import Request

S = TypeVar("S", bound=msgspec.Struct)

URL_ENCODED = "application/x-www-form-urlencoded"
# Names of 128 characters, percent-encoded; nobody types more.
MOST_BYTES = SMALL_BYTES


@dataclass(slots=True)
class Form:
    """What was typed, by field, and the word (`rule.…`) of what is wrong with it."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    errors: dict[str, str] = field(default_factory=dict[str, str])

    def get(self, name: str) -> str:
        """As it was typed; nothing where the form has no such field."""
        return self.values.get(name, "")


@dataclass(slots=True)
class Checked(Generic[S]):
    """A form and what it says; `data` is None where something is wrong."""

    form: Form
    data: S | None


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The fields of an ordinary form. Raises RefusedError for any other body, and for control characters."""
    if request.content_type[0] != URL_ENCODED:
        raise refuse(Failure.BAD_REQUEST, "send a form")
    sent = await request.form()
    values = {name: value for name, value in sent.items() if isinstance(value, str)}
    if any(has_controls(name + value) for name, value in values.items() if not _is_free(name)):
        raise refuse(Failure.BAD_REQUEST, CONTROLS_REFUSED)
    return Form(values)


def check(form: Form, kind: type[S]) -> Checked[S]:
    """The form as a `kind`: each of its fields by that field's own rules. A box that is not ticked is False."""
    found: dict[str, Any] = {}
    for rule in msgspec.structs.fields(kind):
        typed = form.get(rule.name)
        if _is_box(rule.type):
            found[rule.name] = bool(typed)
            continue
        try:
            found[rule.name] = msgspec.convert(_trimmed(rule.name, typed), rule.type, strict=False)
        except msgspec.ValidationError:
            form.errors[rule.name] = f"rule.{rule.name}"
    return Checked(form, None if form.errors else kind(**found))


def _trimmed(name: str, typed: str) -> str:
    # A password is what it is.
    return typed if _is_password(name) else typed.strip()


def _is_password(name: str) -> bool:
    return "password" in name


def _is_free(name: str) -> bool:
    # Where a login leads has a rule of its own, which falls back to the first page (access.py).
    return _is_password(name) or name == "next"


def _is_box(kind: Any) -> bool:
    return kind is bool or bool in getattr(kind, "__args__", ())
