"""API keys of detect and mask: make, rename, turn off and on, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from gateway.auth.admins import AdminUser, note
from gateway.calls import call_of, or_unavailable
from gateway.console.access import see_other
from gateway.console.confirm import ask, is_confirmed
from gateway.console.forms import Form, check, read_form
from gateway.console.listing import Text, asked, pager_of, window_of
from gateway.console.shown import shell
from gateway.dialects.xylolabs.admin.schemas import ApiKeyRequest
from gateway.look.render import page
from gateway.refusals import refuse
from shared.contracts import Failure
from shared.db.api_keys import ApiKey

HERE, ROOT = "keys", "/admin/api-keys"
SORTS = frozenset({"name", "request_count", "last_used_at", "created_at"})


class Switch(msgspec.Struct):
    """On or off, as a form's button says it."""

    is_active: bool


@get("/api-keys")
async def list_keys(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A page of keys, and a form for another one."""
    return await _list(request, Form())


@post("/api-keys", status_code=201)
async def create_key(request: Request[AdminUser, Any, Any]) -> Response[Any]:
    """A new key, shown in this answer and never again."""
    form = await read_form(request)
    checked = check(form, ApiKeyRequest)
    if checked.data is None:
        return await _list(request, form, status=400)
    made, key = await or_unavailable(call_of(request).services.api_keys.create(checked.data.name))
    note(request.user.username, "api_key.create", id=str(made.id))
    return page(request, "api_key_made.html", status=201, made=made, key=key, **shell(request, HERE))


@get("/api-keys/{key_id:uuid}")
async def show_key(request: Request[AdminUser, Any, Any], key_id: UUID) -> Response[Any]:
    """One key."""
    return _show(request, await _key(request, key_id), Form())


@post("/api-keys/{key_id:uuid}", status_code=303)
async def rename_key(request: Request[AdminUser, Any, Any], key_id: UUID) -> Response[Any]:
    """A new name."""
    form = await read_form(request)
    checked = check(form, ApiKeyRequest)
    if checked.data is None:
        return _show(request, await _key(request, key_id), form, status=400)
    await _change(request, key_id, name=checked.data.name)
    return see_other(f"{ROOT}/{key_id}?done=saved")


@post("/api-keys/{key_id:uuid}/switch", status_code=303)
async def switch_key(request: Request[AdminUser, Any, Any], key_id: UUID) -> Response[Any]:
    """Off, or on again."""
    switch = check(await read_form(request), Switch).data
    is_active = switch is not None and switch.is_active
    await _change(request, key_id, is_active=is_active)
    return see_other(f"{ROOT}/{key_id}?done={'switched_on' if is_active else 'switched_off'}")


@get("/api-keys/{key_id:uuid}/delete")
async def ask_delete_key(request: Request[AdminUser, Any, Any], key_id: UUID) -> Response[Any]:
    """The question, where a browser comes back to it."""
    return _ask(request, await _key(request, key_id), Form())


@post("/api-keys/{key_id:uuid}/delete", status_code=303)
async def delete_key(request: Request[AdminUser, Any, Any], key_id: UUID) -> Response[Any]:
    """For good, once it is confirmed."""
    form = await read_form(request)
    key = await _key(request, key_id)
    if not is_confirmed(form):
        return _ask(request, key, form)
    if await or_unavailable(call_of(request).services.api_keys.delete(key_id)):
        note(request.user.username, "api_key.delete", id=str(key_id))
    return see_other(f"{ROOT}?done=deleted")


async def _list(request: Request[AdminUser, Any, Any], form: Form, *, status: int = 200) -> Response[Any]:
    window = window_of(request, SORTS, "-created_at")
    filters = {"is_active": asked(request, "is_active", bool), "name": asked(request, "q", Text)}
    found = await or_unavailable(call_of(request).services.api_keys.page(window, **filters))
    return page(
        request,
        "api_keys.html",
        status=status,
        keys=found.items,
        pager=pager_of(window, found),
        form=form,
        filters=filters,
        **shell(request, HERE),
    )


def _show(request: Request[AdminUser, Any, Any], key: ApiKey, form: Form, *, status: int = 200) -> Response[Any]:
    return page(request, "api_key.html", status=status, key=key, form=form, **shell(request, HERE))


def _ask(request: Request[AdminUser, Any, Any], key: ApiKey, form: Form) -> Response[Any]:
    return ask(
        request,
        HERE,
        question="keys.delete_question",
        what=key.name,
        action="keys.delete",
        back=f"{ROOT}/{key.id}",
        form=form,
    )


async def _key(request: Request[AdminUser, Any, Any], key_id: UUID) -> ApiKey:
    found = await or_unavailable(call_of(request).services.api_keys.get(key_id))
    if found is None:
        raise refuse(Failure.NOT_FOUND)
    return found


async def _change(
    request: Request[AdminUser, Any, Any], key_id: UUID, *, name: str | None = None, is_active: bool | None = None
) -> None:
    changed = await or_unavailable(call_of(request).services.api_keys.update(key_id, name=name, is_active=is_active))
    if changed is None:
        raise refuse(Failure.NOT_FOUND)
    note(request.user.username, "api_key.update", id=str(key_id), renamed=name is not None, active=is_active)


ROUTES = (list_keys, create_key, show_key, rename_key, switch_key, ask_delete_key, delete_key)
