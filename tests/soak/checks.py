"""What must be so when the chaos is over and nobody calls any more."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from shared import keys
from shared.contracts import Kind
from shared.db.cleanup import CleanupTasks
from shared.db.pool import open_pool
from shared.storage import open_storage
from tests.soak.calls import PASSING
from workers.face.cron import clean

if TYPE_CHECKING:
    from tests.soak.calls import Caller
    from tests.soak.load import Load
    from tests.soak.stand import Stand

# A job's images expire five seconds after its deadline (shared/queue.py).
LEFT_S = 60.0
AT_ONCE = 8
# Chosen: arenas and caches still fill a little after the first minute, and a gateway keeps what it held at its worst
# moment: up to 180 calls under way, with bodies of up to a megabyte. A leak of each call's picture is far more.
MOST_GROWN, MOST_GROWN_MIB = 1.25, 200.0
MOST_REDIS_GROWN_MIB = 16.0


class Check(NamedTuple):
    """One line of the report."""

    name: str
    is_so: bool
    detail: str


def queue_is_empty(stand: Stand) -> Check:
    """No job, no lease, no picture, no place held."""
    until = time.monotonic() + LEFT_S
    while left := _left(stand):
        if time.monotonic() > until:
            break
        time.sleep(0.5)
    return Check("nothing left in the queue", not left, ", ".join(left[:5]) or "no job, lease, picture or place held")


def _left(stand: Stand) -> list[str]:
    with stand.redis() as client:
        prefixes = (keys.JOB, keys.LEASE, keys.TRIES, keys.BLOB)
        found = [key.decode() for prefix in prefixes for key in client.scan_iter(f"{prefix}*", count=1000)]
        seconds, _ = client.time()
        for kind in Kind:
            found += [f"{keys.queue(kind)}: {client.zcard(keys.queue(kind))}"] * bool(client.zcard(keys.queue(kind)))
            held = client.zcount(keys.held(kind), seconds * 1000, "+inf")
            found += [f"{keys.held(kind)}: {held}"] * bool(held)
        return found


async def users_are_there(load: Load, caller: Caller) -> Check:
    """Everybody whose registration was confirmed verifies as who they are."""
    gate, wrong = asyncio.Semaphore(AT_ONCE), list[str]()

    async def verify(user: str) -> None:
        async with gate:
            end = time.monotonic() + LEFT_S
            done = await load.send(caller.verify(user), counts=False)
            # A machine that is full of work may refuse some: nobody is lost by that.
            while done.failure in PASSING and time.monotonic() < end:
                done = await load.send(caller.verify(user), counts=False)
            if done.violation or done.failure:
                wrong.append(f"{user}: {done.violation or done.failure}")

    await asyncio.gather(*(verify(user) for user in tuple(caller.users.there)))
    count = len(caller.users.there)
    return Check("registered users are all there", not wrong, "; ".join(wrong[:5]) or f"{count} verified")


def rows_are_right(stand: Stand, caller: Caller) -> list[Check]:
    """Users and their templates, as the answers said."""
    users = caller.users
    with psycopg.connect(stand.settings.database.url) as connection:
        rows = connection.execute(
            "SELECT user_code, (SELECT count(*) FROM templates t WHERE (t.tenant_id, t.user_code) ="
            " (u.tenant_id, u.user_code)), (SELECT count(DISTINCT engine) FROM templates t WHERE"
            " (t.tenant_id, t.user_code) = (u.tenant_id, u.user_code)) FROM users u JOIN tenants ON tenants.id ="
            " tenant_id WHERE tenants.name = %s",
            (caller.tenant,),
        ).fetchall()
        (orphans,) = connection.execute(
            "SELECT count(*) FROM templates t LEFT JOIN users u USING (tenant_id, user_code) WHERE u.user_code IS NULL"
        ).fetchone() or (0,)
    found = {user for user, _, _ in rows}
    lost = sorted(users.there.keys() - found)
    undead = sorted(found & users.gone)
    strangers = sorted(found - users.there.keys() - users.unsure.keys() - users.gone)
    double = sorted(user for user, templates, engines in rows if templates != engines or not templates)
    detail = f"{len(found)} rows, {len(users.there)} confirmed, {len(users.gone)} deleted, {len(users.unsure)} unsure"
    return [
        Check("rows of users are those of the answers", not (lost or undead or strangers), detail)
        if not (lost or undead or strangers)
        else Check(
            "rows of users are those of the answers",
            is_so=False,
            detail=f"lost {lost[:3]}, deleted and there {undead[:3]}, never asked for {strangers[:3]}",
        ),
        Check("a template an engine, none twice", not double and not orphans, ", ".join(double[:5]) or "none twice"),
    ]


def storage_is_right(stand: Stand) -> Check:
    """After cleaning up there is a file for each row, and none else."""

    async def run() -> None:
        async with open_pool(stand.settings.database) as pool:
            while await clean(open_storage(stand.settings.storage), CleanupTasks(pool)):
                pass

    with psycopg.connect(stand.settings.database.url, autocommit=True) as connection:
        connection.execute("UPDATE cleanup_tasks SET due_at = now()")
        asyncio.run(run())
        until = time.monotonic() + LEFT_S
        # What a worker's cron had claimed at the same moment is its to finish.
        while connection.execute("SELECT 1 FROM cleanup_tasks LIMIT 1").fetchone() and time.monotonic() < until:
            time.sleep(0.5)
        (tasks,) = connection.execute("SELECT count(*) FROM cleanup_tasks").fetchone() or (0,)
        wanted = {
            key
            for (key,) in connection.execute(
                "SELECT original_key FROM images UNION SELECT processed_key FROM jobs"
            ).fetchall()
            if key
        }
    place = stand.disk.storage
    found = {
        (Path(folder) / name).relative_to(place).as_posix() for folder, _, names in os.walk(place) for name in names
    }
    detail = f"{len(found)} files, {len(found - wanted)} of them no row's, {len(wanted - found)} missing, {tasks} tasks"
    return Check("stored files are those of the rows", found == wanted and not tasks, detail)


def memory_is_flat(before: dict[str, float], after: dict[str, float]) -> Check:
    """By role, the largest process."""
    grown = [
        role
        for role, mib in after.items()
        if role in before
        and mib
        > (before[role] + MOST_REDIS_GROWN_MIB if role == "redis" else MOST_GROWN * before[role] + MOST_GROWN_MIB)
    ]
    detail = ", ".join(f"{role} {before.get(role, 0):.0f} -> {mib:.0f} MiB" for role, mib in after.items())
    return Check("memory is flat", not grown, detail)
